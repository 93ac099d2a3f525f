"""Gap checks: the difference of each group to its complement, all other known groups.

The largest difference between any two of many groups is large by chance alone. The difference of each group to its
complement, Bonferroni-adjusted, is not. Speakers of unknown group are in no complement, since they may belong to the
compared group.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared, compare_groups
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure, Judged
from audit.checks.finding import Finding
from audit.checks.judging import GroupFigure, judge_groups, not_evaluable
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.checks.strata import Mask
from audit.core.vocabulary import UNKNOWN
from audit.stats import Curve, difference_curve


class GapCheck(Check):
    """A check that judges, for each group, a metric of the rendered faces minus that of all other known groups.

    A subclass declares one judged figure and names its metric; comparison, margin and gate rule follow from these.

    Attributes
    ----------
    needs, would : str
        The reason for ``not_evaluable`` where fewer than two groups can be compared, and the data that it needs.
    """

    needs: ClassVar[str]
    would: ClassVar[str]

    @abstractmethod
    def metric(self, evidence: Evidence) -> str | None:
        """The name of the metric; ``None`` where the run has none."""

    @abstractmethod
    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The finding in one sentence, about the group with the largest gap."""

    def further(self, evidence: Evidence) -> dict[str, Figure]:
        """Figures that are reported with the finding but not judged, by key."""
        return {}

    def measure(self, evidence: Evidence) -> Finding:
        """The gap of each group, simultaneous over the groups."""
        metric, name = self.metric(evidence), self.judged[0].name
        figures = {}
        gaps = [] if metric is None else group_gaps(evidence, metric)
        for each in gaps:
            judged = gap_figure(self, evidence, name, replace(each, gap=each.gap.together(len(gaps))))
            figures[each.group] = GroupFigure(each.group, judged, {"own": each.own, "others": each.others})
        if not figures:
            return not_evaluable(self, self.needs, self.would)
        finding = judge_groups(
            self, evidence, list(figures.values()), lambda named: self.sentence(figures[named[0]], evidence)
        )
        return replace(finding, estimates={**finding.estimates, **self.further(evidence)})

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The gap of each cell to all other cells."""
        metric, name = self.metric(crossed), self.judged[0].name
        gaps = [] if metric is None else group_gaps(crossed, metric, groups=cells)
        adjusted = [replace(each, gap=each.gap.together(len(cells))) for each in gaps]
        return [gap_figure(self, crossed, name, each) for each in adjusted]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """A group's change minus that of all other known groups (MOVER; Zou and Donner 2008)."""
        metric = self.metric(pair.baseline)
        return None if metric is None else compare_gaps(pair, self.judged[0], metric)

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """The group against all others; power is computed for rates only."""
        if self.judged[0].unit == "share":
            yield Comparison(
                self.judged[0], "the group against all others", group.n, "unpaired", other_speakers=group.n_others
            )


def by_language(evidence: Evidence, metric: str, prefix: str = "") -> dict[str, Figure]:
    """A metric of the rendered faces in each language, by keys that begin with ``prefix``."""
    return {
        f"{prefix}language.{language}": evidence.figure(
            metric, "rendered", evidence.where(language=language), language=language
        )
        for language in evidence.languages
    }


@dataclass(frozen=True)
class GroupGap:
    """A group's difference to its complement, and the figures of both sides."""

    group: str
    gap: Curve
    own: Figure
    others: Figure


def gap_figure(check: Check, evidence: Evidence, name: str, found: GroupGap, label: str = "") -> Figure:
    """A gap as the judged figure ``name``, with the number of speakers of its smaller side."""
    judged = check.figure(evidence, name, found.gap, group=found.group, label=label)
    return replace(judged, n_smaller=min(found.own.n_speakers, found.others.n_speakers))


