"""S2F008: are some groups rendered with lighter or darker skin than the decoder gives them from their own face?

Skin tone is measured on skin pixels, without a classifier of race (:mod:`audit.core.attributes.skin_tone`). Portrait,
ceiling and rendered face are compared in pairs, so that the speaker's own tone and the decoder's light cancel.
"""

from __future__ import annotations

from audit.checks import Evidence, Figure, Finding, GroupFigure, Judged, not_evaluable
from audit.checks.compared import CheckCompared
from audit.checks.pair import Pair
from audit.checks.stage_change import StageChange
from audit.core.attributes.skin_tone import separation
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import Stage

SEPARATES = 0.65
"""Smallest separation from white faces (AUC) with which a shift says something about a read of white."""


class SkinToneShift(StageChange):
    """For every group, the typology angle of the rendered face minus that of the ceiling (or portrait)."""

    code = "S2F008"
    title = "Some groups rendered with lighter or darker skin"
    question = "Are some groups rendered with lighter or darker skin?"
    scope = "all languages"
    metric = "skin_ita"
    change_label = compared_label = "skin tone (ITA) rendered minus {before}"
    judged = (
        Judged(
            "shift",
            "skin tone (ITA) rendered minus ceiling",
            "degrees",
            5.0,
            "high",
            two_sided=True,
            per_group=True,
            quantities=(metric,),
        ),
    )

    def measure(self, evidence: Evidence) -> Finding:
        """The shift of each group; not evaluable where the instrument measured no skin tone."""
        if self.metric not in evidence.metrics:
            return not_evaluable(
                self,
                "The instrument of this run measured no skin tone.",
                "The kept faces read by the present instrument: audit read RUN -o NEW.",
            )
        return super().measure(evidence)

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the shift; ``None`` where a run has no skin tone."""
        return super().compare(pair) if all(self.metric in each.metrics for each in pair.each) else None

    def sentence(self, worst: GroupFigure, before: Stage, evidence: Evidence) -> str:
        """The angle of one group, rendered and before."""
        start = "in their portraits" if before == "portrait" else "when the decoder is given the true face"
        return (
            f"The skin of {group_words(worst.group)} speakers' rendered faces has a typology angle (ITA) of "
            f"{worst.behind['rendered'].text}, against {worst.behind[before].text} {start} "
            f"({worst.judged.text}; positive is lighter)."
        )

    def further(self, evidence: Evidence, group: str, before: Stage) -> dict[str, Figure]:
        """The shift in each language."""
        found, label = {}, self.change_label.format(before=before)
        for language in evidence.languages:
            pairs = evidence.changed(self.metric, before, "rendered", evidence.where(group=group, language=language))
            found[f"language.{language}"] = evidence.as_figure(
                pairs.curve(), self.metric, name="shift", group=group, language=language, label=label, kind="difference"
            )
        return found

    def limits(self, evidence: Evidence) -> str:
        """The groups for which a shift says nothing about a read of white: photographs do not separate their skin."""
        unable = [
            group
            for group in evidence.groups
            if (races := evidence.races_of(group))
            and "white" not in races
            and (separation("|".join(sorted(races))) or 0.0) < SEPARATES
        ]
        if not unable:
            return ""
        return (
            f" Skin tone separates photographs of {listing([group_words(name) for name in unable])} and white people "
            f"too poorly (AUC below {SEPARATES:.2f}) to confirm or refute S2F001 for them."
        )


CHECK = SkinToneShift()
