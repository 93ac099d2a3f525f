"""The languages in which a group's skin is rendered lighter or darker, to examine first (S2F008)."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.checks.figure import Figure
from audit.core.language_names import language_name
from audit.core.sentences import group_words, listing
from audit.stats import ALL


def shifted(case: Case, group: str) -> list[Figure]:
    """The shifts in one language whose interval lies beyond the margin of the group's judged shift."""
    margin = max((figure.margin or 0.0 for figure in case.judged(group)), default=0.0)
    by_language = [figure for figure in case.figures("shift", group) if figure.language != ALL]
    return [f for f in by_language if f.interval and max(f.interval[0], -f.interval[1]) > margin]


def words(case: Case, groups: Sequence[str]) -> str:
    """Groups and languages, with the shift."""
    named = [
        f"{group_words(group)} speakers in {language_name(figure.language)} ({figure.text})"
        for group in groups
        for figure in shifted(case, group)
    ]
    return (
        f"Examine the rendered and training faces of {listing(named)} first: there the skin tone is shifted by more "
        "than the margin (ITA; positive is lighter)."
    )


RULE = RecommendationRule(
    name="skin_tone",
    summary="The languages in which a group's skin tone is shifted, to examine first",
    figures={"S2F008": ("shift",)},
    holds=lambda case, group: bool(shifted(case, group)),
    words=words,
)
