"""Readings by people, where the instrument's own errors could explain a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.core.sentences import group_words, listing
from audit.stats import ALL

LARGE: Final = 0.1
"""An error in reading portraits as the own group is large where its whole interval lies above this share."""


def doubtful(case: Case, group: str) -> bool:
    """Whether the instrument's error on the group's portraits is large, or could flip the verdict; not if people read.

    It could flip the verdict if the rate of misread rendered faces at which the verdict changes is no higher than the
    upper end of the error on portraits.
    """
    if "human_readings" in case.audit.tables:
        return False
    read = case.rows("instrument", group=group, gender=ALL, metric="read_own_group")
    rights = [(row["low"], row["high"]) for row in read]
    errors = [(1 - high, 1 - low) for low, high in rights if isinstance(low, float) and isinstance(high, float)]
    tipping = case.rows("sensitivity", check=case.finding.code, group=group, doubt="misclassified_faces")
    rates = [rate for row in tipping if isinstance(rate := row["rate_to_change"], float)]
    return any(low > LARGE or any(rate <= high for rate in rates) for low, high in errors)


def words(case: Case, groups: Sequence[str]) -> str:
    """Whose faces people should read, and why."""
    who = listing([group_words(group) for group in groups])
    return (
        f"Let people read a random sample of the rendered faces of {who} speakers (audit sheet RUN -o SHEET): the "
        "instrument's error on their portraits is large, or may be as large as the error at which the verdict changes."
    )


RULE = RecommendationRule(
    name="human_readings",
    summary="Readings by people, where the instrument's errors could change the verdict",
    figures={"S2F001": ("portrait",), "S2F003": ("portrait",)},
    tables=("instrument", "sensitivity"),
    holds=doubtful,
    words=words,
)
