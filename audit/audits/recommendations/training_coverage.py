"""More training data: the languages that the training hardly covered for a group, and in which it is read less well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.checks.catalogue.coverage import HARDLY
from audit.core.language_names import language_name
from audit.core.languages import same_language
from audit.core.sentences import group_words, listing
from audit.stats import ALL


def lacking(case: Case, group: str) -> list[tuple[str, str, float]]:
    """Group, language and training clips where the training hardly covered a group (or any group), and reads are worse.

    Worse: the interval of own-group reads lies below those of all languages that the training covered well.
    """
    rows = [row for row in case.rows("coverage") if row["clips_trained"] is not None and row["high"] is not None]
    most = max((cast(float, row["clips_trained"]) for row in rows), default=0.0)
    found = []
    for row in rows:
        well = [
            cast(float, other["low"])
            for other in rows
            if other["group"] == row["group"] and cast(float, other["clips_trained"]) >= HARDLY * most
        ]
        clips, high = cast(float, row["clips_trained"]), cast(float, row["high"])
        asked = group in (row["group"], ALL) and _is_asked(case, group, str(row["language"]))
        if asked and clips < HARDLY * most and well and high < min(well):
            found.append((str(row["group"]), str(row["language"]), clips))
    return found


def _is_asked(case: Case, group: str, language: str) -> bool:
    """Whether a finding is about a language: that of its judged figure, or any."""
    languages = {figure.language for figure in case.judged(group)} - {ALL}
    return not languages or any(same_language(language, asked) for asked in languages)


def words(case: Case, groups: Sequence[str]) -> str:
    """The groups and languages, with the number of clips there are."""
    cells: dict[tuple[str, float], list[str]] = {}
    for whose, language, clips in dict.fromkeys(cell for group in groups for cell in lacking(case, group)):
        cells.setdefault((whose, clips), []).append(language)
    named = [
        f"{group_words(group)} speakers in {listing(list(map(language_name, languages)))} (now {clips:,.0f})"
        for (group, clips), languages in cells.items()
    ]
    return (
        f"Train with more clips of {'; '.join(named)}. There the own group is read less often than in the languages "
        "that the training covered well. Compare the result with this run, as other groups may lose."
    )


RULE = RecommendationRule(
    name="training_coverage",
    summary="More training clips of the groups and languages that the training hardly covered",
    figures={"S2F001": ("language_effect",), "S2F002": ("between",), "S2F007": ("coverage_effect",)},
    tables=("coverage",),
    holds=lambda case, group: bool(lacking(case, group)),
    words=words,
)
