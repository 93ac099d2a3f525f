"""Kill a run at random moments, start it again each time, and compare what it leaves with an unbroken run.

    python benchmarks/kills.py COHORT MODEL [--kills 10] [--part 8] [--seed 0]

Prints when each kill came and whether observations, part digests and audit.json are the same in the end.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import audit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort")
    parser.add_argument("model")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--part", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return study(asked, Path(folder))


def study(asked: argparse.Namespace, folder: Path) -> int:
    plan = folder / "plan.toml"
    cohort = Path(asked.cohort).resolve() if Path(asked.cohort).is_dir() else asked.cohort
    plan.write_text(f'[cohort]\npath = "{cohort}"\n[model]\nname = "{asked.model}"\n[run]\npart = {asked.part}\n')
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import audit; audit.instrument()"], check=True)
    started = time.monotonic() - start
    start = time.monotonic()
    subprocess.run(run(plan, folder / "unbroken"), check=True, capture_output=True)
    length = time.monotonic() - start
    print(f"unbroken: {length:.1f} s, of which starting {started:.1f} s")
    draw = random.Random(asked.seed)
    for kill in range(1, asked.kills + 1):
        process = subprocess.Popen(run(plan, folder / "broken"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        moment = started + draw.uniform(0, 2 * (length - started) / asked.kills)
        try:
            process.wait(timeout=moment)
            print(f"kill {kill}: the run had ended before {moment:.2f} s")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            parts = len(list((folder / "broken" / "observations").glob("part-*.parquet")))
            print(f"kill {kill}: after {moment:.2f} s, {parts} parts whole")
    subprocess.run(run(plan, folder / "broken"), check=True, capture_output=True)
    unbroken, broken = (audit.Run.read(folder / name) for name in ("unbroken", "broken"))
    same = {
        "observations": unbroken.observations.equals(broken.observations),
        "parts": unbroken.manifest["parts"] == broken.manifest["parts"],
        "audit.json": (folder / "unbroken/audit.json").read_bytes() == (folder / "broken/audit.json").read_bytes(),
    }
    print(f"{len(broken.observations)} observations; the same in the end: {same}")
    return 0 if all(same.values()) else 1


def run(plan: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "audit.cli", "run", str(plan), "-o", str(out)]


if __name__ == "__main__":
    raise SystemExit(main())
