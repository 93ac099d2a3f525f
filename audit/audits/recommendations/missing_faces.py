"""Missing faces: count them and say so, for the groups that are more often left without one."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.recommendations.rule import Case, RecommendationRule
from audit.core.sentences import group_words, listing


def words(case: Case, groups: Sequence[str]) -> str:
    """Whose missing faces to handle: the group's where the gap is positive, else all others'."""
    more: list[str] = []
    less: list[str] = []
    for group in groups:
        gap = next((figure.value for figure in case.judged(group) if figure.value is not None), 0.0)
        (more if gap >= 0 else less).append(group_words(group))
    who = [f"{group} speakers" for group in more] + [f"speakers other than {group}" for group in less]
    return (
        f"Record why clips of {listing(who)} end without a face (table statuses). Say that there is no face, show no "
        "other in its place, and count such clips as failures."
    )


RULE = RecommendationRule(
    name="missing_faces",
    summary="Record and report clips without a face, for the groups that have more of them",
    figures={"S2F006": ("own", "others")},
    tables=("statuses",),
    words=words,
)
