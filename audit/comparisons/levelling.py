"""Levelling down: the worst group gets closer to the others only because the others got worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from audit.checks.figure import Figure
from audit.comparisons.changes import Change, turned, word_for


@dataclass(frozen=True)
class Levelling:
    """A gap that shrank although the worst group did not gain.

    Attributes
    ----------
    candidate, metric, told : str
        The candidate's letter, the metric's name, and the metric in words.
    worst : str
        The group with the worst figure in the baseline.
    gap : Figure
        How much closer it came to all other groups; the whole interval is positive.
    own : Figure
        Its own change, more being better; not shown to be a gain.
    losers : mapping of str to Figure
        The changes of the other groups that are shown to have lost, more being better.
    """

    candidate: str
    metric: str
    told: str
    worst: str
    gap: Figure
    own: Figure
    losers: Mapping[str, Figure]


def levelled_down(changes: Sequence[Change], gap_of: Callable[[str], Figure]) -> Levelling | None:
    """The levelling down of a metric between two runs, ``None`` if there was none.

    A metric is levelled down if the gap between the group that was worst in the baseline and all others is shown to
    have shrunk, that group is not shown to have gained, and another group is shown to have lost. All intervals are
    simultaneous over the groups, so that choosing the worst group from the data leaves them valid.

    Parameters
    ----------
    changes : sequence of Change
        Changes of one metric in one candidate, by group.
    gap_of : callable
        For a group, the change of its figure minus that of all others, simultaneous over the groups.
    """
    measured = [change for change in changes if change.before.value is not None]
    losers = {change.group: change.better for change in measured if change.word == "pays"}
    if len(measured) < 2 or not losers:
        return None
    sign = 1 if measured[0].worse == "high" else -1
    worst = max(measured, key=lambda change: sign * (change.before.value or 0.0))
    if worst.word == "gains" or not losers.keys() - {worst.group}:
        return None
    gap = gap_of(worst.group)
    if word_for(gap, worst.worse, None) != "gains":
        return None
    nearer = gap if worst.worse == "low" else turned(gap)
    losers.pop(worst.group, None)
    return Levelling(worst.candidate, worst.figure, worst.told, worst.group, nearer, worst.better, losers)
