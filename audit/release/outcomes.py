"""Outcomes of the gate: their order, exit codes and words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

Outcome = Literal["pass", "breach", "inconclusive", "instrument", "incomplete", "waived"]

EXIT_CODES: Final[dict[Outcome, int]] = {
    "incomplete": 13,
    "instrument": 12,
    "breach": 10,
    "inconclusive": 11,
    "waived": 0,
    "pass": 0,
}
"""The exit code of each outcome, in order of precedence."""

WORDS: Final[dict[Outcome, str]] = {
    "incomplete": "Blocked: the run is incomplete, or evidence that the policy does not admit",
    "instrument": "Blocked: the instrument is not valid by the policy",
    "breach": "Blocked: a breach is shown",
    "inconclusive": "Blocked: inconclusive",
    "waived": "Release allowed, with rules waived",
    "pass": "Release allowed: every rule is shown to hold",
}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that decides among several: incomplete, instrument, breach, inconclusive, waived, pass.

    Raises
    ------
    ValueError
        If there is none: no evidence is not a pass.

    Examples
    --------
    >>> worst(["pass", "inconclusive", "breach"])
    'breach'
    """
    return min(outcomes, key=list(EXIT_CODES).index)
