"""Recommendations that follow from the shown findings of an audit; one rule per file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from audit.audits.audit import Audit
from audit.audits.recommendations.rule import ANY_CHECK, Case, RecommendationRule
from audit.audits.recommendations.strength import DEFINITION, STRENGTHS, Criteria, Strength, criteria
from audit.core.errors import AuditError
from audit.core.registry import Registry

__all__ = [
    "ANY_CHECK",
    "DEFINITION",
    "Case",
    "Recommendation",
    "RecommendationRule",
    "chosen",
    "recommend",
    "shipped",
]

REGISTRY: Final = Registry(
    "rule of recommendations", "audit.audits.recommendations", group="audit.recommendations", declared_as="RULE"
)
ORDER: Final = ("limit_on_use", "training_coverage", "stage")
"""The rules that come first; others follow by name."""


@dataclass(frozen=True)
class Recommendation:
    """What would help with one shown finding.

    Attributes
    ----------
    rule : str
        The name of the rule.
    code, grouping : str
        The finding: the code of its check, and its grouping.
    groups : tuple of str
        The groups that it is about, whose evidence is equally strong; ``all`` for a finding over all groups.
    text : str
        The recommendation.
    strength : {"strong", "moderate", "weak"}
        The strength of the evidence that there is a difference, by :data:`audit.audits.recommendations.DEFINITION`; not
        how sure it is that the recommendation helps.
    reason : str
        Why it has this strength.
    figures : tuple of str
        The keys of the finding's figures (``Finding.estimates``) that it rests on.
    """

    rule: str
    code: str
    grouping: str
    groups: tuple[str, ...]
    text: str
    strength: Strength
    reason: str
    figures: tuple[str, ...]


@cache
def shipped() -> tuple[RecommendationRule, ...]:
    """The shipped rules, one in each module of this folder."""
    names = sorted(REGISTRY.shipped, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return tuple(cast(RecommendationRule, REGISTRY.get(name)) for name in names)


def chosen(names: Sequence[str] = ()) -> tuple[RecommendationRule, ...]:
    """The shipped rules, then the named third-party ones: entry points of ``audit.recommendations`` or ``module:name``.

    Their modules are imported and executed: never pass names from untrusted files.

    Raises
    ------
    AuditError
        If a rule is not found, is not a :class:`RecommendationRule`, or has the name of another.
    """
    found = [*shipped()]
    for name in names:
        rule = REGISTRY.get(name)
        if not isinstance(rule, RecommendationRule):
            raise AuditError(f"The rule {name} is a {type(rule).__name__}.", "a RecommendationRule")
        if rule.name in {each.name for each in found}:
            raise AuditError(f"The rule {name} has the name {rule.name} of another.", "a unique name")
        found.append(rule)
    return tuple(found)


def recommend(audit: Audit, rules: Sequence[str] = ()) -> tuple[Recommendation, ...]:
    """The recommendations that follow from the shown findings of an audit, by finding and rule.

    None follows from a finding that is inconclusive, not shown or not evaluable, nor for a group with such an outcome.

    Parameters
    ----------
    audit : Audit
        The audit.
    rules : sequence of str
        Third-party rules to use as well; see :func:`chosen`.

    Raises
    ------
    AuditError
        If a third-party rule is not found or fails.

    Examples
    --------
    >>> import audit
    >>> found = audit.recommend(audit.measure(audit.simulate({"groups": ["asian"], "speakers_per_group": 20})))
    >>> [each.rule for each in found]
    []
    """
    asked = chosen(rules)
    return tuple(
        recommendation
        for finding in audit.findings
        if finding.outcome == "shown"
        for rule in asked
        for recommendation in _of_rule(rule, Case(audit, finding))
    )


def _of_rule(rule: RecommendationRule, case: Case) -> list[Recommendation]:
    """A recommendation for each strength of the evidence, with its groups."""
    try:
        met = {group: criteria(case, group) for group in rule.groups(case)}
        by_strength = {
            strength: {group: found for group, found in met.items() if found.strength == strength}
            for strength in STRENGTHS
        }
        return [_made(rule, case, of) for of in by_strength.values() if of]
    except Exception as error:
        if rule in shipped():
            raise
        # third-party code may raise anything
        raise AuditError(f"The rule {rule.name} failed: {type(error).__name__}: {error}.") from error


def _made(rule: RecommendationRule, case: Case, met: Mapping[str, Criteria]) -> Recommendation:
    """The recommendation for groups with equally strong evidence."""
    finding, least = case.finding, Criteria.least([*met.values()])
    names = rule.needs(finding.code) or ()
    used = [figure for group in met for figure in case.judged(group)]
    used += [figure for group in met for name in names for figure in case.figures(name, group)]
    keys = tuple(key for key, figure in finding.estimates.items() if figure in used)
    words = rule.words(case, [*met])
    return Recommendation(
        rule.name, finding.code, finding.grouping, tuple(met), words, least.strength, least.reason, keys
    )
