"""S2F004: are gender and age read less accurately in the rendered faces of some groups?"""

from __future__ import annotations

from audit.checks import Evidence, Figure, GapCheck, GroupFigure, Judged
from audit.checks.gaps import by_language, group_gaps
from audit.core.sentences import group_words


class AttributeGaps(GapCheck):
    """Gender read as labelled, each group against all others; gaps in age error are reported but not judged."""

    code = "S2F004"
    title = "Gender and age read less accurately in some groups"
    question = "Are gender and age read less accurately in some groups?"
    scope = "all languages"
    judged = (
        Judged(
            "gender_gap",
            "gender read as labelled, minus all other groups",
            "share",
            0.10,
            "low",
            two_sided=True,
            per_group=True,
            quantities=("gender_right",),
        ),
    )
    needs = "There are fewer than two groups whose gender is labelled and whose faces were read."
    would = "Gender labels for speakers of two groups or more."

    def metric(self, evidence: Evidence) -> str:
        """Gender read as labelled."""
        return "gender_right"

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        """The rate of one group, and its gap."""
        return (
            f"Gender is read as labelled in {worst.behind['own'].text} of {group_words(worst.group)} speakers' "
            f"rendered faces, {worst.judged.text} compared with all other groups."
        )

    def further(self, evidence: Evidence) -> dict[str, Figure]:
        """The gaps in age error, and both metrics by language."""
        found: dict[str, Figure] = {}
        label = "age error, minus all other groups"
        for group, gap, own, others in group_gaps(evidence, "age_error"):
            found[f"age_error.{group}"] = evidence.as_figure(
                gap, "age_error", name="age_error", group=group, label=label, kind="difference"
            )
            found |= {f"age_error.{group}.own": own, f"age_error.{group}.others": others}
        return (
            found
            | by_language(evidence, "gender_right", "gender_right.")
            | by_language(evidence, "age_error", "age_error.")
        )


CHECK = AttributeGaps()
