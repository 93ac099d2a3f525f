"""Seconds and memory of measuring a run with many clips, groups, genders and languages, without the report.

    python benchmarks/measuring.py [--speakers 150] [--clips 92]

A simulated run of 40 groups (race labels, and labels of two and three races), two genders and two languages; by default
6,000 speakers with 1,104,000 clips. Prints one line.
"""

from __future__ import annotations

import argparse
import resource
import time
from itertools import combinations

import audit
from audit.core.vocabulary import RACES

GROUPS = 40


def main() -> None:
    """Simulate, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", type=int, default=150, help="speakers of each group")
    parser.add_argument("--clips", type=int, default=92, help="clips of each speaker in each language")
    asked = parser.parse_args()
    labels = ["|".join(races) for size in (1, 2, 3) for races in combinations(RACES, size)]
    truth = {
        "groups": labels[:GROUPS],
        "speakers_per_group": asked.speakers,
        "clips_per_language": asked.clips,
        "languages": ["en", "zh"],
        "icc": 0.3,
    }
    run = audit.simulate(truth, seed=1)
    start = time.perf_counter()
    audit.measure(run)
    seconds, memory = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(run.observations):,} clips: {seconds:.1f} s, at most {memory:.2f} GB")


if __name__ == "__main__":
    main()
