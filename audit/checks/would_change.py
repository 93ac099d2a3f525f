"""What would change a verdict, in one or two sentences about the headline figure and its group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from audit.checks.figure import Figure
from audit.checks.finding import OUTCOME_WORDS
from audit.core.sentences import group_words, listing
from audit.core.units import unit_of, write_margin, write_value
from audit.stats import ALL, Settings, speakers_needed
from audit.stats.verdict import Direction, Outcome

MOST_SPEAKERS: Final = 20_000
"""The largest number of speakers that a finding recommends: VoxCeleb has 7,000, AVSpeech 100,000."""
UNDECIDED: Final[tuple[Outcome, ...]] = ("inconclusive", "not_evaluable")


def would_change(head: Figure, others: Sequence[Figure], outcome: Outcome, settings: Settings) -> str:
    """What would change a verdict, about the headline figure and in its unit.

    Where the headline is decided and the check is not, the sentences are about the largest undecided figure, and say
    so.

    Parameters
    ----------
    head : Figure
        The headline, which is judged.
    others : sequence of Figure
        The other judged figures of the finding, the largest first.
    outcome : {"shown", "not_shown", "inconclusive", "not_evaluable"}
        The outcome of the check.
    settings : Settings
        The confidence, and the fewest speakers for an interval.

    Examples
    --------
    >>> fall = Figure(0.48, 0.318, 0.56, 32, 128, 0, "exact", unit="share", kind="difference", margin=0.1, harm="high")
    >>> would_change(fall, [], "shown", Settings())
    'A margin of at least 32 points, instrument errors that explain the difference, or different speakers.'
    """
    if outcome == "shown":
        return _shown(head, others)
    if outcome == "not_shown":
        return _not_shown(head, others)
    undecided = [figure for figure in (head, *others) if figure.verdict.outcome in UNDECIDED]
    about, *further = undecided or [head]
    words = _whom(about, others) + _needed(about, settings)
    if about is not head:
        decided = OUTCOME_WORDS[head.verdict.outcome]
        words = f"The headline figure, of {group_words(head.group)} speakers, is {decided} by itself. {_capital(words)}"
    if further:
        are = "1 other figure is" if len(further) == 1 else f"{len(further)} other figures are"
        words += f" {are} undecided too."
    return _capital(words)


def towards_harm(low: float, high: float, direction: Direction) -> float:
    """The end of an interval in the tested direction.

    Examples
    --------
    >>> towards_harm(-0.3, 0.1, "two_sided"), towards_harm(-0.3, 0.1, "greater")
    (0.3, 0.1)
    """
    return {"greater": high, "less": -low, "two_sided": max(-low, high)}[direction]


def _shown(head: Figure, others: Sequence[Figure]) -> str:
    end = _rounded_up(_nearest(head), head.unit)
    margin = f"a margin of at least {write_margin(end, head.unit)}, "
    words = f"{_whom(head, others)}{margin}instrument errors that explain the difference, or different speakers."
    still = [
        group_words(figure.group)
        for figure in others
        if figure.verdict.outcome == "shown" and (figure.name != head.name or _nearest(figure) > end)
    ]
    if still:
        words += f" At that margin it would still be shown for {listing(list(dict.fromkeys(still)))}."
    return _capital(words)


def _not_shown(head: Figure, others: Sequence[Figure]) -> str:
    interval = head.alone or head.interval
    end = 0.0 if interval is None else towards_harm(*interval, head.direction)
    words = "instrument errors that hide the difference, or different speakers."
    if end > 0:
        step = _step(head.unit)
        words = f"a margin of at most {write_margin(_rounded_up(end, head.unit) - step, head.unit)}, {words}"
    return _capital(_whom(head, others) + words)


def _needed(figure: Figure, settings: Settings) -> str:
    """The number of speakers that would settle an undecided figure, in a sentence."""
    margin = figure.margin or 0.0
    needed = speakers_needed(figure, margin, figure.direction, settings, figure.alone)
    if needed.becomes is None or needed.more is None or figure.value is None:
        return f"{needed.reason}."
    value = write_value(figure.value, figure.unit, figure.signed)
    if needed.more > MOST_SPEAKERS:
        close = f"since the estimate, {value}, lies close to the margin of {write_margin(margin, figure.unit)}"
        return f"more than {MOST_SPEAKERS:,} further speakers, {close}."
    more = f"about {needed.more:,} more speakers" if needed.more > 1 else "1 more speaker"
    return f"{more} would make it {OUTCOME_WORDS[needed.becomes]} if the value stayed at {value}."


def _whom(figure: Figure, others: Sequence[Figure]) -> str:
    """The group of a figure, and its label where the check judges several; empty for a check with one figure."""
    if not others or figure.group == ALL:
        return ""
    several = any(other.name != figure.name for other in others)
    return f"for {group_words(figure.group)} speakers{f' ({figure.label})' if several else ''}: "


def _nearest(figure: Figure) -> float:
    """The distance from zero to the nearer end of an interval that does not contain zero."""
    low, high = figure.interval or (0.0, 0.0)
    return low if low > 0 else -high


def _step(unit: str) -> float:
    """The smallest difference between two written numbers of a unit."""
    return float(10.0 ** -unit_of(unit).digits / unit_of(unit).scale)


def _rounded_up(value: float, unit: str) -> float:
    """The smallest written number of a unit that is not below a value."""
    return math.ceil(round(value / _step(unit), 6)) * _step(unit)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
