"""Wording of numbers, groups and lists in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def signed(number: float, digits: int) -> str:
    """A number with sign (U+2212 for minus), without sign if it is shown as zero.

    Examples
    --------
    >>> signed(-0.04, 1), signed(0.25, 2)
    ('0.0', '+0.25')
    """
    text = f"{number:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


_NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def number_words(number: int) -> str:
    """A count in words up to twelve, then in digits.

    Examples
    --------
    >>> number_words(3), number_words(1200)
    ('three', '1,200')
    """
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def p_words(p: float | None) -> str:
    """An adjusted p in words; empty if there is none.

    Examples
    --------
    >>> p_words(0.0004), p_words(0.0312), p_words(None)
    ('p < 0.001', 'p 0.031', '')
    """
    return "" if p is None else "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def typeset(text: str) -> str:
    """Replace hyphens before numbers by a minus sign.

    Examples
    --------
    >>> typeset("from -0.5 to 0.1, non-native")
    'from −0.5 to 0.1, non-native'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def group_words(group: str) -> str:
    """A group's label in words.

    Examples
    --------
    >>> group_words("asian|indian"), group_words("latino_hispanic"), group_words("asian, woman")
    ('asian or indian', 'latino hispanic', 'asian woman')
    """
    return group.replace("|", " or ").replace("_", " ").replace(", ", " ")


def slice_words(values: Mapping[str, str]) -> str:
    """A slice in words: its columns with their values.

    Examples
    --------
    >>> slice_words({"group": "latino_hispanic", "native_language": "es"})
    'group latino hispanic, native language es'
    """
    return ", ".join(
        f"{column.replace('_', ' ')} {group_words(value) if column == 'group' else value}"
        for column, value in values.items()
    )


def listing(words: list[str]) -> str:
    """Join words to a list.

    Examples
    --------
    >>> listing(["asian", "black", "white"])
    'asian, black and white'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"
