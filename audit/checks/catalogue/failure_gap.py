"""S2F006: do the clips of some groups more often end without a readable face?

Detectors and models may fail unevenly between groups (Dooley et al., arXiv 2211.15937).
"""

from __future__ import annotations

from audit.checks import Evidence, Figure, GapCheck, GroupFigure, Judged
from audit.checks.gaps import by_language
from audit.core.sentences import group_words


class FailureGap(GapCheck):
    """The rate of clips without a readable face, each group against all others.

    Clips whose audio cannot be used do not count: that is a failure of the data, not of the model.
    """

    code = "S2F006"
    title = "Some groups more often left without a face"
    question = "Are some groups more often left without a face?"
    scope = "all languages"
    judged = (
        Judged(
            "failure_gap",
            "clips without a face, minus all other groups",
            "share",
            0.05,
            "high",
            two_sided=True,
            per_group=True,
            quantities=("no_face",),
        ),
    )
    needs = "There are fewer than two known groups."
    would = "Speakers of two known groups or more."

    def metric(self, evidence: Evidence) -> str:
        """Clips without a readable face."""
        return "no_face"

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The rate of one group, and its gap."""
        return (
            f"{worst.behind['own'].text} of {group_words(worst.group)} speakers' clips have no readable face, "
            f"{worst.judged.text} compared with all other groups."
        )

    def further(self, evidence: Evidence) -> dict[str, Figure]:
        """The rate by language."""
        return by_language(evidence, "no_face")


CHECK = FailureGap()
