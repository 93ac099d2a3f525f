"""Figures in plain words, the same way everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from audit.stats import Estimate


def percent(estimate: Estimate) -> str:
    """A rate with its interval.

    Examples
    --------
    >>> percent(Estimate(0.5, 0.25, 0.75, 8, 16, 0, "exact"))
    '50% [25, 75]'
    """
    return _with_interval(estimate, lambda x: f"{100 * x:.0f}", "%")


def points(estimate: Estimate) -> str:
    """A difference of rates in percentage points, with its sign and interval.

    Examples
    --------
    >>> points(Estimate(0.25, -0.1, 0.4, 8, 16, 0, "bootstrap"))
    '+25 points [−10, +40]'
    """
    return _with_interval(estimate, lambda x: signed(100 * x, 0), " points")


def amount(estimate: Estimate, digits: int = 2) -> str:
    """A difference of real numbers, with its sign and interval.

    Examples
    --------
    >>> amount(Estimate(-0.125, -0.2, -0.05, 8, 16, 0, "bootstrap"))
    '−0.12 [−0.20, −0.05]'
    """
    return _with_interval(estimate, lambda x: signed(x, digits), "")


def signed(number: float, digits: int) -> str:
    """A number with its sign, a true minus, and no sign where it is shown as zero.

    Examples
    --------
    >>> signed(-0.04, 1), signed(0.25, 2)
    ('0.0', '+0.25')
    """
    text = f"{number:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def typeset(text: str) -> str:
    """The text with a true minus before every negative number.

    Examples
    --------
    >>> typeset("from -0.5 to 0.1, non-native")
    'from −0.5 to 0.1, non-native'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def group_words(group: str) -> str:
    """A group's label as it is read aloud.

    Examples
    --------
    >>> group_words("asian|indian"), group_words("latino_hispanic")
    ('asian or indian', 'latino hispanic')
    """
    return group.replace("|", " or ").replace("_", " ")


def listing(words: list[str]) -> str:
    """Words in a row.

    Examples
    --------
    >>> listing(["asian", "black", "white"])
    'asian, black and white'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"


def _with_interval(estimate: Estimate, word: Callable[[float], str], unit: str) -> str:
    if estimate.value is None:
        return "not estimable"
    if estimate.interval is None:
        return f"{word(estimate.value)}{unit} [no interval]"
    low, high = estimate.interval
    return f"{word(estimate.value)}{unit} [{word(low)}, {word(high)}]"
