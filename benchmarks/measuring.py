"""Processor time and memory of measuring a run with many clips, groups, genders and languages.

    python -m benchmarks.measuring [--rows 1100000] [--groups 40] [--by accent] [--memory 12] [--run FOLDER]

A simulated run of groups (race labels, and labels of two and three races), two genders and two languages, with 92 clips
of each speaker in each language. It is written part by part, so that it is never in memory whole. Then ``measure``
(with the report) and ``gate`` each run in their own process. Prints for each the processor time (user and system), the
elapsed time and the largest resident memory, and ends with 1 if that is more than ``--memory`` GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import audit
from audit.core.columns import schema
from audit.core.files import file_digest
from audit.core.vocabulary import RACES
from audit.runs.manifest import MANIFEST
from audit.runs.run import OBSERVATIONS, PLAN, part_files, part_path

CLIPS = 92
PER_PART = 110_000
VERBS = ("measure", "gate")


def write_run(folder: Path, rows: int, n_groups: int) -> None:
    """Write a run of about ``rows`` clips, each part of other speakers."""
    labels = ["|".join(races) for size in (1, 2, 3) for races in combinations(RACES, size)]
    speakers = max(1, round(min(rows, PER_PART) / (n_groups * 2 * CLIPS)))
    truth = {
        "groups": labels[:n_groups],
        "speakers_per_group": speakers,
        "clips_per_language": CLIPS,
        "languages": ["en", "zh"],
        "icc": 0.3,
        "missing": 0.02,
    }
    (folder / OBSERVATIONS).mkdir(parents=True)
    n_parts = max(1, round(rows / (n_groups * speakers * 2 * CLIPS)))
    fields = schema((), {"accent": pa.string()}, optional=False)
    for number in range(n_parts):
        run = audit.simulate(truth, seed=number)
        seen = run.observations
        names = {name: f"{number:04d}-" + seen[name].astype(str) for name in ("clip_id", "speaker_id")}
        accent = "accent " + (seen["age"].astype(int) % 5).astype(str)
        table = pa.Table.from_pandas(seen.assign(**names, accent=accent), fields, preserve_index=False)
        pq.write_table(table, part_path(folder, number), compression="zstd", store_schema=True)
    manifest = dict(run.manifest)
    sizes = {"n_speakers": n_parts * n_groups * speakers, "n_clips": n_parts * len(seen)}
    manifest["cohort"] = {**manifest["cohort"], **sizes}
    manifest["parts"] = {path.name: file_digest(path) for path in part_files(folder)}
    (folder / PLAN).write_text(str(manifest["plan"]), encoding="utf-8")
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def one(verb: str, folder: Path, by: list[str], memory: float) -> None:
    """Measure or gate a run in this process, and print what it took."""
    start = time.perf_counter()
    if verb == "gate":
        audit.gate(folder)
    else:
        audit.measure(folder, group_by=by).write_report(folder / "report")
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, most = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    print(f"{verb}: {cpu:.1f} s of a processor, {time.perf_counter() - start:.1f} s elapsed, at most {most:.2f} GB")
    if most > memory:  # a limit of the address space would also count what Arrow has freed and keeps
        sys.exit(f"{verb} used more than {memory:g} GB")


def main() -> None:
    """Write a run, then measure and gate it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_100_000, help="clips, about")
    parser.add_argument("--groups", type=int, default=40, help="groups")
    parser.add_argument("--by", action="append", default=[], help="a further grouping, such as accent (repeatable)")
    parser.add_argument("--memory", type=float, default=12, help="the most memory that a process may use, in GB")
    parser.add_argument("--run", type=Path, help="keep the run in this folder, and use it if it is there")
    parser.add_argument("--only", choices=VERBS, help="one verb only, in this process")
    asked = parser.parse_args()
    if asked.only:
        one(asked.only, asked.run, asked.by, asked.memory)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.run or Path(temporary) / "run"
        if not folder.exists():
            write_run(folder, asked.rows, asked.groups)
        print(f"{audit.Run.read(folder)!r}")
        for verb in VERBS:
            options = ["--run", str(folder), "--memory", str(asked.memory), *(f"--by={name}" for name in asked.by)]
            subprocess.run([sys.executable, "-m", "benchmarks.measuring", "--only", verb, *options], check=True)


if __name__ == "__main__":
    main()
