"""The Ray engine: Ray Data distributes the parts to actors with a model and an instrument each.

The table of clips lies in Ray's object store, in slices of several parts. What flows through Ray Data are the numbers
of parts: each actor takes the rows of its part from the slice, which it shares with the other actors of its machine,
and writes the part to the run's folder. Ray Data limits the parts on their way, restarts actors that die, and repeats
their parts. On a cluster, the run's folder, the cohort and the cache must be on storage that every node can access.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from audit.core.addresses import is_address
from audit.core.errors import AuditError, RunError
from audit.core.plan import EngineSettings
from audit.runs.harness.cache import nodes_may_share
from audit.runs.harness.ray_cluster import ADDRESS, CPUS, alive_nodes, connected, ray_errors
from audit.runs.harness.work import NUMBER, Done, Part, Parts, Work, Worker

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.data import Dataset, Datasource

SLICE: Final = 16_384
"""About the number of clips in a slice of the table."""
AHEAD: Final = 2
"""The most tasks of an actor on their way: the one that it works at, and the next."""
TOGETHER: Final = 4
"""The most parts of a task. While one is rendered, the next is decoded."""
TASKS_EACH: Final = 16
"""The fewest tasks of an actor, before a task has several parts, so that all actors end at about the same time."""
RESTARTS: Final = 16
"""How often an actor is restarted, also elsewhere: a part that ends every actor must not be tried for ever."""
_DONE: Final = "done"


class Slices:
    """The table of clips in Ray's object store, in slices of several parts; holds the references only."""

    def __init__(self, parts: Parts) -> None:
        import ray

        self._of: dict[int, ObjectRef[pa.Table]] = {}
        for numbers in parts.in_slices(SLICE):
            self._of |= dict.fromkeys(numbers, ray.put(parts.in_arrow(numbers)))

    def part(self, number: int) -> Part:
        """The part with this number, from a slice that all actors of a machine share."""
        import ray

        table = ray.get(self._of[number])
        return Part(number, table.filter(pc.equal(table[NUMBER], number)).drop_columns(NUMBER).to_pandas())


class PartActor:
    """A Ray actor with a worker; ``work`` is a reference to what it is to do."""

    def __init__(self, work: ObjectRef[Work], slices: Slices) -> None:
        import ray

        self._worker = Worker(ray.get(work))
        self._slices = slices

    def __call__(self, batch: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Process the parts with these numbers; yields one row about each."""
        for done in self._worker.do(self._slices.part(int(number)) for number in batch[NUMBER]):
            yield pd.DataFrame({_DONE: [done]})


def on_ray(work: Work, parts: Parts, engine: EngineSettings) -> Iterator[Done]:
    """Process the parts with the actors that the engine's settings ask for.

    Raises
    ------
    RunError
        If Ray is not installed or cannot be reached, no node has what an actor claims, several nodes would share a
        cache that only one may use, or a part fails.
    """
    done = 0
    try:
        with connected(engine):
            _refuse_sqlite(work)
            for row in _made(work, parts, engine).iter_rows():
                yield row[_DONE]
                done += 1
    except ray_errors() as error:
        raise _refusal(error, done, len(parts)) from error


def _refuse_sqlite(work: Work) -> None:
    """Raise RunError if several nodes would share a cache whose database only one machine may use."""
    if work.cache is None or nodes_may_share(work.cache) or (nodes := len(alive_nodes())) < 2:
        return
    raise RunError(
        f"The cache {work.cache} is an SQLite database, and the Ray cluster has {nodes} nodes.",
        "no cache, one at an address, or a cluster of one node: SQLite loses answers on a network file system",
        "Run without a cache, --cache none, or with one of files: --cache file:///DIR or s3://BUCKET/DIR.",
    )


def _made(work: Work, parts: Parts, engine: EngineSettings) -> Dataset:
    """The rows that the actors return, as they come."""
    import ray
    import ray.data
    from ray.util.annotations import RayDeprecationWarning

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    there = replace(work, root=_everywhere(work.root), folder=_everywhere(work.folder))
    if there.cache is not None:
        there = replace(there, cache=_everywhere(there.cache))
    before = context.target_max_block_size
    context.target_max_block_size = 1  # every row is a block of its own, which is passed on at once
    try:
        with warnings.catch_warnings():
            # of max_restarts and max_task_retries, which Ray 2.64 will no longer take; pyproject.toml excludes it
            warnings.simplefilter("ignore", RayDeprecationWarning)
            return _dataset(there, parts, engine)
    finally:
        context.target_max_block_size = before  # a data set keeps a copy of the context


def _everywhere(path: Path) -> Path:
    """The path as actors name it, whose working directory is another one."""
    return path if is_address(path) else path.absolute()


def _dataset(work: Work, parts: Parts, engine: EngineSettings) -> Dataset:
    """The numbers of the parts, mapped by actors to a row about each."""
    import ray.data

    made: Dataset = ray.data.read_datasource(_numbers(parts.numbers), override_num_blocks=1, num_cpus=0).map_batches(
        PartActor,
        fn_constructor_args=(ray.put(work), Slices(parts)),
        batch_size=max(1, min(TOGETHER, len(parts) // (TASKS_EACH * engine.workers))),
        batch_format="pandas",
        compute=ray.data.ActorPoolStrategy(size=engine.workers, max_tasks_in_flight_per_actor=AHEAD),
        num_cpus=engine.num_cpus or CPUS,
        num_gpus=engine.num_gpus or None,
        max_restarts=RESTARTS,
        max_task_retries=-1,  # as long as there is an actor; those on a lost node fail until Ray has noticed
    )
    return made


def _numbers(numbers: Sequence[int]) -> Datasource:
    """A source of Ray Data that is read in a task: the numbers of parts."""
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    class Numbers(Datasource):
        def estimate_inmemory_data_size(self) -> int:
            return 8 * len(numbers)

        def get_read_tasks(self, parallelism: int, *_: object, **__: object) -> list[ReadTask]:
            table = pa.table({NUMBER: pa.array(numbers, pa.int64())})
            known = BlockMetadata(len(numbers), table.nbytes, None, None)
            return [ReadTask(lambda: [table], known, table.schema)]

    return Numbers()  # type: ignore[no-untyped-call]  # Ray's own


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
