"""Gating: a run, held against a policy. It never trusts what was measured before: it measures again."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from audit.audits.audit import AUDIT, Audit, Table
from audit.audits.measure import identity, measure
from audit.audits.privacy.small_cells import SmallCells, suppressed
from audit.audits.tables.cohort import sources, statuses, strata
from audit.checks import margins_of, shipped
from audit.core.errors import PlanError, RunError
from audit.core.plan import MeasureSettings, Plan
from audit.core.provenance import code_version
from audit.release import Decision, Policy, decide
from audit.release.deciding import Baseline
from audit.release.suppressing import suppressed_decision
from audit.runs.run import PLAN, Run, part_files, read_manifest

FROM_PEOPLE = "prediction_powered"
"""The end of the name of a figure that rests on readings by people, whose file may be gone."""


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
    if isinstance(audited, Audit):
        if baseline is not None:
            raise PlanError("An audit cannot be compared with a baseline.", "a run, or its folder, and a baseline")
        return decide(chosen, _wide_enough(audited, chosen.confidence), today=day, code=code_version())
    run = _read(audited)
    settings, stored = _measured_before(run)
    known = margins_of(chosen.checks)
    margins = {key: margin for key, margin in settings.margins.items() if key in known}
    settings = settings.model_copy(update={"checks": chosen.terms.checks, "margins": margins})
    measured = _measured(run, settings, stored)
    compared = None if baseline is None else _baseline(run, settings, _read(baseline))
    decision = decide(chosen, measured, compared, today=day, code=code_version())
    return suppressed_decision(decision, _small(run, settings))


def _wide_enough(audit: Audit, confidence: float) -> Audit:
    """An audit whose intervals are as wide as the policy asks, and which has the tables that requirements read."""
    if absent := {"strata", "label_sources", "statuses"} - audit.tables.keys():
        raise PlanError(
            f"The audit has no table {', '.join(sorted(absent))}.", "an audit that was measured with tables"
        )
    given = float(audit.settings["confidence"])  # type: ignore[arg-type]  # a JSON number
    figures = [figure for finding in audit.findings for figure in finding.estimates.values()]
    if given < confidence - 1e-9 and any(figure.curve is None for figure in figures):
        raise PlanError(
            f"The audit's intervals have a confidence of {given:g}.",
            f"{confidence:g} or more, for the policy's alpha",
            "Give the run instead of its audit: it is then measured as the policy asks.",
        )
    return audit


def _measured(run: Run, settings: MeasureSettings, stored: Audit | None) -> Audit:
    """The run's audit, with the tables that a policy's requirements read.

    Raises
    ------
    RunError
        If ``stored``, what audit.json holds, is not what the run gives.
    """
    if run.observations.empty:
        return _nothing(run)
    # what is decided on is never suppressed
    audit = measure(run, settings=settings.model_copy(update={"suppress_below": 0}), with_tables=False)
    if stored is not None:
        _refuse_contradiction(stored, suppressed(audit, _small(run, settings)), run)
    return _with_cohort(audit)


def _small(run: Run, settings: MeasureSettings) -> SmallCells:
    return SmallCells.of(run.observations, settings.suppress_below)


def _with_cohort(audit: Audit) -> Audit:
    assert audit.scores is not None
    made = {"strata": strata, "label_sources": sources, "statuses": statuses}
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
    planned = planned.model_copy(update={"checks": ()})  # a gate starts nothing that a run's files name
    if not path.is_file():
        return planned, None
    stored = Audit.read(run.folder)
    if stored.run.get("digest") != run.digest:
        raise _changed(run, "run.digest")
    fields = MeasureSettings.model_fields.keys() - {"checks"}
    known = {name: value for name, value in stored.settings.items() if name in fields}
    try:
        return MeasureSettings.model_validate({**known, "human_readings": planned.human_readings}), stored
    except ValidationError as error:
        raise _changed(run, f"settings ({error.errors()[0]['msg']})") from error


def _changed(run: Run, what: str) -> RunError:
    return RunError(
        f"{run.folder}/{AUDIT} was changed, or made from something else or by another version: {what} is not "
        "what the run gives.",
        "an audit.json as audit measure writes it of this run",
        f"Measure again: audit measure {run.folder}.",
    )


def _refuse_contradiction(stored: Audit, measured: Audit, run: Run) -> None:
    """Refuse an audit.json that says otherwise than what was measured of the run just now."""
    people = "human_readings" in stored.run and "human_readings" not in measured.run
    skipped = {"human_readings", "notices"} if people else set()
    if stored.settings.get("suppress_below"):
        skipped |= {"notices"}  # which count what is suppressed in the tables too
    for name in sorted({*stored.run, *measured.run} - skipped):
        if stored.run.get(name) != json.loads(json.dumps(measured.run.get(name))):
            raise _changed(run, f"run.{name}")
    # both may hold third-party checks that the other does not: those are not compared
    codes = {finding.code for finding in measured.findings}
    own = {finding.code for finding in stored.findings} ^ codes
    if lacking := [check.code for check in shipped() if check.code in own]:
        raise _changed(run, f"the list of findings ({', '.join(lacking)})")
    of_all = {"p_adjusted", "reason"} if own else set()  # which also depend on all checks together
    by_code = {finding.code: finding for finding in measured.findings}
    for one in stored.findings:
        if one.code not in by_code:
            continue
        said, found = _plain(one.as_dict(), people), _plain(by_code[one.code].as_dict(), people)
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
