"""Logging a measured run to MLflow: its identity as parameters, every estimate and interval as metrics.

The store is a tracking server, a database or a folder. Names have prefixes, by which MLflow's pages group them:
``S2F001/rendered/value``, ``cohort/digest``. Needs the extra ``mlflow``.

Only what is made to be passed on is sent (docs/guide/safety.md): the audit, and a report that is written for it. A
run's observations, pictures, plan and manifest stay where they are.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.core.errors import RunError
from audit.core.grouping import GROUP
from audit.reports.report.page import PAGE, write_report
from audit.runs.manifest import MANIFEST
from audit.runs.run import FACES, OBSERVATIONS, PLAN
from audit.runs.run_like import RunLike, folder_of

EXPERIMENT: Final = "speech2face-audit"
_STAYS: Final = (OBSERVATIONS, FACES, MANIFEST, PLAN)
"""What of a run's folder is not made to be passed on."""
STORE: Final = "sqlite:///mlflow.db"
"""The default store: that of MLflow itself, a database in the current folder."""
_NO_TELEMETRY: Final = "MLFLOW_DISABLE_TELEMETRY"
_CHOSEN: Final = "MLFLOW_TRACKING_URI"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+://?")
_REFUSED: Final = re.compile(r"[^\w.\- :]")
"""Characters that names in MLflow cannot have, and the slash, which separates their parts."""
_MOST: Final = {"metrics": 1000, "params": 100, "tags": 100}
"""The most items that MLflow takes in one request."""


def track(
    run: RunLike, *, store: str | Path | None = None, experiment: str = EXPERIMENT, files: Iterable[str | Path] = ()
) -> str:
    """Log a measured run to MLflow, with its audit.json and its report.

    The report is written for it, without ids, sign-offs and pictures of people who are not fictional, whatever the one
    in the run's folder shows.

    Parameters
    ----------
    run : Run, Audit or path
        A run with a folder that was measured.
    store : str or path, optional
        A tracking server (``http://...``), a database (``sqlite:///mlflow.db``) or a folder, as for MLflow's tracking
        URI. By default the value of ``MLFLOW_TRACKING_URI``, or else ``sqlite:///mlflow.db``.
    experiment : str
        MLflow's experiment, created if needed.
    files : iterable of path
        Further files to log: a decision of the gate, a comparison. Observations, pictures, plan and manifest of a run
        are refused.

    Returns
    -------
    str
        MLflow's id of the run. Its tags hold each check's outcome (``outcome/S2F001``), the digest of the run and
        whether the code had changes that were not committed.

    Raises
    ------
    RunError
        If the run was not measured, a file does not exist or is not made to be passed on, MLflow is not installed, or
        the store cannot be used.
    """
    folder = folder_of(run)
    found, further = Audit.read(folder), [Path(file) for file in files]
    if absent := [str(path) for path in further if not path.is_file()]:
        raise RunError(f"These files do not exist: {', '.join(absent)}.", "files that exist")
    if private := [str(path) for path in further if _stays(path)]:
        raise RunError(
            f"These files of a run are not made to be passed on: {', '.join(private)}.",
            "audit.json, reports, tables, charts, comparisons and decisions",
            "See docs/guide/safety.md.",
        )
    address = tracking_uri(store)
    if not address.startswith(("http:", "https:", "file:")) and find_spec("sqlalchemy") is None:
        raise RunError(
            f"The store {address} is a database, and the package sqlalchemy is not installed.",
            "a tracking server, or an environment with sqlalchemy, alembic and sqlparse",
            "pip install 'speech2face-audit[mlflow]', or --tracking-uri http://...",
        )
    with _reported(address):
        client = _client(address)
        known = client.get_experiment_by_name(experiment)
        where = client.create_experiment(experiment) if known is None else known.experiment_id
        name = f"{found.run['model']} on {_of(found, 'cohort').get('name')}"
        logged = client.create_run(where, run_name=name).info.run_id
        try:
            _log_all(client, logged, found)
            with tempfile.TemporaryDirectory() as place:
                found.write(place)
                write_report(found, place)
                for path in (Path(place, Audit.FILE), Path(place, PAGE), *further):
                    client.log_artifact(logged, str(path))
        except BaseException:
            client.set_terminated(logged, status="FAILED")
            raise
        client.set_terminated(logged)
    return str(logged)


