"""From a policy and figures to a decision: the same table of truth for every rule."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from audit.audits.audit import Audit
from audit.audits.privacy.sharing import without_paths
from audit.checks.finding import Finding
from audit.core.errors import PlanError, did_you_mean
from audit.core.sentences import group_words, listing, typeset
from audit.release.decision import Decision, Held, Outcome, Ruling, WaiverUse, worst
from audit.release.policy import Policy, Rule, Side
from audit.release.requirements import known_groups, requirements
from audit.stats import Curve, Estimate
from audit.stats.verdict import Verdict, verdict

ALL = "all"
MEASURED = ("estimand", "resamples", "seed", "min_speakers", "calibration_sha256")
"""The settings that have a part in the figures, beside the confidence, which the policy says."""


@dataclass(frozen=True)
class Baseline:
    """A run that the candidate must not be worse than.

    Attributes
    ----------
    run : Mapping
        What it is, as :attr:`Audit.run` says.
    changes : Mapping of str to Curve
        Candidate minus baseline, paired by speaker, by ``CODE`` (the check's headline) and ``CODE.group``.
    """

    run: Mapping[str, object]
    changes: Mapping[str, Curve]


def decide(
    policy: Policy,
    audits: Mapping[float, Audit],
    baseline: Baseline | None = None,
    *,
    today: dt.date,
    code: Mapping[str, object],
) -> Decision:
    """Hold a run against a policy.

    Parameters
    ----------
    policy : Policy
        The policy.
    audits : mapping of float to Audit
        The run's audit for each alpha of the policy, its intervals of confidence ``1 - 2 alpha`` at least.
    baseline : Baseline, optional
        For rules of non-inferiority.
    today : date
        On which waivers may have expired.
    code : mapping
        The gate's own version.

    Raises
    ------
    PlanError
        If a rule needs a baseline and there is none, or names a figure that its check does not have.
    """
    audit = next(iter(audits.values()))
    required = requirements(policy, audit, baseline.run if baseline else None)
    blocked = worst(ruling.outcome for ruling in required)
    rulings, used = [], set()
    for rule in policy.terms.rule:
        ruling = _ruling(policy, rule, audits[rule.alpha], baseline)
        waiver = next((w for w in policy.terms.waiver if w.rule == rule.id and w.expires >= today), None)
        if waiver and ruling.outcome in ("breach", "inconclusive"):
            used.add(waiver)
            words = f"{ruling.sentence} Waived through {waiver.expires} by {waiver.name}: {waiver.reason}"
            ruling = replace(ruling, outcome="waived", sentence=words)
        if ruling.outcome == "pass" and blocked != "pass":
            why = "the instrument is not valid" if blocked == "instrument" else "the run is incomplete"
            ruling = replace(ruling, outcome=blocked, sentence=f"{ruling.sentence} No pass, since {why}.")
        rulings.append(ruling)
    return Decision(
        policy={"name": policy.terms.name, "source": without_paths(policy.source), "sha256": policy.sha256},
        run={**_lineage(audit.run), "measured": {name: audit.settings.get(name) for name in MEASURED}},
        baseline=_lineage(baseline.run) if baseline else None,
        rulings=(*required, *rulings),
        waivers=tuple(
            WaiverUse(
                waiver.rule,
                waiver.name,
                waiver.reason,
                waiver.expires.isoformat(),
                "expired" if waiver.expires < today else "applied" if waiver in used else "not_needed",
            )
            for waiver in policy.terms.waiver
        ),
        decided=today.isoformat(),
        code=code,
    )


def _ruling(policy: Policy, rule: Rule, audit: Audit, baseline: Baseline | None) -> Ruling:
    if rule.kind == "non_inferiority":
        if baseline is None:
            raise PlanError(
                f"The rule {rule.id} of {policy.source} holds the run against a baseline, and none is given.",
                next_step="Give one: audit gate RUN --baseline RUN.",
            )
        figures = _changes(rule, audit, baseline)
    else:
        figures = _figures(rule, audit)
    finding = _finding(rule, audit)
    held = tuple(
        _held(rule, figure, group, estimate, _fewest(finding, figure.removeprefix(f"{rule.check}."), estimate))
        for figure, group, estimate in figures
    )
    outcome = worst(item.outcome for item in held)
    deciding = max((item for item in held if item.outcome == outcome), key=lambda item: _reach(item, rule.held_side))
    return Ruling(
        rule.id,
        rule.check,
        rule.kind,
        outcome,
        _sentence(rule, deciding, held),
        policy.line(rule.id),
        deciding.figure,
        deciding.estimate,
        rule.held_side,
        rule.bound,
        held,
    )


def _fewest(finding: Finding | None, figure: str, estimate: Estimate | None) -> int:
    """How many speakers a figure rests on: of a gap, those of its smaller side."""
    sides = [finding.estimates.get(f"{figure}.{side}") for side in ("own", "others")] if finding else []
    return min((each.n_speakers for each in (estimate, *sides) if each is not None), default=0)


def _held(rule: Rule, figure: str, group: str, estimate: Estimate | None, n_speakers: int) -> Held:
    """One figure against the rule's bound: only a whole interval within it, on enough speakers, is a pass."""
    if estimate is None:
        return Held(figure, group, None, "inconclusive", f"the run has no figure {figure}")
    judged = _judged(estimate, rule.bound, rule.held_side)
    outcome: Outcome = {"shown": "breach", "not_shown": "pass"}.get(judged.outcome, "inconclusive")  # type: ignore[assignment]  # the words of the table are outcomes
    reason = judged.reason
    if outcome == "pass" and n_speakers < rule.min_speakers:
        outcome = "inconclusive"
        reason += f", but rests on {n_speakers} speakers where the rule asks for {rule.min_speakers}"
    return Held(figure, group, estimate, outcome, typeset(reason))


def _judged(estimate: Estimate, bound: float, side: Side) -> Verdict:
    if side == "at_most":
        return verdict(estimate, bound, "greater")
    return verdict(estimate, -bound, "less") if side == "at_least" else verdict(estimate, bound, "two_sided")


def _figures(rule: Rule, audit: Audit) -> list[tuple[str, str, Estimate | None]]:
    """The figures that an absolute rule holds: their names, whose they are, and the estimates."""
    finding = _finding(rule, audit)
    if finding is None:
        return [(rule.figure or rule.check, ALL, None)]
    groups = _groups(rule, audit, finding)
    if groups is None:
        if rule.figure is None:
            return [(_headline(finding), finding.group, finding.estimate)]
        named = [(rule.figure, finding.group)]
    else:
        named = [(f"{group}.{rule.figure}" if rule.figure else group, group) for group in groups]
    found = [(name, group, finding.estimates.get(name)) for name, group in named]
    if finding.estimates and rule.figure and not any(estimate for _, _, estimate in found):
        there = (
            sorted(finding.estimates) if groups is None else sorted({_of_group(n) for n in finding.estimates} - {""})
        )
        if rule.figure not in there:
            raise PlanError(
                f"The rule {rule.id} names the figure {rule.figure!r}, which {rule.check} does not have in this run"
                + (did_you_mean(rule.figure, there, "; {}") or "."),
                ", ".join(there),
            )
    return found


def _changes(rule: Rule, audit: Audit, baseline: Baseline) -> list[tuple[str, str, Estimate | None]]:
    """The changes from the baseline that a rule of non-inferiority holds; of several groups, held together."""
    finding = _finding(rule, audit)
    groups = None if finding is None else _groups(rule, audit, finding)
    named = [(rule.check, ALL)] if groups is None else [(f"{rule.check}.{group}", group) for group in groups]
    curves = [(name, group, baseline.changes.get(name)) for name, group in named]
    return [
        (name, group, curve.together(len(named)).at(rule.confidence) if curve else None)
        for name, group, curve in curves
    ]


def _finding(rule: Rule, audit: Audit) -> Finding | None:
    return next((finding for finding in audit.findings if finding.code == rule.check), None)


def _groups(rule: Rule, audit: Audit, finding: Finding) -> list[str] | None:
    """For which groups a rule holds; ``None`` for the figure as it stands."""
    if isinstance(rule.groups, tuple):
        return list(rule.groups)
    one_of_several = finding.estimate is not None and finding.estimates.get(finding.group) == finding.estimate
    if rule.groups == ALL or (rule.figure is None and one_of_several):
        return known_groups(audit) or None
    return None


def _of_group(name: str) -> str:
    return name.partition(".")[2]


def _headline(finding: Finding) -> str:
    """The name of the headline figure among the estimates."""
    names = [name for name, estimate in finding.estimates.items() if estimate == finding.estimate]
    return names[0] if names else finding.code


def _reach(held: Held, side: Side) -> float:
    """How far a figure lies towards what the rule forbids: a breach by its near end, all others by their far end."""
    if held.estimate is None or held.estimate.low is None or held.estimate.high is None:
        return float("inf")
    low, high = held.estimate.low, held.estimate.high
    near, far = {"at_most": (low, high), "at_least": (-high, -low)}.get(side, (max(low, -high), max(high, -low)))
    return near if held.outcome == "breach" else far


def _sentence(rule: Rule, deciding: Held, held: tuple[Held, ...]) -> str:
    bound = {"at_most": "at most", "at_least": "at least", "within": "within"}[rule.held_side]
    what = deciding.figure if deciding.figure.startswith(rule.check) else f"{rule.check} {deciding.figure}"
    of = f" ({group_words(deciding.group)})" if deciding.group not in (ALL, deciding.figure) else ""
    asked = f"{bound} {rule.bound:g}"
    if rule.kind == "non_inferiority":
        what += ", change from the baseline"
    counts = ""
    if len(held) > 1:
        alike = [group_words(item.group) for item in held if item.outcome == deciding.outcome]
        counts = f" {deciding.outcome.capitalize()} for {len(alike)} of {len(held)} groups: {listing(alike)}."
    return f"{what}{of}, asked {asked}: {deciding.reason}.{counts}"


def _lineage(run: Mapping[str, object]) -> dict[str, object]:
    """By what a run can be traced."""
    instrument, cohort = run.get("instrument"), run.get("cohort")
    return {
        "digest": run["digest"],
        "model": run.get("model"),
        "weights_sha256": run.get("weights_sha256"),
        "instrument": instrument.get("name") if isinstance(instrument, dict) else None,
        "cohort": cohort.get("name") if isinstance(cohort, dict) else None,
        "cohort_digest": cohort.get("digest") if isinstance(cohort, dict) else None,
        "n_speakers": run.get("n_speakers"),
        "n_clips": run.get("n_clips"),
        "plan_sha256": hashlib.sha256(str(run.get("plan", "")).encode()).hexdigest(),
        "code": run.get("code"),
        "seed": run.get("seed"),
    }
