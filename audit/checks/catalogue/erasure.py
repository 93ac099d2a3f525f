"""S2F003: are groups read less often as themselves in the rendered face than at the ceiling?"""

from __future__ import annotations

from audit.checks import Evidence, GroupFigure, Judged
from audit.checks.stage_change import StageChange
from audit.core.sentences import group_words
from audit.core.vocabulary import Stage


class Erasure(StageChange):
    """For every group, the fall of its own-group rate from the ceiling (or portrait) to the rendered face."""

    code = "S2F003"
    title = "Groups no longer read as themselves"
    question = "Does a group stop being read as itself?"
    scope = "all languages"
    metric = "read_own_group"
    is_fall = True
    change_label = "fall from {before} to rendered"
    compared_label = "fall of own-group reads from {before} to rendered"
    judged = (Judged("fall", "fall to rendered", "share", 0.10, "high", per_group=True, quantities=(metric,)),)

    def sentence(self, worst: GroupFigure, before: Stage, evidence: Evidence) -> str:
        """The own-group rate of one group, rendered and before."""
        start = "of their portraits" if before == "portrait" else "when the decoder is given the true face"
        return (
            f"{worst.behind['rendered'].text} of {group_words(worst.group)} speakers' rendered faces are read as "
            f"their own group by {evidence.instrument}, against {worst.behind[before].text} {start}."
        )


CHECK = Erasure()
