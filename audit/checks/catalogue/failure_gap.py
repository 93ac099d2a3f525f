"""S2F006: do the clips of some groups more often end without a readable face?

Detectors and models may fail unevenly between groups (Dooley et al., arXiv 2211.15937).
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.checks import Evidence, Figure, GapCheck, GroupFigure, Judged
from audit.checks.gaps import by_language, group_gaps
from audit.checks.sensitivity import FaceRead, Sensitivity
from audit.checks.strata import Mask
from audit.core.sentences import group_words
from audit.stats import Curve, difference_curve


class FailureGap(GapCheck):
    """The rate of clips without a readable face, each group against all others.

    Clips whose audio or rendered picture is a file that cannot be used do not count: that is a failure of the data, not
    of the model.
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

    def sensitivity(self, evidence: Evidence) -> Iterator[Sensitivity]:
        """The gap of each group; the missing faces are the figure itself."""
        n_groups, metric, name = len(evidence.groups), self.metric(evidence), self.judged[0].name
        read = FaceRead(metric, None, True, ("counted as readable", "counted as unreadable"), can_be_missing=False)
        for found in group_gaps(evidence, metric):
            assert found.others.curve is not None

            def judge(of: Evidence, mask: Mask, group: str = found.group, others: Curve = found.others.curve) -> Figure:
                if (outside := of.known & ~mask).any():
                    others = of.figure_curve(metric, "rendered", outside)
                gap = difference_curve(others, of.figure_curve(metric, "rendered", mask)).together(n_groups)
                return self.figure(of, name, gap, group=group)

            members = evidence.where(group=found.group)
            figure = self.figure(evidence, name, found.gap.together(n_groups), group=found.group)
            yield Sensitivity.of(evidence, figure, judge, members, ~members, read=read, of_sums=True)


CHECK = FailureGap()
