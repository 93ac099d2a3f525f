"""XTR001: are the rendered faces of some groups read as their own group less often than those of the others?"""

from __future__ import annotations

from audit.checks import Evidence, GapCheck, GroupFigure, Judged


class OwnGroupGap(GapCheck):
    """The rate of rendered faces read as their speaker's own group, each group against all others."""

    code = "XTR001"
    title = "Read as their own group less often in some groups"
    question = "Are some groups' faces read as their own group less often?"
    scope = "all languages"
    judged = (
        Judged(
            "own_group_gap",
            "own-group reads, minus all other groups",
            "share",
            0.08,
            "low",
            two_sided=True,
            per_group=True,
        ),
    )
    needs = "There are fewer than two known groups whose faces were read."
    would = "Speakers of two known groups or more."

    def metric(self, evidence: Evidence) -> str:
        """Read as the own group."""
        return "read_own_group"

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The rate of one group, and its gap."""
        return (
            f"{worst.behind['own'].text} of {worst.group} speakers' faces are read as their own group, "
            f"{worst.judged.text} against all other groups."
        )


CHECK = OwnGroupGap()
