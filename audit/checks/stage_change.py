"""Checks of a change between stages: from the ceiling (or portrait) to the rendered face, for each group."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared, compare_groups
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.checks.judging import GroupFigure, judge_groups, not_evaluable
from audit.checks.pair import Pair, change_of_difference
from audit.checks.power import Comparison, GroupClips
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import STAGES, Stage
from audit.stats import Curve


class StageChange(Check):
    """A check that judges, for each group, how a metric changes from the ceiling (or portrait) to the rendered face.

    The change is paired by speaker; the intervals are Bonferroni-adjusted for the number of groups. A subclass declares
    one judged figure.

    Attributes
    ----------
    metric : str
        The name of the metric.
    is_fall : bool
        Whether the change is the earlier stage minus the rendered face, instead of the reverse.
    change_label, compared_label : str
        Short descriptions of the change and of what :meth:`compare` compares; ``{before}`` is the earlier stage.
    """

    metric: ClassVar[str]
    is_fall: ClassVar[bool] = False
    change_label: ClassVar[str]
    compared_label: ClassVar[str]

    @abstractmethod
    def sentence(self, worst: GroupFigure, before: Stage, evidence: Evidence) -> str:
        """The finding in one sentence, about the group with the largest change."""

    def limits(self, evidence: Evidence) -> str:
        """What the finding cannot say, appended to its sentence; begins with a space unless it is empty."""
        return ""

    def lacking(self, evidence: Evidence) -> tuple[str, str]:
        """Why the check is not evaluable, and the data that it needs."""
        return (
            "There is no portrait or ceiling, or no speaker of a known group.",
            "Portraits, and speakers whose group is known.",
        )

    def further(self, evidence: Evidence, group: str, before: Stage) -> dict[str, Figure]:
        """Figures of a group that are reported with the finding but not judged, by name."""
        return {}

    def groups(self, evidence: Evidence) -> list[str]:
        """The groups that the check is about."""
        return evidence.groups

    def measure(self, evidence: Evidence) -> Finding:
        """The change of each group."""
        before, groups = self._before(evidence), self.groups(evidence)
        if not groups or not evidence.has(before):
            return not_evaluable(self, *self.lacking(evidence))
        cells = evidence.cells(evidence.group_column)
        changes, largest = evidence.changes(self.metric, *self._stages(before), cells), self._largest(evidence, before)
        curves = {stage: evidence.curves(self.metric, stage, cells) for stage in STAGES}
        place = {key[0]: i for i, key in enumerate(cells.keys)}
        figures = {}
        for group in groups:
            i = place[group]
            change = changes.one(i, evidence.metrics[self.metric].kind, evidence.settings).curve(largest)
            behind = {
                str(stage): evidence.as_figure(of[i], self.metric, stage, name=stage, group=group, label=stage)
                for stage, of in curves.items()
            }
            figure = self._judged(evidence, change, group, before, len(groups))
            figures[group] = GroupFigure(group, figure, behind | self.further(evidence, group, before))

        def sentence(named: list[str]) -> str:
            further = listing([group_words(name) for name in named[1:]])
            others = f" The same is shown for {further}." if named[1:] else ""
            return f"{self.sentence(figures[named[0]], before, evidence)}{others}{self.limits(evidence)}"

        return judge_groups(self, evidence, list(figures.values()), sentence)

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The change of each cell."""
        before, kind = self._before(crossed), crossed.metrics[self.metric].kind
        chosen, of_cells = set(self.groups(crossed)), crossed.cells(crossed.group_column)
        cells = [cell for cell in cells if cell in chosen]
        changes, largest = crossed.changes(self.metric, *self._stages(before), of_cells), self._largest(crossed, before)
        place = {key[0]: i for i, key in enumerate(of_cells.keys)}
        curves = {cell: changes.one(place[cell], kind, crossed.settings).curve(largest) for cell in cells}
        return [self._judged(crossed, curve, cell, before, len(cells)) for cell, curve in curves.items()]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change from the ceiling if both runs have one, else from the portrait, which cancels."""
        before: Stage = "ceiling" if pair.has("ceiling") else "portrait"
        if not pair.has(before):
            return None
        stages, kind = self._stages(before), pair.kind(self.metric)
        first, second = (pair.change(self.metric, stage) for stage in stages)
        name = f"{stages[0]}>{stages[1]}.{self.metric}"

        def compared(group: str) -> Compared:
            mask = pair.baseline.where(group=group)
            baseline, candidate = (each.changed(self.metric, *stages, mask).curve() for each in pair.each)
            if kind == "mean" or before == "portrait":
                pairs = pair.pairs(second - first, mask, kind, name)
                curve = pairs.curve(pair.span(self.metric, before, "rendered"))
                return Compared(group, baseline, candidate, curve)
            speakers = pair.baseline.speakers[mask]
            shared = pair.baseline.shared(mask)
            found = change_of_difference(first[mask], second[mask], speakers, pair.settings, name, clusters=shared)
            return Compared(group, baseline, candidate, found)

        return compare_groups(pair, self.judged[0], compared, self.compared_label.format(before=before))

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """Rendered against ceiling or portrait, paired by speaker."""
        yield Comparison(self.judged[0], "rendered against ceiling or portrait, same speakers", group.n, "paired")

    def _judged(self, evidence: Evidence, change: Curve, group: str, before: Stage, n_groups: int) -> Figure:
        """The judged figure of one group, simultaneous over ``n_groups``."""
        label = self.change_label.format(before=before)
        return self.figure(evidence, self.judged[0].name, change.together(n_groups), group=group, label=label)

    def _before(self, evidence: Evidence) -> Stage:
        """The stage that rendered faces are compared with."""
        return "ceiling" if evidence.has("ceiling") else "portrait"

    def _largest(self, evidence: Evidence, before: Stage) -> float | None:
        """The largest possible change of a speaker, where the metric is a mean."""
        return None if evidence.metrics[self.metric].kind == "rate" else evidence.span(self.metric, before, "rendered")

    def _stages(self, before: Stage) -> tuple[Stage, Stage]:
        """The two stages, such that the change is the second minus the first."""
        return ("rendered", before) if self.is_fall else (before, "rendered")
