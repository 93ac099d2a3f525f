"""The decision of a policy about an audit, by the same rules for every check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from audit.audits.audit import Audit
from audit.audits.privacy.sharing import without_paths
from audit.checks.figure import Figure
from audit.core.errors import PlanError, RunError, did_you_mean
from audit.core.grouping import GROUP
from audit.core.sentences import group_words, listing, typeset
from audit.core.units import unit_of
from audit.release.decision import Decision, FigureRuling, Ruling, WaiverUse
from audit.release.facts import RunFacts, plan_digest
from audit.release.human import why_absent, with_human_readings
from audit.release.outcomes import worst
from audit.release.policy import Policy, ResolvedRule
from audit.release.requirements import absent_group, known_groups, requirements
from audit.release.waivers import State, Waiver
from audit.release.wording import Side
from audit.release.worst_case import with_missing_faces
from audit.stats import ALL, Curve

NamedFigure = tuple[str, str, Figure | None]
"""The name, group and figure that a rule is about; ``None`` if the run does not have it."""
MEASURED = ("estimand", "resamples", "seed", "min_speakers", "calibration_sha256")
"""Settings that affect the figures, besides the confidence, which the policy sets."""


@dataclass(frozen=True)
class Baseline:
    """A run that the candidate must not be worse than.

    Attributes
    ----------
    run : Mapping
        Its identity, as in :attr:`Audit.run`.
    changes : Mapping of str to Curve
        Candidate minus baseline, paired by speaker, by ``CODE`` (the check's headline) and ``CODE.group``.
    by : Mapping of str to Mapping
        The same by the names of other groupings than ``group``.
    """

    run: Mapping[str, object]
    changes: Mapping[str, Curve]
    by: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)

    def changes_by(self, grouping: str) -> Mapping[str, Curve]:
        """The changes in a grouping."""
        return self.changes if grouping == GROUP.name else self.by.get(grouping, {})


def decide(
    policy: Policy,
    audit: Audit,
    baseline: Baseline | None = None,
    *,
    today: dt.date,
    code: Mapping[str, object],
    further: Sequence[Ruling] = (),
) -> Decision:
    """The decision of a policy about a run.

    Each rule is decided at its own confidence. A figure without a curve keeps its interval, which must therefore be at
    least as wide as the policy requires. Waivers are checked against ``today``; ``code`` is the version of the gate.
    ``further`` are rulings on requirements besides those on instrument and data.

    Raises
    ------
    PlanError
        If a rule needs a baseline and none is given, or names a figure that its check does not have.
    RunError
        If ``today`` is earlier than the end of the run, or the run that the audit was read from was changed.
    """
    by = tuple(dict.fromkeys(resolved.rule.by for resolved in policy.rules))
    facts = RunFacts.of(audit, baseline.run if baseline else None, by)
    _refuse_earlier_clock(facts, today)
    terms = policy.terms
    of_run = (*terms.evidence.rulings(facts, terms.pins), *terms.pins.rulings(facts, today))
    required = [
        *requirements(policy, audit, baseline.run if baseline else None),
        *(replace(ruling, line=policy.line(ruling.id)) for ruling in of_run),
        *further,
    ]
    blocked = worst(ruling.outcome for ruling in required)
    rulings: list[Ruling] = []
    states: dict[Waiver, State] = {}
    for resolved in policy.rules:
        ruling = _ruling(policy, resolved, audit, baseline)
        rule = resolved.rule
        states |= {waiver: waiver.state(ruling, facts, today) for waiver in terms.waiver if waiver.rule == rule.id}
        waiver = next((each for each, state in states.items() if each.rule == rule.id and state == "applied"), None)
        if waiver:
            ruling = replace(ruling, outcome="waived", sentence=f"{ruling.sentence} {waiver.words(ruling)}")
        if ruling.outcome == "pass" and blocked != "pass":
            unmet = next(each.id for each in required if each.outcome == blocked)
            words = f"{ruling.sentence} This is not a pass, because the requirement {unmet} is not met."
            ruling = replace(ruling, outcome=blocked, sentence=words)
        rulings.append(ruling)
    return Decision(
        policy={"name": policy.terms.name, "source": without_paths(policy.source), "sha256": policy.sha256},
        run={**_lineage(audit.run), "measured": {name: audit.settings.get(name) for name in MEASURED}},
        baseline=_lineage(baseline.run) if baseline else None,
        rulings=(*required, *rulings),
        waivers=tuple(
            WaiverUse(waiver.rule, waiver.name, waiver.reason, waiver.expires.isoformat(), states[waiver])
            for waiver in terms.waiver
        ),
        decided=today.isoformat(),
        code=code,
        not_checked=terms.pins.unchecked(facts),
    )


def _refuse_earlier_clock(facts: RunFacts, today: dt.date) -> None:
    """Refuse to decide on a day before the run was completed: waivers and ages would be judged by a wrong date."""
    if facts.finished is not None and today < facts.finished.date():
        raise RunError(
            f"The run was completed on {facts.finished.date()}, and the gate decides on {today}, which is earlier.",
            "a day on which the run was complete",
            "Set the clock of this machine or of the one that made the run, and run or gate again.",
        )


def _ruling(policy: Policy, resolved: ResolvedRule, audit: Audit, baseline: Baseline | None) -> Ruling:
    rule = resolved.rule
    if rule.kind == "non_inferiority":
        if baseline is None:
            raise PlanError(
                f"The rule {rule.id} of {policy.source} compares the run with a baseline, but none is given.",
                next_step="Give a baseline: audit gate RUN --baseline RUN.",
            )
        figures = _changes(resolved, audit, baseline)
    else:
        figures = _figures(resolved, audit)
        headline = figures[0][2]
        if rule.figure is None and headline is not None:  # which may be another judged figure than the check's first
            resolved = ResolvedRule.of(rule, resolved.check, headline.name)
    judged = tuple(
        with_missing_faces(_figure_ruling(resolved, name, group, figure, audit), resolved, audit)
        for name, group, figure in figures
    )
    outcome = worst(item.outcome for item in judged)
    deciding = max((item for item in judged if item.outcome == outcome), key=lambda item: reach(item, resolved.side))
    return Ruling(
        rule.id,
        rule.check,
        rule.kind,
        outcome,
        _sentence(resolved, deciding, judged),
        policy.line(rule.id),
        deciding.figure,
        deciding.estimate,
        resolved.side,
        resolved.bound,
        judged,
        group=deciding.group,
        by=rule.by,
        required=resolved.required(deciding.estimate),
    )


def _figure_ruling(resolved: ResolvedRule, name: str, group: str, figure: Figure | None, audit: Audit) -> FigureRuling:
    """One figure against the rule's bound: a pass needs its own interval within it, and enough speakers."""
    if figure is None:
        by, named = resolved.rule.by, isinstance(resolved.rule.groups, tuple)
        no_group = absent_group(group, known_groups(audit, by), by) if named else ""
        return FigureRuling(name, group, None, "inconclusive", no_group or why_absent(resolved.rule, name))
    outcome, reason = resolved.outcome(figure)
    return FigureRuling(name, group, figure, outcome, typeset(reason))


def _figures(resolved: ResolvedRule, audit: Audit) -> list[NamedFigure]:
    """The figures of an absolute rule at its confidence."""
    rule = resolved.rule
    about = (rule.check, rule.by)
    finding = next((finding for finding in audit.findings if (finding.code, finding.grouping) == about), None)
    if finding is None:
        return [(rule.figure or rule.check, ALL, None)]
    keys = {key: figure for key, figure in finding.estimates.items() if figure.language == ALL or not rule.groups}
    groups = _groups(resolved, audit)
    if finding.estimate is None and rule.groups is None:
        groups = None  # a check that is not evaluable has no figures by group
    found: list[NamedFigure]
    if groups is not None:
        name, absent = rule.figure or resolved.judged.name, f".{rule.figure}" if rule.figure else ""
        named = [(key, figure.group, figure) for key, figure in keys.items() if figure.name == name]
        found = [next((item for item in named if item[1] == group), (group + absent, group, None)) for group in groups]
    elif rule.figure is None:
        key = next((key for key, figure in finding.estimates.items() if figure == finding.estimate), finding.code)
        found = [(key, finding.group, finding.estimate)]
    else:
        figure = finding.estimates.get(rule.figure)
        found = [(rule.figure, figure.group if figure else finding.group, figure)]
    if finding.estimates and rule.figure and not any(figure for _, _, figure in found):
        available = sorted(finding.estimates if groups is None else {figure.name for figure in keys.values()})
        if rule.figure not in available:
            raise PlanError(
                f"The rule {rule.id} names the figure {rule.figure!r}, which {rule.check} does not have in this run"
                + (did_you_mean(rule.figure, available, "; {}") or "."),
                ", ".join(available),
            )
    found = [(name, group, with_human_readings(rule, finding, figure)) for name, group, figure in found]
    for _, _, figure in found:
        if figure and rule.limit is not None and rule.limit > (largest := unit_of(figure.unit).largest):
            raise PlanError(
                f"The limit of rule {rule.id} is {rule.limit:g}, and {figure.name} is measured in {figure.unit}.",
                f"a limit in [0, {largest:g}]",
            )
    known = float(audit.settings["confidence"])  # type: ignore[arg-type]  # a JSON number
    if rule.confidence == known:
        return found
    return [(name, group, figure and _at(figure, rule.confidence, known)) for name, group, figure in found]


def _at(figure: Figure, confidence: float, known: float) -> Figure:
    """A figure at a confidence; one without a curve keeps its interval at the ``known`` one if that is wide enough."""
    if figure.curve is not None:
        return figure.at(confidence)
    if known >= confidence:
        return figure
    method = f"its interval is known at a confidence of {known:g} only, and the rule needs {confidence:g}"
    return replace(figure, low=None, high=None, method=method)


def _changes(resolved: ResolvedRule, audit: Audit, baseline: Baseline) -> list[NamedFigure]:
    """The changes from the baseline of a non-inferiority rule, simultaneous over groups."""
    rule, judged = resolved.rule, resolved.judged
    groups = _groups(resolved, audit)
    named = [(rule.check, ALL)] if groups is None else [(f"{rule.check}.{group}", group) for group in groups]
    found: list[NamedFigure] = []
    for name, group in named:
        figure, curve = None, baseline.changes_by(rule.by).get(name)
        if curve is not None:
            change = judged.figure(curve.together(len(named)), rule.confidence, 0.0, group=group)
            figure = replace(change, margin=None, harm=None)  # a change is judged by the rule's bound
        found.append((name, group, figure))
    return found


def _groups(resolved: ResolvedRule, audit: Audit) -> list[str] | None:
    """The groups of a rule; ``None`` for the figure itself."""
    return resolved.groups(known_groups(audit, resolved.rule.by))


def reach(judged: FigureRuling, side: Side) -> float:
    """How far a figure extends to the forbidden side: by its near end for a breach, otherwise by its far end.

    Infinite if it has no interval.
    """
    if judged.estimate is None or judged.estimate.interval is None:
        return float("inf")
    low, high = judged.estimate.interval
    if judged.outcome != "breach" and judged.estimate.alone is not None:
        low, high = judged.estimate.alone
    near, far = {"at_most": (low, high), "at_least": (-high, -low)}.get(side, (max(low, -high), max(high, -low)))
    return near if judged.outcome == "breach" else far


def _sentence(resolved: ResolvedRule, deciding: FigureRuling, judged: tuple[FigureRuling, ...]) -> str:
    rule = resolved.rule
    by = "" if rule.by == GROUP.name else f" by {rule.by}"
    what = deciding.figure if deciding.figure.startswith(rule.check) else f"{rule.check} {deciding.figure}"
    of = f" ({group_words(deciding.group)})" if deciding.group not in (ALL, deciding.figure) else ""
    required = resolved.required(deciding.estimate)
    if rule.kind == "non_inferiority":
        what += ", change from the baseline"
    counts = ""
    if len(judged) > 1:
        alike = [group_words(item.group) for item in judged if item.outcome == deciding.outcome]
        counts = f" {deciding.outcome.capitalize()} for {len(alike)} of {len(judged)} groups: {listing(alike)}."
    return f"{what}{by}{of}, required {required}: {deciding.reason}.{counts}"


def _lineage(run: Mapping[str, object]) -> dict[str, object]:
    """The facts that identify a run."""
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
        "plan_sha256": plan_digest(run),
        "code": run.get("code"),
        "seed": run.get("seed"),
    }
