"""Votes: how many annotators gave each group label to a speaker, as a text such as ``white:2 asian:1``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from audit.core.vocabulary import UNKNOWN, group_members

GROUP_VOTES: Final = "group_votes"
"""Optional column of speakers and observations: votes, empty where there are none; ``unknown`` is *cannot tell*."""


def votes(labels: Iterable[str]) -> str:
    """The votes of some labels, the most frequent first, then by label.

    Examples
    --------
    >>> votes(["white", "asian", "white", "unknown"])
    'white:2 asian:1 unknown:1'
    """
    counts = sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))
    return " ".join(f"{label}:{number}" for label, number in counts)


def voted(text: str) -> tuple[str, ...]:
    """The labels that at least one annotator gave; *cannot tell* is none.

    Raises
    ------
    ValueError
        If the text is not of the form of :func:`votes`, or a label is neither ``unknown`` nor a race label.

    Examples
    --------
    >>> voted("white:2 asian|indian:1 unknown:1"), voted("")
    (('white', 'asian|indian'), ())
    """
    parts = [part.partition(":") for part in text.split()]
    labels = tuple(label for label, _, _ in parts)
    if len(set(labels)) < len(labels) or not all(
        (label == UNKNOWN or group_members(label)) and number.isdecimal() for label, _, number in parts
    ):
        raise ValueError(f"{text!r} are not votes: LABEL:NUMBER, separated by spaces")
    return tuple(label for label in labels if label != UNKNOWN)


def is_votes(text: str) -> bool:
    """Whether :func:`voted` accepts a text."""
    try:
        voted(text)
    except ValueError:
        return False
    return True


def majority(answers: Iterable[str]) -> str:
    """The answer of more than half of those who answered; ``unknown`` without one, or if it is *cannot tell*.

    Examples
    --------
    >>> majority(["asian", "asian", "white"]), majority(["asian", "white"]), majority(["asian", "unknown", "unknown"])
    ('asian', 'unknown', 'unknown')
    """
    counts = Counter(answers)
    most, number = counts.most_common(1)[0] if counts else (UNKNOWN, 0)
    return most if 2 * number > counts.total() else UNKNOWN
