"""Levelling down: the worst group gets closer to the others only because the others got worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audit.checks.figure import Figure
from audit.checks.gaps import gap_change
from audit.checks.pair import Pair
from audit.comparisons.changes import Change, turned, word_for
from audit.comparisons.groups import compared_metrics
from audit.stats import ALL


@dataclass(frozen=True)
class Levelling:
    """A gap that shrank although the worst group did not gain.

    ``candidate`` is the candidate's letter, and ``told`` the metric in words. ``worst`` is the group with the worst
    figure in the baseline, ``gap`` how much closer it came to all other groups (the whole interval is positive), and
    ``own`` its change, more being better; not shown to be a gain. ``losers`` are the changes of the other groups that
    are shown to have lost, more being better.
    """

    candidate: str
    metric: str
    told: str
    worst: str
    gap: Figure
    own: Figure
    losers: Mapping[str, Figure]


def levellings(pair: Pair, changes: Sequence[Change]) -> list[Levelling]:
    """The metrics that were levelled down between two runs, of the changes of one candidate.

    A metric is levelled down if the gap between the group that was worst in the baseline and all others is shown to
    have shrunk, that group is not shown to have gained, and another group is shown to have lost. All intervals are
    simultaneous over the groups, so that choosing the worst group from the data leaves them valid.
    """
    found = []
    for metric in compared_metrics(pair):
        measured = [
            change
            for change in changes
            if (change.figure, change.language) == (metric.name, ALL)
            and change.group != ALL
            and change.before.value is not None
        ]
        losers = {change.group: change.better for change in measured if change.word == "pays"}
        if len(measured) < 2 or not losers:
            continue
        worst = max(measured, key=lambda change: (change.before.value or 0.0) * (1 if change.worse == "high" else -1))
        losers.pop(worst.group, None)
        if worst.word == "gains" or not losers:
            continue
        curve = gap_change(pair, metric.name, worst.group).together(len(pair.baseline.groups))
        gap = replace(worst.change, **vars(curve.at(pair.settings.confidence)))
        if word_for(gap, worst.worse, None) == "gains":
            nearer = gap if worst.worse == "low" else turned(gap)
            found.append(
                Levelling(worst.candidate, worst.figure, worst.told, worst.group, nearer, worst.better, losers)
            )
    return found
