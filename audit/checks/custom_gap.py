"""The gap check of a custom metric: each group against all others."""

from __future__ import annotations

from audit.checks.evidence import Evidence
from audit.checks.figure import Judged
from audit.checks.gaps import GapCheck
from audit.checks.judging import GroupFigure
from audit.checks.metrics.custom import CustomMetric
from audit.core.sentences import group_words


def gap_check(declared: CustomMetric) -> GapCheck:
    """The check that compares a custom metric of each group's rendered faces with that of all other known groups.

    Its code and margin are those of the declaration; a difference in either direction is shown.

    Raises
    ------
    ValueError
        If the metric declares no margin, or its code is not allowed.

    Examples
    --------
    >>> metric = CustomMetric("older", "rate", "read as older", ("rendered",), "high",
    ...                       score=lambda readings: readings.read["age"] > 60, code="LAB-OLDER", margin=0.10)
    >>> gap_check(metric).title
    'Some groups differ: read as older'
    """
    if declared.margin is None or declared.worse is None:
        raise ValueError(f"the metric {declared.name!r} declares no margin")
    of_group = Judged(
        f"{declared.name}_gap",
        f"{declared.label}, minus all other groups",
        declared.unit,
        declared.margin,
        declared.worse,
        two_sided=True,
        per_group=True,
        quantities=(declared.quantity,),
    )

    class CustomGap(GapCheck):
        """The metric of the rendered faces, each group against all others."""

        code = declared.code
        title = f"Some groups differ: {declared.label}"
        question = f"Do some groups differ from all others: {declared.label}?"
        scope = "all languages"
        judged = (of_group,)
        needs = f"There are fewer than two known groups with a value ({declared.label})."
        would = "Readable faces of two known groups or more."

        def metric(self, evidence: Evidence) -> str:
            """The custom metric."""
            return declared.name

        def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
            """The value of one group, and its gap."""
            return (
                f"{declared.label[0].upper()}{declared.label[1:]}: {worst.behind['own'].text} for "
                f"{group_words(worst.group)} speakers, {worst.judged.text} compared with all other groups."
            )

    return CustomGap()