def group_gaps(
    evidence: Evidence, metric: str, stage: str = "rendered", groups: Sequence[str] | None = None
) -> list[GroupGap]:
    """The gap of each known group to the other known groups at one stage, not adjusted for the number of groups.

    ``groups`` are the groups to measure, by default every known one; the others stay in the complements. A group that
    cannot be measured is included without a value, so that it does not pass as one without a gap. Empty where fewer
    than two groups can be measured.
    """
    cells = evidence.cells(evidence.group_column)
    place = {key[0]: i for i, key in enumerate(cells.keys)}
    unknown = [i for group, i in place.items() if group == UNKNOWN]
    of_groups = evidence.curves(metric, stage, cells)
    of_others = evidence.curves_of_complement(metric, stage, cells, excluded=unknown)
    found = []
    for group in evidence.groups if groups is None else groups:
        own, others = of_groups[place[group]], of_others[place[group]]
        sides = (
            evidence.as_figure(own, metric, stage, name="own", group=group, label="the group itself"),
            evidence.as_figure(others, metric, stage, name="others", group=group, label="all other groups"),
        )
        found.append(GroupGap(group, difference_curve(others, own), *sides))
    return _comparable(found)


def change_gaps(
    evidence: Evidence,
    metric: str,
    before: str,
    after: str,
    largest: float | None = None,
    groups: Sequence[str] | None = None,
) -> list[GroupGap]:
    """:func:`group_gaps` of the change of a metric from one stage to a later one, paired by speaker.

    ``largest`` is the largest possible change of a speaker's mean; see :meth:`audit.stats.Pairs.curve`.
    """
    cells, kind = evidence.cells(evidence.group_column), evidence.metrics[metric].kind
    place = {key[0]: i for i, key in enumerate(cells.keys)}
    unknown = [i for group, i in place.items() if group == UNKNOWN]
    of_groups = evidence.changes(metric, before, after, cells)
    of_others = evidence.changes_of_complement(metric, before, after, cells, excluded=unknown)
    found = []
    for group in evidence.groups if groups is None else groups:
        own = of_groups.one(place[group], kind, evidence.settings, f"{before}>{after}.{metric}")
        curves = [pairs.curve(largest) for pairs in (own, of_others[place[group]])]
        figures = (evidence.as_figure(curve, metric, group=group, kind="difference") for curve in curves)
        found.append(GroupGap(group, difference_curve(curves[1], curves[0]), *figures))
    return _comparable(found)


def compare_gaps(pair: Pair, judged: Judged, metric: str, before: str = "") -> CheckCompared | None:
    """The change of each group's gap between two runs (MOVER of two independent parts; Zou and Donner 2008).

    With ``before``, the gap is one of the change from that stage. The stage's pictures must be the same in both runs,
    so that they cancel; clips without a read there are left out.
    """

    def gap(evidence: Evidence, group: str) -> Curve:
        own, others = (
            evidence.changed(metric, before, "rendered", side).curve()
            if before
            else evidence.figure_curve(metric, "rendered", side)
            for side in _sides(evidence, group)
        )
        return difference_curve(others, own)

    def compared(group: str) -> Compared:
        baseline, candidate = (gap(evidence, group) for evidence in pair.each)
        return Compared(group, baseline, candidate, gap_change(pair, metric, group, before))

    found = compare_groups(pair, judged, compared, judged.label)
    return found if found and len(found.groups) > 1 else None


def gap_change(pair: Pair, metric: str, group: str, before: str = "") -> Curve:
    """The change of a group's rendered figure minus the complement's; ``before`` is as in :func:`compare_gaps`."""
    change, kind = pair.change(metric), pair.kind(metric)
    if before:
        change = change - pair.change(metric, before)
    sides = _sides(pair.baseline, group)
    largest = pair.span(metric, before or "rendered", "rendered")
    own, others = (pair.pairs(change, side, kind, f"rendered.{metric}").curve(largest) for side in sides)
    return difference_curve(others, own)


def _sides(evidence: Evidence, group: str) -> tuple[Mask, Mask]:
    """The clips of a group, and those of all other known groups."""
    mask = evidence.where(group=group)
    return mask, evidence.known & ~mask


def _comparable(found: list[GroupGap]) -> list[GroupGap]:
    """The gaps, if there are at least two groups with a value."""
    return found if sum(each.own.value is not None for each in found) > 1 else []
