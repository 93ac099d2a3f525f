"""Gating: a run, held against a policy. It never trusts what was measured before: it measures again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from audit.audits.audit import AUDIT, Audit
from audit.audits.measure import identity, measure
from audit.audits.privacy.small_cells import SmallCells, suppressed
from audit.audits.table import Table
from audit.audits.tables.label_sources import label_sources
from audit.audits.tables.statuses import statuses
from audit.audits.tables.strata import strata
from audit.checks import CHECKS
from audit.core.errors import PlanError, RunError
from audit.core.plan import MeasureSettings, Plan
from audit.core.provenance import code_version
from audit.release import Decision, Policy, decide
from audit.release.deciding import Baseline
from audit.release.suppressing import suppressed_decision
from audit.runs.run import PLAN, Run, part_files, read_manifest

FROM_PEOPLE = "prediction_powered"
"""In the name of a figure that rests on readings by people, whose file may be gone."""


def gate(
    audited: Audit | Run | str | Path,
    *,
    policy: Policy | str | Path | None = None,
    baseline: Run | str | Path | None = None,
    today: dt.date | None = None,
) -> Decision:
    """Hold a run against a policy.

    Parameters
    ----------
    audited : Audit, Run or path
        What was audited. A run on disk is verified and measured again: its parts against their digests, and audit.json,
        where there is one, against what is measured. An audit is taken at its word.
    policy : Policy or path, optional
        The policy that ships, if left out.
    baseline : Run or path, optional
        The run that rules of non-inferiority compare with: of the same cohort, by the same instrument.
    today : date, optional
        On which waivers may have expired; today's, in UTC.

    Returns
    -------
    Decision
        Its ``exit_code`` is the gate's.

    Raises
    ------
    RunError
        If a run cannot be read, was changed afterwards, or the baseline is of something else.
    PlanError
        If the policy is wrong, or needs something that was not given.
    """
    chosen = policy if isinstance(policy, Policy) else Policy.default() if policy is None else Policy.read(policy)
    day = today or dt.datetime.now(dt.UTC).date()
    confidences = {rule.alpha: rule.confidence for rule in chosen.terms.rule}
    if isinstance(audited, Audit):
        if baseline is not None:
            raise PlanError("An audit cannot be compared with a baseline.", "a run, or its folder, and a baseline")
        audits = _taken(audited, confidences)
        return decide(chosen, audits, today=day, code=code_version())
    run = _read(audited)
    settings, told = _measured_before(run)
    audits = _measured(run, settings, confidences, told)
    held_against = None if baseline is None else _baseline(run, settings, _read(baseline))
    decision = decide(chosen, audits, held_against, today=day, code=code_version())
    return suppressed_decision(decision, _small(run, settings))


def _taken(audit: Audit, confidences: Mapping[float, float]) -> dict[float, Audit]:
    """An audit for each alpha: itself, where its intervals are wide enough and its tables are there."""
    if absent := {"strata", "label_sources", "statuses"} - audit.tables.keys():
        raise PlanError(
            f"The audit has no table {', '.join(sorted(absent))}.", "an audit that was measured with tables"
        )
    given = float(audit.settings["confidence"])  # type: ignore[arg-type]  # a JSON number
    if given < max(confidences.values()) - 1e-9:
        raise PlanError(
            f"The audit's intervals have a confidence of {given:g}.",
            f"{max(confidences.values()):g} or more, for the policy's alpha",
            "Give the run instead of its audit: it is then measured as the policy asks.",
        )
    return dict.fromkeys(sorted(confidences), audit)


def _measured(
    run: Run, settings: MeasureSettings, confidences: Mapping[float, float], told: Audit | None
) -> dict[float, Audit]:
    """The run's audit for each alpha, with the tables that a policy's requirements look at.

    Raises
    ------
    RunError
        If ``told``, what audit.json holds, is not what the run gives.
    """
    if run.observations.empty:
        return dict.fromkeys(sorted(confidences), _nothing(run))
    made: dict[float, Audit] = {}
    whole = settings.model_copy(update={"suppress_below": 0})  # what is decided on is never suppressed
    if told is not None:
        made[settings.confidence] = measure(run, settings=whole, with_tables=False)
        _refuse_contradiction(told, suppressed(made[settings.confidence], _small(run, settings)), run)
    for confidence in confidences.values():
        if confidence not in made:
            made[confidence] = measure(run, settings=whole, confidence=confidence, with_tables=False)
    return {alpha: _with_cohort(made[confidence]) for alpha, confidence in sorted(confidences.items())}


def _small(run: Run, settings: MeasureSettings) -> SmallCells:
    return SmallCells.of(run.observations, settings.suppress_below)


def _with_cohort(audit: Audit) -> Audit:
    assert audit.scores is not None
    made = {"strata": strata, "label_sources": label_sources, "statuses": statuses}
    tables = {name: Table(name, "", table(audit.scores)) for name, table in made.items()}
    return Audit(audit.run, audit.settings, audit.findings, tables)


def _nothing(run: Run) -> Audit:
    """The audit of a run in which nothing was observed yet: no finding, and not complete."""
    columns = ("group", "language", "gender", "field", "source", "status", "n_speakers", "n_clips")
    empty = pd.DataFrame({name: [] for name in columns})
    tables = {name: Table(name, "", empty) for name in ("strata", "label_sources", "statuses")}
    return Audit(identity(run), {}, (), tables)


def _read(given: Run | str | Path) -> Run:
    """A run whose parts are those that were written; one without any has no observations.

    Raises
    ------
    RunError
        If a part is missing, was changed or added.
    """
    if isinstance(given, Run) and given.folder is None:
        return given
    folder = given.folder if isinstance(given, Run) else Path(given)
    assert folder is not None
    manifest = read_manifest(folder)
    if not part_files(folder):
        return Run(pd.DataFrame({"clip_id": [], "speaker_id": []}), manifest, folder)
    return Run.read(folder)


def _measured_before(run: Run) -> tuple[MeasureSettings, Audit | None]:
    """How a run is to be measured, and its audit.json where there is one.

    As audit.json says that it was measured, else as the plan says; where readings by people lie is told by the plan
    alone.

    Raises
    ------
    RunError
        If audit.json was changed, or made from other observations.
    """
    if run.folder is None or run.observations.empty:
        return MeasureSettings(), None
    path = run.folder / AUDIT
    planned = Plan.read(run.folder / PLAN).measure if (run.folder / PLAN).is_file() else MeasureSettings()
    planned = planned.model_copy(update={"checks": (), "tables": ()})  # a gate starts nothing that a run's files name
    if not path.is_file():
        return planned, None
    told = Audit.read(run.folder)
    if told.run.get("digest") != run.digest:
        raise _changed(run, "run.digest")
    fields = MeasureSettings.model_fields.keys() - {"checks", "tables"}
    known = {name: value for name, value in told.settings.items() if name in fields}
    try:
        return MeasureSettings.model_validate({**known, "human_readings": planned.human_readings}), told
    except ValidationError as error:
        raise _changed(run, f"settings ({error.errors()[0]['msg']})") from error


def _changed(run: Run, what: str) -> RunError:
    return RunError(
        f"{run.folder}/{AUDIT} was changed, or made from something else or by another version: {what} is not "
        "what the run gives.",
        "an audit.json as audit measure writes it of this run",
        f"Measure again: audit measure {run.folder}.",
    )


def _refuse_contradiction(told: Audit, measured: Audit, run: Run) -> None:
    """Refuse an audit.json that says otherwise than what was measured of the run just now."""
    people = "human_readings" in told.run and "human_readings" not in measured.run
    skipped = {"human_readings", "notices"} if people else set()
    if told.settings.get("suppress_below"):
        skipped |= {"notices"}  # which count what is suppressed in the tables too
    for name in sorted({*told.run, *measured.run} - skipped):
        if told.run.get(name) != json.loads(json.dumps(measured.run.get(name))):
            raise _changed(run, f"run.{name}")
    # no policy has a rule for a check of somebody's own: those are neither made nor held against anything here
    own = bool(told.settings.get("checks"))
    findings = [finding for finding in told.findings if not own or finding.code in CHECKS]
    if [finding.code for finding in findings] != [finding.code for finding in measured.findings]:
        raise _changed(run, "the list of findings")
    of_all = {"p_adjusted", "reason"} if own else set()  # which also tell of all checks together
    for one, other in zip(findings, measured.findings, strict=True):
        said, found = _plain(one.as_dict(), people), _plain(other.as_dict(), people)
        if differing := [name for name, value in found.items() if name not in of_all and said.get(name) != value]:
            raise _changed(run, f"{differing[0]} of {one.code}")


def _plain(finding: dict[str, object], people: bool) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(finding))
    if people:
        plain["estimates"] = {name: item for name, item in plain["estimates"].items() if FROM_PEOPLE not in name}
    return plain


def _baseline(run: Run, settings: MeasureSettings, other: Run) -> Baseline:
    """The baseline and every paired change from it.

    Raises
    ------
    RunError
        If it is of another cohort, was read by another instrument, or has an audit.json of something else.
    """
    for what, key in (("cohort", "digest"), ("instrument", None)):
        mine, others = (one.manifest[what] if key is None else one.manifest[what][key] for one in (run, other))
        if mine != others:
            raise RunError(
                f"The baseline has another {what} than the run: {other.manifest[what]['name']}, against "
                f"{run.manifest[what]['name']}, by their digests and weights.",
                "a run of the same cohort by the same instrument",
                "Run both models over one cohort with one instrument.",
            )
    _measured_before(other)
    facts = identity(other)
    if not (run.complete and other.complete) or run.observations.empty or other.observations.empty:
        return Baseline(facts, {})
    from audit.comparisons import paired_changes

    return Baseline(facts, paired_changes(other, run, settings))
