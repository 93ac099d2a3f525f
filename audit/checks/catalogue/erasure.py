"""S2F003: are groups read less often as themselves in the rendered face than at the ceiling?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.checks import Evidence, Figure, GroupFigure, Judged
from audit.checks.sensitivity import FaceRead, Sensitivity
from audit.checks.stage_change import StageChange
from audit.checks.strata import Mask
from audit.core.sentences import group_words
from audit.core.vocabulary import STAGES, Stage
from audit.stats.speakers import Floats


class Erasure(StageChange):
    """For every group, the fall of its own-group rate from the ceiling (or portrait) to the rendered face."""

    code = "S2F003"
    title = "Groups no longer read as themselves"
    question = "Does a group stop being read as itself?"
    scope = "all languages"
    needs_race = True
    metric = "read_own_group"
    is_fall = True
    change_label = "fall from {before} to rendered"
    compared_label = "fall of own-group reads from {before} to rendered"
    judged = (Judged("fall", "fall to rendered", "share", 0.10, "high", per_group=True, quantities=(metric,)),)

    def groups(self, evidence: Evidence) -> list[str]:
        """The groups whose label is a race label."""
        return [group for group in evidence.groups if evidence.races_of(group)]

    def lacking(self, evidence: Evidence) -> tuple[str, str]:
        """Whether race labels are lacking, or pictures."""
        if self.groups(evidence):
            return super().lacking(evidence)
        return "No speaker's group is a race label.", "Speakers whose group is a race label."

    def sentence(self, worst: GroupFigure, before: Stage, evidence: Evidence) -> str:
        """The own-group rate of one group, rendered and before."""
        start = "of their portraits" if before == "portrait" else "when the decoder is given the true face"
        return (
            f"{worst.behind['rendered'].text} of {group_words(worst.group)} speakers' rendered faces are read as "
            f"their own group by {evidence.instrument}, against {worst.behind[before].text} {start}."
        )

    def sensitivity(self, evidence: Evidence) -> Iterator[Sensitivity]:
        """The fall of each group."""
        before, groups = self._before(evidence), self.groups(evidence)
        n_groups = len(groups)
        if not evidence.has(before):
            return
        for group in groups:
            own = evidence.revalued(evidence.frame.assign(**_own_reads(evidence, group)))

            def judge(of: Evidence, mask: Mask, group: str = group) -> Figure:
                change = of.changed(self.metric, *self._stages(before), mask).curve()
                return self._judged(of, change, group, before, n_groups)

            members = evidence.where(group=group)
            read = FaceRead(self.metric, before, False, ("read as another group", "read as their own group"))
            yield Sensitivity.of(own, judge(own, members), judge, members, ~members, read=read, of_sums=True)


def _own_reads(evidence: Evidence, group: str) -> dict[str, Floats]:
    """Whether each face is read as a group, for all speakers as if they belonged to it, by column of the frame."""
    return {
        f"{stage}.read_own_group": np.sum(
            [evidence.values(stage, f"read_{race}") for race in evidence.races_of(group)], axis=0
        )
        for stage in STAGES
    }


CHECK = Erasure()
