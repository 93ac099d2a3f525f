"""The local engine with several worker processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from audit.core.errors import RunError
from audit.runs.harness.work import Done, Part, Parts, Work, Worker

_AHEAD = 2
"""The number of parts that are queued for each worker."""

_worker: Worker | None = None


def in_processes(work: Work, parts: Parts, workers: int) -> Iterator[Done]:
    """Process the parts in worker processes, each with a copy of model and instrument.

    Raises
    ------
    RunError
        If model or instrument cannot be pickled, or a worker died.
    """
    try:
        sent = pickle.dumps(work)
    except Exception as error:  # a third-party model may raise anything when it is pickled
        raise RunError(
            f"{work.model.name} and {work.instrument.name} cannot be sent to worker processes: {error}.",
            "a model and an instrument that can be pickled",
            "Run in one process: --workers 1.",
        ) from error
    done = 0
    threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (sent, threads))
    upcoming = iter(parts)
    waiting: set[Future[Done]] = set()
    try:
        while True:
            while len(waiting) < workers * (1 + _AHEAD) and (part := next(upcoming, None)) is not None:
                waiting.add(pool.submit(_do, part))
            if not waiting:
                return
            made, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in made:
                yield one.result()
                done += 1
    except BrokenProcessPool as error:
        raise RunError(
            f"A worker process died (killed, or out of memory?) after {done} of {len(parts)} parts.",
            f"memory for {workers} models and instruments; in a script, audit.run under if __name__ == '__main__'",
            "Repeat the same command to resume, with fewer --workers if memory was short.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(sent: bytes, threads: int) -> None:
    global _worker  # noqa: PLW0603  # the one worker of this process: the pool hands its tasks no state
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Work = pickle.loads(sent)  # written by the parent process
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    _worker = Worker(work, threads)


def _end_with_parent() -> None:
    """Exit with the parent; otherwise a worker would wait forever if its parent is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(part: Part) -> Done:
    assert _worker is not None
    (done,) = _worker.do([part])
    return done
