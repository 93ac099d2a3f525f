"""Planning: the chances of a policy's exit codes for a cohort or a run, and the speakers that a pass needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.checks.power import GroupClips, group_clips
from audit.core.grouping import GROUP, Grouping
from audit.release.decision import Decision, Ruling
from audit.release.plans import MULTIPLES, Assumptions, Case, Chance, PlannedGroup, PolicyChance, PolicyPlan, RulePlan
from audit.release.policy import Policy, ResolvedRule
from audit.release.simulated_rules import SimulatedRule, Unplanned, simulated_rule
from audit.stats import Settings
from audit.stats.planning import fewest_speakers

BEYOND: Final = "none: limit reached"
COMPLEMENT: Final = "others"
"""The name of a gap's figure for all other groups, see :func:`audit.checks.gaps.group_gaps`."""


def plan_policy(
    policy: Policy, clips: pd.DataFrame, assumptions: Assumptions | None = None, settings: Settings | None = None
) -> PolicyPlan:
    r"""The chances of exit codes 0, 10 and 11 for a cohort, and the number of speakers that a pass needs.

    In a case, such as ``half the limit``, the true value of every rule's figure is that multiple of its limit: in each
    judged group, or for a gap in the smallest judged group.

    Parameters
    ----------
    policy : Policy
        The policy. Its requirements on instrument and data are not planned, nor are its waivers.
    clips : DataFrame
        The cohort: one row per clip with speaker_id, group, language, and optionally cluster.
    assumptions : Assumptions, optional
        Base rate, intra-class correlation, number of data sets, seed and power.
    settings : Settings, optional
        Statistical settings of the audit; the confidence is that of each rule.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": range(60), "group": "asian", "language": "en"})
    >>> text = 'schema = 1\nname = "x"\n[[rule]]\nid = "as-white"\ncheck = "S2F001"\nlimit = 0.1\n'
    >>> plan = plan_policy(Policy.parse(text), clips, Assumptions(base_rate=0))  # nobody is read as white
    >>> plan.rules[0].chances[0].passes, plan.rules[0].chances[0].breach
    (1.0, 0.0)
    """
    assumed, used = assumptions or Assumptions(), settings or Settings()
    parts = {by: group_clips(clips, Grouping.parse(by)) for by in (GROUP.name, *policy.groupings)}
    designs = [simulated_rule(resolved, parts[resolved.rule.by], assumed, used) for resolved in policy.rules]
    rules = tuple(_rule_plan(resolved, design, assumed) for design, resolved in zip(designs, policy.rules, strict=True))
    chances = [plan.chances for plan in rules if plan.chances]
    simulated = [design for design in designs if isinstance(design, SimulatedRule)]
    whole = tuple(_whole(case, simulated, assumed) for case in zip(*chances, strict=True))
    return PolicyPlan(policy.terms.name, policy.sha256, rules, whole, assumed)


def _rule_plan(
    resolved: ResolvedRule, design: SimulatedRule | Unplanned, assumptions: Assumptions, observed: float | None = None
) -> RulePlan:
    """The plan of one rule, also at the ``observed`` value where it lies in the direction of harm."""
    rule = resolved.rule
    plan = RulePlan(
        rule.id,
        rule.check,
        rule.figure or resolved.judged.name,
        resolved.judged.unit,
        resolved.side,
        resolved.bound,
        assumptions=assumptions,
    )
    bound = abs(resolved.bound)
    effects: dict[Case, float] = {case: multiple * bound for case, multiple in MULTIPLES.items()}
    if isinstance(design, Unplanned):
        sure = [Chance(case, effect, 0.0, 0.0, 1.0, None, "none: no speakers") for case, effect in effects.items()]
        return replace(plan, reason=design.reason, chances=tuple(sure) if design.is_inconclusive else ())
    judged = [side for side in design.sides if side.group in design.judged]
    groups = tuple(
        PlannedGroup(side.group, side.n_speakers, sum(side.clips) / len(side.clips), len({*side.clusters}))
        for side in judged
    )
    if observed is not None and design.sign * observed > 0:
        effects["as observed"] = design.sign * observed
    chances = []
    for case, effect in effects.items():
        possible = min(effect, design.room)
        passes, breach = design.split(possible)
        speakers, reason = None, BEYOND
        if possible < bound:
            speakers, reason = _fewest(
                partial(design.passes, possible), design.fewest, assumptions.power, design.most, design.n_clusters
            )
        true_value = design.sign * possible if possible else 0.0
        chances.append(Chance(case, true_value, passes, breach, max(0.0, 1 - passes - breach), speakers, reason))
    return replace(plan, comparison=design.comparison.words, groups=groups, chances=tuple(chances))