def tracking_uri(store: str | Path | None = None) -> str:
    """MLflow's tracking URI of a store, see :func:`track`.

    Examples
    --------
    >>> tracking_uri("http://127.0.0.1:5000"), tracking_uri(Path("/data/mlruns"))
    ('http://127.0.0.1:5000', 'file:///data/mlruns')
    """
    chosen = str(store) if store is not None else os.environ.get(_CHOSEN) or STORE
    return chosen if _SCHEME.match(chosen) else Path(chosen).resolve().as_uri()


def viewing_step(address: str) -> str:
    """The command, or the address, that shows what was logged to a tracking URI."""
    if address.startswith(("http://", "https://")):
        return f"open {address}"
    view = f"mlflow ui --backend-store-uri {shlex.quote(address)}"
    allowed = "MLFLOW_ALLOW_FILE_STORE=true " if address.startswith("file:") else ""
    return f"{allowed}{view}" if find_spec("flask") else f"pip install mlflow && {allowed}{view}"


@contextmanager
def _reported(address: str) -> Iterator[None]:
    """Convert the errors of MLflow, and of packages that it lacks, to RunError."""
    os.environ.setdefault(_NO_TELEMETRY, "true")
    try:
        from mlflow.exceptions import MlflowException

        yield
    except ImportError as error:
        raise RunError(
            f"Tracking to {address} needs a package that is not installed: {error}.",
            "an environment with MLflow and, for a database, sqlalchemy, alembic and sqlparse",
            "pip install 'speech2face-audit[mlflow]'",
        ) from error
    except (MlflowException, OSError) as error:
        raise RunError(
            f"MLflow cannot use the store {address}: {next(iter(str(error).splitlines()), type(error).__name__)}",
            "a tracking server that answers, a database such as sqlite:///mlflow.db, or a folder that MLflow allows",
        ) from error


def _client(address: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=address)


def _stays(path: Path) -> bool:
    """Whether a file is, or lies in, a part of a run's folder that is not made to be passed on."""
    place = path.resolve()
    return any((above.parent / MANIFEST).is_file() and above.name in _STAYS for above in (place, *place.parents))


def _log_all(client: Any, logged: str, found: Audit) -> None:
    from mlflow.entities import Metric, Param, RunTag

    began = client.get_run(logged).info.start_time
    content: dict[str, list[Any]] = {
        "params": [Param(name, str(value)) for name, value in _parameters(found).items()],
        "tags": [RunTag(name, str(value)) for name, value in _tags(found).items()],
        "metrics": [Metric(name, value, began, 0) for name, value in _metrics(found).items()],
    }
    for kind, items in content.items():
        for start in range(0, len(items), _MOST[kind]):
            client.log_batch(logged, **{kind: items[start : start + _MOST[kind]]})


def _part(text: str) -> str:
    """A part of a name, without the characters that MLflow does not take.

    Examples
    --------
    >>> _part("asian|indian.portrait"), _part("S2F001 by accent x gender")
    ('asian or indian.portrait', 'S2F001 by accent x gender')
    """
    return _REFUSED.sub("_", text.replace("|", " or "))


def _of(found: Audit, key: str) -> Mapping[str, object]:
    """A part of what the audit says of its run."""
    part = found.run.get(key)
    return part if isinstance(part, Mapping) else {}


def _parameters(found: Audit) -> dict[str, object]:
    cohort, code = _of(found, "cohort"), _of(found, "code")
    return {
        "model/name": found.run["model"],
        "model/weights_sha256": found.run.get("weights_sha256"),
        "cohort/name": cohort.get("name"),
        "cohort/digest": cohort.get("digest"),
        "cohort/n_speakers": found.run["n_speakers"],
        "cohort/n_clips": found.run["n_clips"],
        "instrument/name": _of(found, "instrument").get("name"),
        "run/seed": found.run.get("seed"),
        "code/version": code.get("version"),
        "code/commit": code.get("commit"),
    }


def _name(finding: Finding) -> str:
    """The code of a finding, with its grouping if that is not ``group``."""
    return _part(finding.code if finding.grouping == GROUP.name else f"{finding.code} by {finding.grouping}")


def _metrics(found: Audit) -> dict[str, float]:
    return {
        f"{_name(finding)}/{_part(name)}/{bound}": float(value)
        for finding in found.findings
        for name, estimate in finding.estimates.items()
        for bound, value in (("value", estimate.value), ("low", estimate.low), ("high", estimate.high))
        if value is not None
    }


def _tags(found: Audit) -> dict[str, object]:
    outcomes = {f"outcome/{_name(finding)}": finding.outcome for finding in found.findings}
    return outcomes | {"run/digest": found.run["digest"], "code/dirty": _of(found, "code").get("dirty")}
