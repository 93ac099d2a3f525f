"""Damaged files of every kind that audit reads, by the tens of thousands: refused in words or read, never a traceback.

    python benchmarks/fuzzing.py [--inputs 52000] [--seed 0] [--kind NAME] [--workers 2]

Each input is a valid file with flips, cuts, foreign pieces, extreme numbers or hostile values, made by its seed (see
tests/fuzzing.py). `refused`: an error of audit's own, or a status; `accepted`: read. A crash is anything else, a worker
that dies among it; an input that takes more than twenty seconds is a hang. The last kind goes through the command line,
where a crash is an exit code of 1 or a traceback. Exits with 1 where there was a crash or a hang.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fuzzing import KINDS, damaged, outcome
from tests.fuzzing_cli import COMMAND_LINE, through_the_command_line

AT_ONCE, LIMIT_S = 250, 20
COMMANDS = 600
"""So many inputs go through the command line, where each takes longest."""


@dataclass
class Tally:
    """What became of some inputs of a kind."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    told: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts += other.counts
        self.slowest = max(self.slowest, other.slowest)
        self.told += other.told


class Workers:
    """Processes that are kept from kind to kind, and begun anew where one died."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.renew()

    def renew(self) -> None:
        self.pool = ProcessPoolExecutor(self.number, mp_context=get_context("spawn"))


class Hung(BaseException):
    """An input took too long; no reader may catch it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=52_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first input of every kind")
    parser.add_argument("--kind", choices=[*KINDS, COMMAND_LINE])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    chosen = [given.kind] if given.kind else [*KINDS, COMMAND_LINE]
    share = -(-given.inputs // len([name for name in chosen if name != COMMAND_LINE] or [1]))
    print("| Kind | Inputs | Refused | Accepted | Crashes | Hangs | Slowest, ms |\n| --- " + "| ---: " * 6 + "|")
    whole, workers = Tally(), Workers(given.workers)
    for name in chosen:
        number = min(COMMANDS, given.inputs) if name == COMMAND_LINE else share
        found = fuzzed(name, given.seed, number, workers)
        print(row(name, found), flush=True)
        whole.add(found)
        for words in found.told[:20]:
            print(words, file=sys.stderr, flush=True)
    print(row("all", whole))
    sys.exit(bool(whole.counts["crash"] or whole.counts["hang"]))


def row(name: str, found: Tally) -> str:
    counts = [found.counts[key] for key in ("refused", "accepted", "crash", "hang")]
    return (
        f"| {name} | {found.counts.total():,} | " + " | ".join(f"{n:,}" for n in counts) + f" | {found.slowest:,.0f} |"
    )


def fuzzed(name: str, seed: int, number: int, workers: Workers) -> Tally:
    """Inputs of one kind; where a worker dies its inputs are tried again, a process for each."""
    whole = Tally()
    chunks = [(start, min(AT_ONCE, seed + number - start)) for start in range(seed, seed + number, AT_ONCE)]
    waiting = [(chunk, workers.pool.submit(some, name, *chunk)) for chunk in chunks]
    dead = []
    for chunk, future in waiting:
        try:
            whole.add(future.result())
        except BrokenProcessPool:
            dead.append(chunk)
    if dead:
        workers.renew()
    for each in (each for start, size in dead for each in range(start, start + size)):
        try:
            whole.add(workers.pool.submit(some, name, each, 1).result())
        except BrokenProcessPool:
            workers.renew()
            whole.add(Tally(Counter(crash=1), 0, [f"{name}, seed {each}: the process died or hung"]))
    return whole


def some(name: str, start: int, number: int) -> Tally:
    """Inputs of one kind in this process."""
    if not os.environ.get("FUZZING_SEEN"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders in C say what they think of damaged data
    warnings.simplefilter("ignore")
    found = Tally()

    def end(*_: object) -> None:
        raise Hung

    signal.signal(signal.SIGALRM, end)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(start, start + number):
            data = b"" if name == COMMAND_LINE else damaged(KINDS[name], seed)
            began = time.perf_counter()
            signal.alarm(LIMIT_S)
            faulthandler.dump_traceback_later(2 * LIMIT_S, exit=True)  # a decoder in C hears no signal
            try:
                if name == COMMAND_LINE:
                    what = through_the_command_line(seed, Path(folder))
                else:
                    what = outcome(KINDS[name], data, Path(folder))
            except Hung:
                what = "hang"
                found.told.append(f"{name}, seed {seed}: took more than {LIMIT_S} s")
            except Exception as error:  # noqa: BLE001  # any error is what is looked for
                what = "crash"
                where = traceback.extract_tb(error.__traceback__)
                own = [f"{Path(f.filename).name}:{f.lineno}" for f in where if "/audit/" in f.filename][-1:]
                found.told.append(f"{name}, seed {seed}: {type(error).__name__}: {str(error)[:200]} {own}")
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
            found.counts[what] += 1
            found.slowest = max(found.slowest, 1000 * (time.perf_counter() - began))
    return found


if __name__ == "__main__":
    main()