def _fewest(
    chance: Callable[[int], float], least: int, power: float, most: int, n_clusters: int
) -> tuple[int | None, str]:
    """The number of speakers with which a chance reaches ``power``, or why there is none."""
    found = fewest_speakers(chance, power, least=least, most=most)
    return found, "" if found else f"none: {n_clusters} clusters" if n_clusters else f"more than {most:,}"


def _whole(chances: Sequence[Chance], simulated: Sequence[SimulatedRule], assumptions: Assumptions) -> PolicyChance:
    """The whole policy in one case, from the chances of its rules."""
    without = next((each for each in chances if each.speakers is None), None)
    if without is not None:
        return replace(PolicyChance.of(chances), speakers_reason=without.speakers_reason)

    def chance(n: int) -> float:
        each_rule = zip(chances, simulated, strict=True)
        return math.prod(rule.passes(abs(each.true_value), n) for each, rule in each_rule)

    least, most = max(each.speakers or 0 for each in chances), min(design.most for design in simulated)
    n_clusters = min(design.n_clusters for design in simulated)
    speakers, reason = _fewest(chance, least, assumptions.power, most, n_clusters)
    return replace(PolicyChance.of(chances), speakers=speakers, speakers_reason=reason)


def with_plans(decision: Decision, policy: Policy, audit: Audit, assumptions: Assumptions | None = None) -> Decision:
    """The decision with a plan for every inconclusive rule, from the speakers, clips and error rates of the run.

    Without :attr:`Audit.scores`, as in an audit that was read from a file, the decision stays as it is.
    """
    if audit.scores is None:
        return decision
    scores, rules = audit.scores, {resolved.rule.id: resolved for resolved in policy.rules}
    parts = {by: group_clips(scores, Grouping.parse(by)) for by in (GROUP.name, *policy.groupings)}
    known = {(finding.code, finding.grouping): finding for finding in audit.findings}
    rulings = tuple(
        replace(
            ruling,
            plan=_observed_plan(
                ruling,
                rules[ruling.id],
                parts[ruling.by],
                known.get((ruling.check, ruling.by)),
                audit,
                assumptions,
            ),
        )
        if ruling.outcome == "inconclusive" and ruling.id in rules
        else ruling
        for ruling in decision.rulings
    )
    return replace(decision, rulings=rulings)


def _observed_plan(
    ruling: Ruling,
    resolved: ResolvedRule,
    parts: Sequence[GroupClips],
    finding: Finding | None,
    audit: Audit,
    assumptions: Assumptions | None,
) -> RulePlan:
    """The plan of an inconclusive rule, from what the run has."""
    figure = ruling.estimate
    if resolved.rule.figure is None and figure is not None:
        resolved = ResolvedRule.of(resolved.rule, resolved.check, figure.name)
    assumed = assumptions or Assumptions()
    if finding is not None and (rate := error_rate(finding, ruling.group)) is not None:
        assumed = replace(assumed, base_rate=rate, base_source="observed")
    used = Settings(
        min_speakers=int(audit.settings["min_speakers"]),  # type: ignore[call-overload]  # a JSON number
        estimand="clip" if audit.settings["estimand"] == "clip" else "speaker",
    )
    counts = {item.group: item.estimate.n_speakers for item in ruling.held if item.estimate}
    paired_counts = counts if figure is None or figure.n_smaller is None else {}
    design = simulated_rule(resolved, parts, assumed, used, paired_counts)
    return _rule_plan(resolved, design, assumed, None if figure is None else figure.value)


def error_rate(finding: Finding, group: str) -> float | None:
    """The error rate without an effect: of the other groups, else of the stages before the rendered face."""
    rates = [figure for figure in finding.estimates.values() if figure.kind == "rate" and figure.group == group]
    chosen = [figure for figure in rates if figure.name == COMPLEMENT]
    chosen = chosen or [figure for figure in rates if figure.stage in ("portrait", "ceiling")]
    found = [min(figure.value, 1 - figure.value) for figure in chosen if figure.value is not None]
    return max(found, default=None)
