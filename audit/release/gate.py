"""The gate: check a run against a policy. It never trusts earlier results and measures again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pydantic import ValidationError

from audit.audits.audit import Audit
from audit.audits.measure import identity, measure
from audit.audits.method import refuse_other_method
from audit.audits.privacy.small_cells import SmallCells
from audit.audits.privacy.suppressing import suppressed
from audit.audits.table import Table
from audit.audits.tables.groupings import group_sizes
from audit.audits.tables.label_sources import label_sources
from audit.audits.tables.statuses import statuses
from audit.audits.tables.strata import strata
from audit.audits.tables.your_files import your_files
from audit.checks import margins_of, shipped
from audit.checks.strata import Strata
from audit.core.addresses import is_address
from audit.core.document import SCHEMA_VERSION, Stored
from audit.core.errors import PlanError, RunError
from audit.core.front_matter import FrontMatter
from audit.core.grouping import GROUP
from audit.core.plan import MeasureSettings, Plan
from audit.core.provenance import code_version
from audit.release import Decision, Policy, decide
from audit.release.attestation.signers import Signer, signer
from audit.release.attestation.verifying import attestation_ruling, published_audit
from audit.release.deciding import Baseline
from audit.release.decision import Ruling
from audit.release.looks import decide_look
from audit.release.planning import with_plans
from audit.release.suppressing import suppressed_decision
from audit.runs.manifest import read_manifest
from audit.runs.run import PLAN, Run, part_files
from audit.runs.run_like import RunLike, as_run, folder_of

MADE: Final = {"strata": strata, "label_sources": label_sources, "statuses": statuses, "your_files": your_files}
"""The tables that a policy's requirements read."""
IN_EVERY_AUDIT: Final = frozenset(MADE) - {"your_files"}
"""Those that audits of earlier versions have too."""
THIRD_PARTY: Final = frozenset({"checks", "metrics", "tables"})
"""The settings that name third-party code."""
FROM_PEOPLE = "prediction_powered"
"""The suffix of figures that are based on human readings, whose file may be gone."""
_RUN_TEXT: Final = frozenset({"notices"})
_FINDING_TEXT: Final = frozenset({"title", "sentence", "reason", "would_change", "method"})
"""Keys of audit.json with display text, which may differ between versions of this package."""


def gate(
    audited: RunLike,
    *,
    policy: Policy | str | Path | None = None,
    baseline: RunLike | None = None,
    human_readings: str | Path | None = None,
    today: dt.date | None = None,
    plans: bool = False,
    require_attestation: str | Path | None = None,
    attestation: str | Path | None = None,
) -> Decision:
    """Check a run against a policy.

    Parameters
    ----------
    audited : Audit, Run or path
        The run. A run on disk is verified and measured again: its parts are checked against their digests, and its
        audit.json, if there is one, against the new measurement. An audit is used without verification; with a
        baseline or human readings its run is measured again.
    policy : Policy or path, optional
        The policy; by default the one that ships.
    baseline : Run, Audit or path, optional
        The baseline of non-inferiority rules: a run of the same cohort by the same instrument.
    human_readings : path, optional
        A filled labelling sheet, for rules with ``readings = "human"``; by default that of the run's plan.
    today : date, optional
        The date that waivers are checked against; by default today in UTC.
    plans : bool
        Whether to plan every inconclusive rule: the chance of each exit code, and the number of speakers that it
        needs. Takes some seconds of simulation.
    require_attestation : path or str, optional
        A trusted signer: a public key file, or ``ISSUER::IDENTITY`` for Sigstore. Unless it attested the run as it is
        now, the release is blocked (13). The policy may name one too; both are then required.
    attestation : path, optional
        The attestation; by default ``attestation.json`` in the run's folder.

    Returns
    -------
    Decision
        The decision, with the ``exit_code`` of the gate.

    Raises
    ------
    RunError
        If a run cannot be read or was changed, its audit.json was measured by another version of the method, or the
        baseline has another cohort or instrument.
    PlanError
        If the policy is invalid, or needs something that was not given.
    AuditError
        If the key of a trusted signer cannot be read.

    Notes
    -----
    If the policy has a ledger, the decision is appended to it.
    """
    chosen = policy if isinstance(policy, Policy) else Policy.default() if policy is None else Policy.read(policy)
    day = today or dt.datetime.now(dt.UTC).date()
    signers = _signers(chosen, require_attestation, attestation)
    if isinstance(audited, Audit) and baseline is None and human_readings is None and not signers:
        return _decided(chosen, _wide_enough(audited, chosen), None, day, plans=plans)
    run = read_verified(audited)
    settings, stored = settings_before(run)
    own = settings
    known = margins_of(chosen.checks)
    margins = {key: margin for key, margin in settings.margins.items() if key in known}
    group_by = tuple(dict.fromkeys((*settings.group_by, *chosen.groupings)))
    third_party = {"checks": chosen.terms.checks, "metrics": chosen.terms.metrics}
    settings = settings.model_copy(update=third_party | {"margins": margins, "group_by": group_by})
    if human_readings is not None:
        settings = settings.model_copy(update={"human_readings": str(human_readings)})
    measured = _measured(run, settings, stored, other_readings=human_readings is not None)
    compared = None if baseline is None else _baseline(run, settings, read_verified(baseline))
    small, further = _small(run, settings), []
    if signers:
        path, other = None if attestation is None else Path(attestation), compared.run if compared else None
        further = [attestation_ruling(signers, path, run, published_audit(run, measured, own), other)]
    finished = partial(suppressed_decision, small=small)
    return _decided(chosen, measured, compared, day, finished, plans=plans, further=further)


