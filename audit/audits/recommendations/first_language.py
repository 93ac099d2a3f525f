"""Training and auditing by first language, where English by non-native speakers is rendered differently (S2F009)."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.core.sentences import listing


def words(case: Case, groups: Sequence[str]) -> str:
    """The first languages."""
    return (
        "Record the first language of training speakers, and include English by speakers whose first language is "
        f"{listing([*groups])}. This audit does not know how much of it the training covered."
    )


RULE = RecommendationRule(
    name="first_language",
    summary="Training speakers by first language, where their English is rendered differently",
    figures={"S2F009": ()},
    words=words,
)
