"""Logging a measured run to an MLflow store: its identity as parameters, every estimate and interval as metrics.

The store is a folder; no server is needed. Needs the extra ``mlflow``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.core.errors import RunError
from audit.core.grouping import GROUP
from audit.runs.manifest import MANIFEST, read_manifest
from audit.runs.run import PLAN
from audit.runs.run_like import RunLike, folder_of

EXPERIMENT: Final = "speech2face-audit"
_ARTIFACTS: Final = (Audit.FILE, "report.html", PLAN, MANIFEST)
_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
"""Settings that turn off MLflow's telemetry and allow its file store."""


def track(
    run: RunLike, *, store: str | Path = "mlruns", experiment: str = EXPERIMENT, files: Iterable[str | Path] = ()
) -> str:
    """Log a measured run to an MLflow file store.

    Parameters
    ----------
    run : Run, Audit or path
        A run with a folder that was measured.
    store : path
        The store's folder, created if needed.
    experiment : str
        MLflow's experiment, created if needed.
    files : iterable of path
        Further files to log: a decision of the gate, a comparison.

    Returns
    -------
    str
        MLflow's id of the run. Its tags hold each check's outcome, the digest of the run and whether the code had
        changes that were not committed.

    Raises
    ------
    RunError
        If the run was not measured, a file does not exist, or MLflow is not installed.
    """
    folder = folder_of(run)
    found, manifest = Audit.read(folder), read_manifest(folder)
    kept = [folder / name for name in _ARTIFACTS if (folder / name).is_file()] + [Path(file) for file in files]
    if absent := [str(path) for path in kept if not path.is_file()]:
        raise RunError(f"These files do not exist: {', '.join(absent)}.", "files that exist")
    client = _client(Path(store))
    known = client.get_experiment_by_name(experiment)
    where = client.create_experiment(experiment) if known is None else known.experiment_id
    logged = client.create_run(where, run_name=f"{found.run['model']} on {manifest['cohort']['name']}").info.run_id
    for name, value in _parameters(found, manifest).items():
        client.log_param(logged, name, value)
    for name, value in _metrics(found).items():
        client.log_metric(logged, name, value)
    for name, value in _tags(found, manifest).items():
        client.set_tag(logged, name, value)
    for path in kept:
        client.log_artifact(logged, str(path))
    client.set_terminated(logged)
    return str(logged)


def _client(store: Path) -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise RunError(
            f"Tracking needs MLflow: {error}.", "an environment with MLflow", "pip install 'speech2face-audit[mlflow]'"
        ) from error
    return MlflowClient(tracking_uri=store.resolve().as_uri())


def _parameters(found: Audit, manifest: Mapping[str, Any]) -> dict[str, object]:
    cohort, code = manifest["cohort"], manifest.get("code", {})
    return {
        "model": found.run["model"],
        "weights_sha256": found.run.get("weights_sha256"),
        "cohort": cohort["name"],
        "cohort_digest": cohort["digest"],
        "instrument": manifest["instrument"]["name"],
        "n_speakers": found.run["n_speakers"],
        "n_clips": found.run["n_clips"],
        "seed": manifest["seed"],
        "code_version": code.get("version"),
        "code_commit": code.get("commit"),
    }


def _name(finding: Finding) -> str:
    """The code of a finding, with its grouping if that is not ``group``."""
    return finding.code if finding.grouping == GROUP.name else f"{finding.code} by {finding.grouping}"


def _metrics(found: Audit) -> dict[str, float]:
    return {
        f"{_name(finding)}.{name}.{bound}": float(value)
        for finding in found.findings
        for name, estimate in finding.estimates.items()
        for bound, value in (("value", estimate.value), ("low", estimate.low), ("high", estimate.high))
        if value is not None
    }


def _tags(found: Audit, manifest: Mapping[str, Any]) -> dict[str, object]:
    outcomes = {_name(finding): finding.outcome for finding in found.findings}
    return outcomes | {"run_digest": found.run["digest"], "code_dirty": manifest.get("code", {}).get("dirty")}
