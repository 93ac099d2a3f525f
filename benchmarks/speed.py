"""What the statistics and a whole measure cost.

    python benchmarks/speed.py [--most 10000000]

prints the tables of docs/validation/speed.md as Markdown. One thread does everything, so the seconds are processor
seconds; each number is the smallest of several repetitions.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dataclasses
import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import audit
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import RACES, STAGES, ordered_groups
from audit.stats import cells

GROUPS = 40
RESAMPLES = 1000


def seconds(run: Callable[[], Any], repetitions: int) -> float:
    """The least processor time of some repetitions, those of processes that were started counted in."""

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    best = float("inf")
    for _ in range(repetitions):
        began = spent()
        run()
        best = min(best, spent() - began)
    return best


def clips(rows: int, seed: int = 0) -> pd.DataFrame:
    """Yes-or-no predictions of speakers of forty groups; five clips a speaker on average, unevenly."""
    rng = np.random.default_rng(seed)
    people = rows // 5
    speaker = rng.integers(0, people, rows)
    chance = rng.beta(2, 2, people)[speaker]
    truth, said = rng.random(rows) < 0.5, rng.random(rows) < chance
    return pd.DataFrame({"speaker_id": speaker, "group": speaker % GROUPS, "correct": (said == truth) * 1.0})


def run_of(rows: int, speakers: int, years: int) -> audit.Run:
    """A simulated run of so many clips: forty groups, two languages; ages misread by up to so many years."""
    names = ["|".join(some) for size in range(1, len(RACES) + 1) for some in itertools.combinations(RACES, size)]
    groups = ordered_groups(names[:GROUPS])
    each = {language: {"white": 0.2} for language in ("en", "zh")}
    truth = {
        "groups": groups,
        "speakers_per_group": speakers // GROUPS,
        "languages": ["en", "zh"],
        "clips_per_language": max(1, rows // (speakers // GROUPS * GROUPS * 2)),
        "icc": 0.3,
        "missing": 0.05,
        "gender_right": 0.9,
        "portrait": {group: {"white": 0.1} for group in groups},
        "ceiling": dict.fromkeys(groups, each),
        "rendered": {group: each | {"en": {"white": 0.4, "black": 0.05}} for group in groups},
    }
    run = audit.simulate(truth)
    if years:
        wrong = np.random.default_rng(0).normal(0, years, (3, len(run.observations)))
        ages = {f"{stage}_age": run.observations[f"{stage}_age"] + of for stage, of in zip(STAGES, wrong, strict=True)}
        run = dataclasses.replace(run, held=run.observations.assign(**ages))
    return run


def measured(rows: int, speakers: int, years: int) -> list[str]:
    """One row of the table of whole measures."""
    run = run_of(rows, speakers, years)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    settings = MeasureSettings(resamples=RESAMPLES)

    def measure(with_tables: bool) -> None:
        # a copy, so that its digest is made again
        audit.measure(dataclasses.replace(run), settings=settings, with_tables=with_tables)

    checks, whole = (
        seconds(lambda tables=tables: measure(tables), 1 if rows > 500_000 else 3) for tables in (False, True)
    )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        f"{len(run.observations):,}",
        f"{speakers:,}",
        "yes" if years else "no",
        f"{checks:.2f} s",
        f"{whole:.2f} s",
        f"{after / 2**20:.2f} GB",
        f"{before / 2**20:.2f} GB",
    ]


def of_rows(rows: int) -> list[str]:
    """One row of the table of cost against rows."""
    frame = clips(rows)
    repetitions = 5 if rows <= 100_000 else 2
    closed = seconds(lambda: cells(frame, ["group"], "correct"), repetitions)
    return [f"{rows:,}", f"{frame['speaker_id'].nunique():,}", f"{closed:.3f} s"]


def alone(part: str, *numbers: int) -> list[str]:
    """A row made in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--part", part, *(str(number) for number in numbers)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().split("\t")


def table(head: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + " ---: |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


PARTS: dict[str, Callable[..., list[str]]] = {"measure": measured, "rows": of_rows}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--part", nargs="+", default=[], help="one row, as the whole makes it")
    chosen = parser.parse_args()
    if chosen.part:
        print("\t".join(PARTS[chosen.part[0]](*map(int, chosen.part[1:]))))
        return
    print("### A whole measure: every check and table\n")
    sizes = [(1_000, 200, 5), (10_000, 1_000, 5), (100_000, 6_000, 5), (1_000_320, 62_520, 5), (1_000_320, 62_520, 0)]
    rows = [alone("measure", *size) for size in sizes if size[0] <= 1.001 * chosen.most]
    table(["rows", "speakers", "ages misread", "all checks", "with all tables", "most memory", "of it, before"], rows)
    print("### Cells of a frame\n")
    sizes_of = [size for size in (1_000, 10_000, 100_000, 1_000_000, 10_000_000) if size <= chosen.most]
    head = ["rows", "speakers", "`cells`, one metric"]
    table(head, [alone("rows", size) for size in sizes_of])
    load = [
        seconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), 5)
        for code in ("", "import audit")
    ]
    print(f"`import audit`: {load[1] - load[0]:.3f} s, Python's own start of {load[0]:.3f} s not counted.")
    print(f"{os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
