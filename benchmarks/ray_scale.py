"""What a run on the Ray engine costs as the number of clips grows, for the engine alone.

    python -m benchmarks.ray_scale [--clips 10000 100000 1000000] [--workers 2] [--folder DIR] [--first]

A fake model and a fake instrument in two actors; every clip is decoded, no face is kept, and readings have no features.
First Ray alone: seconds to import it, to start it, and to the first row from actors that do nothing. Then, for each
number of clips and in a process of its own, seconds to the first part, to the last, and for closing the run; the time
of a clip between the first and the last part; the memory of the driver. The speed of a shared machine changes, so the
processor time of a clip is also given in units of a fixed piece of work that is timed during the run.

DIR keeps the cohorts for the next time. With ``--first`` a run is ended after its first part. A cluster in RAY_ADDRESS
is used, else one is started for each run. Prints Markdown; the details of each run, by tenths, go to standard error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import psutil

import audit
from audit.core.plan import EngineSettings, RunSettings
from benchmarks.scale import QuickInstrument, QuickModel, grown

SHOWN = {
    "first": ("first part, s", 1),
    "seconds": ("last part, s", 0),
    "closing": ("closing, s", 1),
    "ms_wall": ("ms a clip", 2),
    "ms_cpu": ("processor ms a clip", 2),
    "in_fixed": ("of the fixed work", 2),
    "ms_fixed": ("its ms", 2),
    "mb_first": ("driver at first part, MB", 0),
    "mb_last": ("at last, MB", 0),
}
FIRST = {"reading_cohort": ("reading the cohort, s", 1), "first": SHOWN["first"]}


class Watch(Thread):
    """Processor seconds and memory of this process and of all that it started, as they are seen twice a second.

    ``fixed`` has the processor milliseconds that a fixed piece of work took each time: the speed of the machine, which
    other guests of its host change.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.cpu: dict[int, float] = {}
        self.fixed: list[float] = []
        self.most_mb = 0.0
        self.ended = Event()
        self.start()

    def run(self) -> None:
        me = psutil.Process()
        while not self.ended.wait(0.5):
            for process in (me, *me.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    self.cpu[process.pid] = times.user + times.system
            self.most_mb = max(self.most_mb, memory_mb())
            before = time.thread_time()
            sum(number * number for number in range(20_000))
            self.fixed.append(1000 * (time.thread_time() - before))

    @property
    def seconds(self) -> float:
        return sum(self.cpu.values())


def memory_mb() -> float:
    """The memory of this process alone, without what it shares, such as Ray's object store, MB."""
    used = psutil.Process().memory_info()
    return float((used.rss - used.shared) / 1e6)


class FirstIsDone(Exception):
    """The first part is done, and the run is to end."""


def to_first(folder: Path, workers: int) -> dict[str, float]:
    """Seconds to read the cohort, and to the first part of a run."""
    began = time.monotonic()
    cohort = audit.Cohort.read(folder)
    read = first = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal first
        first = time.monotonic()
        raise FirstIsDone

    with suppress(FirstIsDone):
        run_of_fakes(cohort, folder / "run", workers, progress)
    return {"reading_cohort": read - began, "first": first - read}


def run_of_fakes(cohort: audit.Cohort, out: Path, workers: int, progress: Callable[[int, int], None]) -> None:
    audit.run(
        cohort,
        model=QuickModel(16),
        instrument=QuickInstrument(features=False),
        out=out,
        settings=RunSettings(keep_faces=False),
        engine=EngineSettings(name="ray", workers=workers, cache="none"),
        progress=progress,
    )


def measured(folder: Path, workers: int) -> dict[str, Any]:
    """A run of fakes on Ray; what the driver needs, and when the first part is done."""
    began = time.monotonic()
    cohort = audit.Cohort.read(folder)
    read = time.monotonic() - began
    watch, start, at = Watch(), time.monotonic(), list[tuple[float, int, float]]()
    cpu_first = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal cpu_first
        if not at:
            cpu_first = watch.seconds
            watch.fixed.clear()
        if not at or done >= total or done - at[-1][1] >= total / 100:
            at.append((time.monotonic() - start, done, memory_mb()))
            print(
                done, *(round(each, 1) for each in (at[-1][0], watch.seconds, at[-1][2])), file=sys.stderr, flush=True
            )

    run_of_fakes(cohort, folder / "run", workers, progress)
    ended = time.monotonic() - start
    (first, first_clips, at_first), (last, clips, at_last) = at[0], at[-1]
    tenths = [at[min(len(at) - 1, len(at) * tenth // 10)] for tenth in range(11)]
    after = max(1, clips - first_clips)
    ms_cpu, ms_fixed = 1000 * (watch.seconds - cpu_first) / after, float(np.mean(watch.fixed))
    return {
        "reading_cohort": read,
        "first": first,
        "seconds": last,
        "closing": ended - last,
        "ms_wall": 1000 * (last - first) / after,
        "ms_cpu": ms_cpu,
        "ms_fixed": ms_fixed,
        "in_fixed": ms_cpu / ms_fixed,
        "mb_first": at_first,
        "mb_last": at_last,
        "mb_most": watch.most_mb,
        "tenths": tenths,
    }


class Nothing:
    """What an actor does that does nothing."""

    def __call__(self, batch: Any) -> Any:
        return batch


def ray_alone(workers: int) -> dict[str, float]:
    """Seconds that Ray itself needs to the first row from actors that do nothing."""
    began = time.monotonic()
    import ray
    import ray.data

    from audit.runs.harness.ray_cluster import connected

    imported = time.monotonic()
    with connected(EngineSettings(name="ray", workers=workers)):
        started = time.monotonic()
        ray.data.DataContext.get_current().enable_progress_bars = False
        numbers = ray.data.range(1000, override_num_blocks=100)
        actors = ray.data.ActorPoolStrategy(size=workers)
        next(iter(numbers.map_batches(Nothing, batch_size=None, compute=actors).iter_rows()))
        first = time.monotonic()
    return {"import": imported - began, "start": started - imported, "first row": first - started}


def alone(*words: str) -> dict[str, Any]:
    """A job in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ray_scale", "--job", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-3000:])
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def compare(sizes: list[int], workers: int, folder: Path, only_first: bool) -> None:
    """Runs of these numbers of clips, one after the other."""
    shown = FIRST if only_first else SHOWN
    ray = alone("alone", str(workers))
    print(f"Ray alone: {', '.join(f'{name} {seconds:.1f} s' for name, seconds in ray.items())}.\n")
    print(
        f"| clips | {' | '.join(title for title, _ in shown.values())} |\n{'| ---: ' * (len(shown) + 1)}|", flush=True
    )
    for clips in sizes:
        if not (of := folder / f"clips-{clips}").is_dir():
            grown(clips, of)
        found = alone("first" if only_first else "run", str(workers), str(of))
        print(json.dumps(found), file=sys.stderr, flush=True)
        print(
            f"| {clips:,} | {' | '.join(f'{found[key]:.{digits}f}' for key, (_, digits) in shown.items())} |",
            flush=True,
        )
        shutil.rmtree(of / "run")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2, help="actors")
    parser.add_argument("--folder", type=Path, help="keeps the cohorts here")
    parser.add_argument("--first", action="store_true", help="end each run after its first part")
    parser.add_argument("--job", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        what, workers, *folder = asked.job
        of_run = to_first if what == "first" else measured
        print(json.dumps(of_run(Path(folder[0]), int(workers)) if folder else ray_alone(int(workers))))
        return
    with tempfile.TemporaryDirectory() as name:
        compare(asked.clips, asked.workers, asked.folder or Path(name), asked.first)


if __name__ == "__main__":
    main()