def audit_anew(given: RunLike, human_readings: str | Path | None = None) -> tuple[Run, Audit]:
    """A run, and the findings that audit.json publishes of it, verified and measured anew by the run's own settings.

    Raises
    ------
    RunError
        As for :func:`gate`.
    """
    run = read_verified(given)
    own, stored = settings_before(run)
    known = margins_of(shipped())
    settings = own.model_copy(update={"margins": {key: own.margins[key] for key in own.margins if key in known}})
    if human_readings is not None:
        settings = settings.model_copy(update={"human_readings": str(human_readings)})
    measured = _measured(run, settings, stored, other_readings=human_readings is not None)
    return run, published_audit(run, measured, own)


def _signers(policy: Policy, required: str | Path | None, attestation: str | Path | None) -> list[Signer]:
    """The signers that must have attested the run: that of the policy, and that of the option."""
    named = [] if policy.terms.data.attestation is None else [signer(policy.terms.data.attestation, policy.folder)]
    if required is not None:
        named.append(signer(required))
    if attestation is not None and not named:
        raise PlanError(
            f"The attestation {attestation} was given, and nothing says who must have signed it.",
            "require_attestation, or data.attestation in the policy",
        )
    return named


def _decided(
    policy: Policy,
    audit: Audit,
    baseline: Baseline | None,
    day: dt.date,
    shared: Callable[[Decision], Decision] = lambda decision: decision,
    *,
    plans: bool,
    further: Sequence[Ruling] = (),
) -> Decision:
    """The decision, as a look at the candidate if the policy has a ledger."""

    def finished(decision: Decision, policy: Policy) -> Decision:
        return shared(with_plans(decision, policy, audit) if plans else decision)

    code = code_version()
    further = [replace(ruling, line=policy.line(ruling.id)) for ruling in further]
    if policy.terms.ledger is None:
        return finished(decide(policy, audit, baseline, today=day, code=code, further=further), policy)
    ledger = policy.terms.ledger
    return decide_look(policy, ledger, audit, baseline, today=day, code=code, finished=finished, further=further)


