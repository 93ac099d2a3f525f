"""No inference about the speaker: neither gender nor age (S2F004), nor who it is (S2F005)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.core.sentences import group_words, listing

WHAT: Final = {
    "gender_gap": "gender",
    "gender_gap_ceiling": "gender",
    "age_gap": "age",
    "age_gap_ceiling": "age",
    "identification_gap": "identity",
}


def words(case: Case, groups: Sequence[str]) -> str:
    """What must not be inferred."""
    found = [WHAT[figure.name] for group in groups for figure in case.judged(group) if figure.name in WHAT]
    what = " or ".join(dict.fromkeys(found)) or "anything"
    return (
        f"Infer no {what} of a speaker from a rendered face: the error differs between "
        f"{listing([group_words(group) for group in groups])} speakers and all others."
    )


RULE = RecommendationRule(
    name="no_inference",
    summary="No inference of gender, age or identity from faces whose errors differ between groups",
    figures={"S2F004": ("own",), "S2F005": ("own",)},
    words=words,
)
