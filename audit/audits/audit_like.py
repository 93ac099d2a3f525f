"""Audits as functions take them: an Audit, a Run, or the path of a run's folder."""

from __future__ import annotations

from pathlib import Path

from audit.audits.audit import Audit
from audit.audits.measure import measure
from audit.core.addresses import is_address, place
from audit.core.errors import RunError
from audit.core.plan import MeasureSettings, Plan
from audit.runs.run import PLAN, Run
from audit.runs.run_like import RunLike, as_run

AuditLike = Audit | RunLike
"""What a parameter that is documented as ``Audit, Run or path`` takes."""


def as_audit(given: AuditLike) -> Audit:
    """The audit that was given as an Audit, or as a run or its folder.

    The audit of a run is the audit.json in its folder. A run without one is measured, with the settings of its plan.

    Raises
    ------
    RunError
        If the folder has neither an audit.json nor a run, the audit.json is of another run, or the plan names
        third-party checks, metrics or tables: their code runs only where they are named by the caller.
    """
    if isinstance(given, Audit):
        return given
    if isinstance(given, str | Path) or is_address(given):
        folder: Path | None = place(given)
    else:
        given = as_run(given)
        folder = given.folder
    if folder is not None and (folder / Audit.FILE).is_file():
        found = Audit.read(folder)
        if isinstance(given, Run) and found.run["digest"] != given.digest:
            raise RunError(
                f"{folder / Audit.FILE} is of another run than the one in this folder.",
                "the audit.json of this run",
                f"Measure it again: audit measure {folder}.",
            )
        return found
    run = as_run(given)
    return measure(run, settings=_planned(run))


def _planned(run: Run) -> MeasureSettings:
    """The settings of a run's plan; the default ones without a plan."""
    if run.folder is None or not (run.folder / PLAN).is_file():
        return MeasureSettings()
    planned = Plan.read(run.folder / PLAN).measure
    if named := [*planned.checks, *planned.metrics, *planned.tables]:
        raise RunError(
            f"The run was not measured, and its plan names third-party code: {', '.join(named)}.",
            "a run that was measured, or an audit",
            "Measure it and name them yourself: audit.measure(run, checks=..., metrics=..., tables=...).",
        )
    return planned
