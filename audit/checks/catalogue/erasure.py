"""S2F003: are groups read less often as themselves in the rendered face than at the ceiling?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.checks import Check, Evidence, Finding, GroupFigure, Judged, judge_groups, not_evaluable
from audit.checks.compared import CheckCompared, Compared, compare_groups
from audit.checks.pair import Pair, change_of_difference
from audit.checks.power import Comparison, GroupClips
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import STAGES, Stage

METRIC = "read_own_group"


class Erasure(Check):
    """For every group, the fall of its own-group rate from the ceiling (or portrait) to the rendered face.

    The intervals are Bonferroni-adjusted for the number of groups.
    """

    code = "S2F003"
    title = "Groups no longer read as themselves"
    question = "Does a group stop being read as itself?"
    scope = "all languages"
    judged = (Judged("fall", "fall to rendered", "share", 0.10, "high", per_group=True, quantities=(METRIC,)),)

    def measure(self, evidence: Evidence) -> Finding:
        """The fall of each group."""
        before: Stage = "ceiling" if evidence.has("ceiling") else "portrait"
        if not evidence.groups or not evidence.has(before):
            return not_evaluable(
                self,
                "There is no portrait or ceiling, or no speaker of a known group.",
                "Portraits, and speakers whose group is known.",
            )
        cells = evidence.cells("group")
        falls = evidence.changes(METRIC, "rendered", before, cells)
        rates = {stage: evidence.curves(METRIC, stage, cells) for stage in STAGES}
        place = {key[0]: i for i, key in enumerate(cells.keys)}
        figures = {}
        for group in evidence.groups:
            i = place[group]
            fall = falls.one(i, "rate", evidence.settings).curve().together(len(evidence.groups))
            behind = {
                str(stage): evidence.as_figure(curves[i], METRIC, stage, name=stage, group=group, label=stage)
                for stage, curves in rates.items()
            }
            label = f"fall from {before} to rendered"
            figures[group] = GroupFigure(group, self.figure(evidence, "fall", fall, group=group, label=label), behind)

        def sentence(named: list[str]) -> str:
            worst, further = figures[named[0]], listing([group_words(name) for name in named[1:]])
            others = f" The same is shown for {further}." if named[1:] else ""
            start = "of their portraits" if before == "portrait" else "when the decoder is given the true face"
            return (
                f"{worst.behind['rendered'].text} of {group_words(worst.group)} speakers' rendered faces are read as "
                f"their own group by {evidence.instrument}, against {worst.behind[before].text} {start}.{others}"
            )

        return judge_groups(self, evidence, list(figures.values()), sentence)

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the fall from the ceiling if both runs have one, else from the portrait, which cancels."""
        before = "ceiling" if pair.has("ceiling") else "portrait"
        if not pair.has(before):
            return None
        rendered, start = pair.change(METRIC), pair.change(METRIC, before)

        def compared(group: str) -> Compared:
            mask = pair.baseline.where(group=group)
            baseline, candidate = (each.changed(METRIC, "rendered", before, mask).curve() for each in pair.each)
            name = f"rendered>{before}.{METRIC}"
            if before == "portrait":
                pairs = pair.pairs(start - rendered, mask, "rate", name)
                return Compared(group, baseline, candidate, pairs.curve(), pairs)
            speakers = pair.baseline.speakers[mask]
            found = change_of_difference(rendered[mask], start[mask], speakers, pair.settings, name)
            return Compared(group, baseline, candidate, *found)

        return compare_groups(pair, self.judged[0], compared, f"fall of own-group reads from {before} to rendered")

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """Rendered against ceiling or portrait, paired by speaker."""
        yield Comparison(self.judged[0], "rendered against ceiling or portrait, same speakers", group.n, "paired")


CHECK = Erasure()