def _wide_enough(audit: Audit, policy: Policy) -> Audit:
    """Refuse an audit with intervals narrower than the policy requires, or without the tables that it needs."""
    if absent := IN_EVERY_AUDIT - audit.tables.keys():
        raise PlanError(
            f"The audit has no table {', '.join(sorted(absent))}.", "an audit that was measured with tables"
        )
    figures = [figure for finding in audit.findings for figure in finding.estimates.values()]
    if any(not figure.unit for figure in figures):
        raise PlanError(
            "The audit was written by an earlier version: it does not say which group a figure is about.",
            f"an audit.json of schema {SCHEMA_VERSION}, or the run",
            "Give the run instead of its audit, or measure it again: audit measure RUN.",
        )
    refuse_other_method(audit.method_version, "The audit")
    given, confidence = float(audit.settings["confidence"]), policy.confidence  # type: ignore[arg-type]  # a JSON number
    if policy.terms.ledger is not None and all(figure.curve is None for figure in figures):
        raise PlanError(
            "The policy has a ledger, so rules are decided at a share of their alpha, and the audit was read from a "
            f"file: it has its intervals at a confidence of {given:g} only.",
            "a run, or the audit that audit.measure returns",
            "Give the run instead of its audit.",
        )
    if given < confidence - 1e-9 and any(figure.curve is None for figure in figures):
        raise PlanError(
            f"The audit's intervals have a confidence of {given:g}.",
            f"{confidence:g} or more, by the policy's alpha",
            "Give the run instead of its audit: it is then measured at the policy's confidence.",
        )
    return audit


def _measured(run: Run, settings: MeasureSettings, stored: Stored | None, *, other_readings: bool) -> Audit:
    """The run's audit, with the tables that a policy's requirements read; refused if audit.json differs from it."""
    if run.coded.empty:
        return _nothing(run)
    # decisions are based on unsuppressed figures, and need worst cells only to compare them with those of audit.json
    unused = {} if stored is not None else {"intersect": ()}
    settings_used = settings.model_copy(update={"suppress_below": 0, **unused})
    audit = measure(run, settings=settings_used, with_tables=False, front_matter=FrontMatter())
    if stored is not None:
        _refuse_contradiction(stored, suppressed(audit, _small(run, settings)), run, other_readings)
    return _with_cohort(audit, settings)


def _small(run: Run, settings: MeasureSettings) -> SmallCells:
    return SmallCells.of(run.coded, settings)


def _with_cohort(audit: Audit, settings: MeasureSettings) -> Audit:
    scores = audit.scores
    assert scores is not None
    tables = {name: Table(name, "", make(scores)) for name, make in MADE.items()}
    by = group_sizes(Strata(scores), settings.groupings)
    return replace(audit, tables={**tables, "groupings": Table("groupings", "", by)})


def _nothing(run: Run) -> Audit:
    """The audit of a run without observations: no findings, and not complete."""
    columns = ("group", "language", "gender", "field", "source", "file", "status", "damage", "n_speakers", "n_clips")
    return Audit(identity(run), {}, (), {name: Table(name, "", pd.DataFrame(columns=[*columns])) for name in MADE})


def read_verified(given: RunLike) -> Run:
    """Read a run and verify its parts; a run without parts has no observations."""
    run = None if isinstance(given, str | Path) or is_address(given) else as_run(given)
    if run is not None and run.folder is None:
        return run
    folder = folder_of(given if run is None else run)
    manifest = read_manifest(folder)
    if not part_files(folder):
        return Run(pd.DataFrame({"clip_id": [], "speaker_id": []}), manifest, folder)
    return Run.read(folder)


def settings_before(run: Run) -> tuple[MeasureSettings, Stored | None]:
    """The settings to measure a run with, and its audit.json where there is one.

    The settings come from audit.json, otherwise from the plan; the file of human readings only from the plan.
    """
    if run.folder is None or run.coded.empty:
        return MeasureSettings(), None
    planned = Plan.read(run.folder / PLAN).measure if (run.folder / PLAN).is_file() else MeasureSettings()
    # a gate runs no code that a run's files name
    planned = planned.model_copy(update=dict.fromkeys(THIRD_PARTY, ()))
    if not (run.folder / Audit.FILE).is_file():
        return planned, None
    stored = Audit.read_stored(run.folder)
    refuse_other_method(stored.content.get("method_version"), f"{run.folder}/{Audit.FILE}", str(run.folder))
    if stored.content["run"]["digest"] != run.digest:
        raise _changed(run, "run.digest")
    fields = MeasureSettings.model_fields.keys() - THIRD_PARTY
    known = {name: value for name, value in stored.content["settings"].items() if name in fields}
    try:
        return MeasureSettings.model_validate({**known, "human_readings": planned.human_readings}), stored
    except ValidationError as error:
        raise _changed(run, f"settings ({error.errors()[0]['msg']})") from error


