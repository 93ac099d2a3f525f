"""A mitigation of the stage that the evidence names: the decoder, or the voice encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.core.sentences import group_words, listing

DECODER: Final = "decoder"
ENCODER: Final = "voice encoder"
GAPS: Final = ("gender_gap", "age_gap")
ADVICE: Final = {
    ENCODER: "Try a mitigation (docs/guide/mitigations.md); docs/validation/mitigations.md has what each did to every "
    "group of the embedded cohort. Compare the result with this run.",
    DECODER: "Examine the faces that the decoder was trained on, by group; mitigations of the voice encoder do not "
    "change it.",
}


def stages(case: Case, group: str) -> list[str]:
    """The parts of the model in which a shown difference arises, as far as the figures tell.

    S2F003 and S2F008 judge the change from the ceiling wherever there is one. S2F004 judges gaps at both stages: the
    decoder is named where the gap is shown at the ceiling, the encoder where it is shown only in the rendered face.
    """
    if case.finding.code == "S2F001":
        return [ENCODER] if case.shows("excess_over_ceiling", group) else []
    if case.finding.code != "S2F004":
        return [ENCODER]
    at_ceiling = any(case.shows(f"{gap}_ceiling", group) for gap in GAPS)
    settled = [gap for gap in GAPS if case.shows(gap, group) and _is_excluded(case, f"{gap}_ceiling", group)]
    return [DECODER] * at_ceiling + [ENCODER] * bool(settled)


def _is_excluded(case: Case, name: str, group: str) -> bool:
    figures = [figure for figure in case.figures(name, group) if figure.margin is not None]
    return bool(figures) and all(figure.verdict.outcome == "not_shown" for figure in figures)


def words(case: Case, groups: Sequence[str]) -> str:
    """Where the difference arises, and what to do about that part."""
    found = []
    for part, advice in ADVICE.items():
        if of_part := [group_words(group) for group in groups if part in stages(case, group)]:
            found.append(f"For {listing(of_part)} speakers the difference arises in the {part}. {advice}")
    return " ".join(found)


RULE = RecommendationRule(
    name="stage",
    summary="A mitigation of the stage, decoder or voice encoder, at which the difference arises",
    figures={
        "S2F001": ("ceiling", "rendered", "excess_over_ceiling"),
        "S2F003": ("ceiling", "rendered"),
        "S2F004": (),
        "S2F008": ("ceiling", "rendered"),
    },
    holds=lambda case, group: bool(stages(case, group)),
    words=words,
)
