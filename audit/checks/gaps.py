"""Gap checks: the difference of each group to its complement, all other known groups.

The largest difference between any two of many groups is large by chance alone. The difference of each group to its
complement, Bonferroni-adjusted, is not. Speakers of unknown group are in no complement, since they may belong to the
compared group.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared, compare_groups
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
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
        for group, gap, own, others in [] if metric is None else group_gaps(evidence, metric):
            smaller = min(own.n_speakers, others.n_speakers)
            judged = replace(self.figure(evidence, name, gap, group=group), n_smaller=smaller)
            figures[group] = GroupFigure(group, judged, {"own": own, "others": others})
        if not figures:
            return not_evaluable(self, self.needs, self.would)
        finding = judge_groups(
            self, evidence, list(figures.values()), lambda named: self.sentence(figures[named[0]], evidence)
        )
        return replace(finding, estimates={**finding.estimates, **self.further(evidence)})

    def compare(self, pair: Pair) -> CheckCompared | None:
        """A group's change minus that of all other known groups (MOVER; Zou and Donner 2008)."""
        metric = self.metric(pair.baseline)
        if metric is None:
            return None

        def gap(evidence: Evidence, mask: Mask) -> Curve:
            others, own = (evidence.figure_curve(metric, "rendered", part) for part in (evidence.known & ~mask, mask))
            return difference_curve(others, own)

        def compared(group: str) -> Compared:
            mask = pair.baseline.where(group=group)
            return Compared(group, gap(pair.baseline, mask), gap(pair.candidate, mask), gap_change(pair, metric, group))

        found = compare_groups(pair, self.judged[0], compared, self.judged[0].label)
        return found if found and len(found.groups) > 1 else None

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


def group_gaps(evidence: Evidence, metric: str) -> list[tuple[str, Curve, Figure, Figure]]:
    """For each known group: its gap to the other known groups in the rendered faces, and the figures of both sides.

    A group that cannot be measured is included without a value, so that it does not pass as one without a gap. Empty
    where fewer than two groups can be measured.
    """
    cells = evidence.cells("group")
    place = {key[0]: i for i, key in enumerate(cells.keys)}
    unknown = [i for group, i in place.items() if group == UNKNOWN]
    of_groups = evidence.curves(metric, "rendered", cells)
    of_others = evidence.curves_of_complement(metric, "rendered", cells, excluded=unknown)
    found = []
    for group in evidence.groups:
        own, others = of_groups[place[group]], of_others[place[group]]
        gap = difference_curve(others, own).together(len(evidence.groups))
        sides = (
            evidence.as_figure(own, metric, "rendered", name="own", group=group, label="the group itself"),
            evidence.as_figure(others, metric, "rendered", name="others", group=group, label="all other groups"),
        )
        found.append((group, gap, *sides))
    measured = [gap for _, gap, *_ in found if gap.at(evidence.settings.confidence).value is not None]
    return found if len(measured) > 1 else []


def gap_change(pair: Pair, metric: str, group: str) -> Curve:
    """The change of a group's rendered figure minus the change of the complement's."""
    mask, change = pair.baseline.where(group=group), pair.change(metric)
    parts = (pair.baseline.known & ~mask, mask)
    others, own = (pair.pairs(change, part, pair.kind(metric), f"rendered.{metric}").curve() for part in parts)
    return difference_curve(others, own)