def _changed(run: Run, what: str) -> RunError:
    return RunError(
        f"{run.folder}/{Audit.FILE} was changed, or made from another run or by another version: {what} differs from "
        "what was measured now.",
        "the audit.json that audit measure writes for this run",
        f"Measure again: audit measure {run.folder}.",
    )


def _refuse_contradiction(stored: Stored, measured: Audit, run: Run, other_readings: bool) -> None:
    """Refuse an audit.json that differs from the new measurement of the run.

    With ``other_readings`` the measurement has human readings that audit.json need not have. An audit.json of another
    schema version is compared by the keys that it has, without display text. Third-party checks that only one of them
    has are not compared.
    """
    stored_content, found = stored.content, json.loads(json.dumps(measured.content()))
    other_version = stored.schema_version != SCHEMA_VERSION
    people = other_readings or ("human_readings" in stored_content["run"] and "human_readings" not in found["run"])
    skipped = {"human_readings", "notices"} if people else set()
    if stored_content["settings"].get("suppress_below"):
        skipped |= {"notices"}  # they also count what is suppressed in tables
    if other_version:
        found["run"] = _as_stored(found["run"], stored_content["run"], _RUN_TEXT)
    for name in sorted({*stored_content["run"], *found["run"]} - skipped):
        if stored_content["run"].get(name) != found["run"].get(name):
            raise _changed(run, f"run.{name}")
    before, now = (
        {(finding["code"], finding.get("grouping", GROUP.name)): finding for finding in each["findings"]}
        for each in (stored_content, found)
    )
    alone, shared = before.keys() ^ now.keys(), {by for _, by in before} & {by for _, by in now}
    of_package = {check.code for check in shipped()}
    if len(before) != len(stored_content["findings"]) or any(code in of_package and by in shared for code, by in alone):
        raise _changed(run, "the list of findings")
    of_all = {"p_adjusted", "reason"} if alone else set()  # they depend on all checks
    for about in before.keys() & now.keys():
        one, other = before[about], now[about]
        mine, anew = (_without_people(one), _without_people(other)) if people else (one, other)
        if other_version:
            anew = _as_stored(anew, mine, _FINDING_TEXT)
        for name in [*anew, *(mine.keys() - anew.keys())]:
            if name not in of_all and mine.get(name) != anew.get(name):
                raise _changed(run, f"{name} of {' by '.join(about)}")


def _as_stored(found: Any, stored: Any, text: frozenset[str]) -> Any:
    """The measurement, restricted to the stored keys and with the stored display text."""
    if not (isinstance(found, dict) and isinstance(stored, dict)):
        return found
    return {
        key: stored[key] if key in text else _as_stored(value, stored[key], text)
        for key, value in found.items()
        if key in stored
    }


def _without_people(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding without the figures that are based on human readings."""
    kept = {name: item for name, item in finding["estimates"].items() if FROM_PEOPLE not in name}
    return finding | {"estimates": kept}


def _baseline(run: Run, settings: MeasureSettings, other: Run) -> Baseline:
    """The baseline and every paired change from it; refused if it has another cohort or instrument."""
    before, now = other.manifest, run.manifest
    for what, same in (
        ("cohort", before["cohort"]["digest"] == now["cohort"]["digest"]),
        ("instrument", before["instrument"] == now["instrument"]),
    ):
        if not same:
            raise RunError(
                f"The baseline has a different {what} from the run: {before[what]['name']} instead of "
                f"{now[what]['name']}, by their digests and weights.",
                "a run of the same cohort by the same instrument",
                "Run both models over one cohort with one instrument.",
            )
    settings_before(other)
    from audit.comparisons import paired_changes

    whole = run.complete and other.complete and not (run.coded.empty or other.coded.empty)
    if not whole:
        return Baseline(identity(other), {})
    changes = {each.name: paired_changes(other, run, settings, grouping=each) for each in settings.groupings}
    return Baseline(identity(other), changes.pop(GROUP.name), changes)
