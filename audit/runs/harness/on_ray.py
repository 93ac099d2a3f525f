"""The engine Ray: Ray Data hands the clip table's parts to actors that hold model and instrument.

Ray Data schedules the parts, holds back what the actors cannot take yet, and starts an actor anew if it dies; each
actor writes its parts to the run's folder as Parquet. ``RAY_ADDRESS`` names a cluster; without it, one is started on
this machine, which listens on the loopback address only. On a cluster the run's folder, the cohort and the cache must
lie on storage that every node sees.
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

ADDRESS = "RAY_ADDRESS"
_NUMBER = "number of the part"


class PartActor:
    """Holds a worker, and is given the rows of one part at a time."""

    def __init__(self, work: Work) -> None:
        self._worker = Worker(work)

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Do the part that these rows are; one row says what was done."""
        (number,) = rows[_NUMBER].unique()
        (done,) = self._worker.do([Part(int(number), rows.drop(columns=_NUMBER).reset_index(drop=True))])
        counted = {f"counts {name}": count for name, count in asdict(done.counts).items()}
        took = {f"seconds {name}": seconds for name, seconds in done.seconds.items()}
        return pd.DataFrame([{"number": done.number, "clips": done.clips} | counted | took])


def on_ray(work: Work, parts: Parts, workers: int) -> Iterator[Done]:
    """Do the parts by actors on Ray.

    Parameters
    ----------
    work : Work
        How.
    parts : Parts
        What.
    workers : int
        Actors.

    Raises
    ------
    RunError
        If Ray is not installed, cannot be reached, or a part could not be made.
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

    Ray replaces a loopback address that it is given by the machine's address, unless it starts a cluster of one
    machine, as it does by default on Windows and macOS. It reads that setting when it is imported.

    Raises
    ------
    RunError
        If this version of Ray binds to another address.
    """
    import ray
    from ray._private import ray_constants

    name, before = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, ray_constants.ENABLE_RAY_CLUSTER
    given = os.environ.get(name)
    os.environ[name], ray_constants.ENABLE_RAY_CLUSTER = "0", False  # for the processes that it starts, and here
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

    return Done(int(row["number"]), int(row["clips"]), under("seconds "), Counts(**under("counts ")))


def _refusal(error: Exception, done: int, parts: int) -> AuditError:
    """The cause that a user can mend, where there is one behind Ray's own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AuditError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return RunError(
        f"Ray stopped when {done} of {parts} parts were made: {last}",
        f"a cluster that {ADDRESS} names, or this machine, and a model that cloudpickle can write",
        "Give the same command again: it goes on where it stopped.",
    )
