"""A limit on use: no use for the groups of a shown finding until a new audit finds the difference within the margin."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.recommendations.rule import ANY_CHECK, Case, RecommendationRule
from audit.core.language_names import language_name
from audit.core.sentences import group_words, listing
from audit.core.units import write_value
from audit.stats import ALL


def words(case: Case, groups: Sequence[str]) -> str:
    """The limit, with the margin that ends it."""
    judged = [figure for group in groups for figure in case.judged(group)]
    language = {figure.language for figure in judged} - {ALL}
    who = "" if ALL in groups else f" of {listing([group_words(group) for group in groups])} speakers"
    compared = " or compare them with those of others" if any(f.n_smaller is not None for f in judged) else ""
    if ALL in groups and case.finding.scope:
        who = f" ({case.finding.scope})"
    where = f" in {listing(list(map(language_name, sorted(language))))}" if language else ""
    margins = dict.fromkeys(write_value(f.margin, f.unit, True).lstrip("+") for f in judged if f.margin is not None)
    within = f" within its margin ({' and '.join(margins)})" if margins else " within its margin"
    return (
        f"Do not use rendered faces{who}{where}{compared}, until a new audit finds the difference{within} or those who "
        "answer for the use accept it in a signed decision."
    )


RULE = RecommendationRule(
    name="limit_on_use",
    summary="A limit on use, for the groups of every shown finding",
    figures={ANY_CHECK: ()},
    words=words,
)
