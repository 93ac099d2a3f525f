"""The Ray engine: Ray Data distributes the parts to actors with a model and an instrument each.

Ray Data schedules the parts, applies backpressure, and restarts actors that die; each actor writes its parts to the
run's folder. ``RAY_ADDRESS`` names a cluster; without it, one is started on this machine, which listens on the loopback
address only. On a cluster, the run's folder, the cohort and the cache must be on shared storage.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from audit.core.errors import AuditError, RunError
from audit.runs.harness.observing import Counts
from audit.runs.harness.work import Done, Part, Parts, Work, Worker
from audit.runs.journal import Written

ADDRESS = "RAY_ADDRESS"
_NUMBER = "number of the part"


class PartActor:
    """A Ray actor with a worker; called with the rows of one part at a time."""

    def __init__(self, work: Work) -> None:
        self._worker = Worker(work)

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Process the part with these rows; returns one row about the result."""
        (number,) = rows[_NUMBER].unique()
        (done,) = self._worker.do([Part(int(number), rows.drop(columns=_NUMBER).reset_index(drop=True))])
        counted = {f"counts {name}": count for name, count in asdict(done.counts).items()}
        took = {f"seconds {name}": seconds for name, seconds in done.seconds.items()}
        written = {f"written {name}": value for name, value in done.written._asdict().items()}
        return pd.DataFrame([{"number": done.number, "clips": done.clips} | counted | took | written])


def on_ray(work: Work, parts: Parts, workers: int) -> Iterator[Done]:
    """Process the parts with ``workers`` actors on Ray.

    Raises
    ------
    RunError
        If Ray is not installed or cannot be reached, or a part fails.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise RunError(
            f"The engine ray needs Ray: {error}.", "an environment with it", "pip install 'speech2face-audit[ray]'"
        ) from error
    is_ours = not ray.is_initialized()
    done = 0
    try:
        if is_ours:
            if os.environ.get(ADDRESS):
                ray.init(log_to_driver=False, logging_level=logging.ERROR)
            else:
                _start_on_loopback(workers)
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        rows = [part.rows.assign(**{_NUMBER: np.int64(part.number)}) for part in parts]
        made = ray.data.from_pandas(rows).map_batches(
            PartActor,
            fn_constructor_args=(work,),
            batch_size=None,
            batch_format="pandas",
            compute=ray.data.ActorPoolStrategy(size=workers),
        )
        for row in made.iter_rows():
            yield _done(row)
            done += 1
    except (ray.exceptions.RayError, ConnectionError, TypeError) as error:
        raise _refusal(error, done, len(parts)) from error
    finally:
        if is_ours:
            ray.shutdown()


def _start_on_loopback(workers: int) -> None:
    """Start Ray on this machine so that its processes listen on the loopback address only.

    Ray replaces a given loopback address by the machine's address, unless it starts a single-machine cluster, as it
    does by default on Windows and macOS. It reads that setting when it is imported.

    Raises
    ------
    RunError
        If this version of Ray binds to another address.
    """
    import ray
    from ray._private import ray_constants

    name, before = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, ray_constants.ENABLE_RAY_CLUSTER
    given = os.environ.get(name)
    os.environ[name], ray_constants.ENABLE_RAY_CLUSTER = "0", False  # for child processes, and for this process
    try:
        ray.init(
            "local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
        )  # fmt: skip
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        if given is None:
            del os.environ[name]
        else:
            os.environ[name] = given
    found = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray's own
    if not ipaddress.ip_address(found).is_loopback:
        raise RunError(
            f"Ray {ray.__version__} would listen on {found}, which other machines may reach.",
            "a loopback address",
            f"Install ray 2.60, or name a cluster in {ADDRESS}.",
        )


def _done(row: dict[str, Any]) -> Done:
    def under(head: str) -> dict[str, Any]:
        return {name.removeprefix(head): value for name, value in row.items() if name.startswith(head)}

    facts = under("written ")
    written = Written(**facts | {name: int(facts[name]) for name in ("rows", "bytes")})
    return Done(int(row["number"]), int(row["clips"]), under("seconds "), Counts(**under("counts ")), written)


def _refusal(error: Exception, done: int, parts: int) -> AuditError:
    """The underlying error of this package if there is one, else Ray's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuditError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return RunError(
        f"Ray stopped after {done} of {parts} parts: {last}",
        f"a cluster named in {ADDRESS}, or this machine, and a model that cloudpickle can pickle",
        "Repeat the same command to resume.",
    )
