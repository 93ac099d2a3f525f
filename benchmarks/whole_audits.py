"""Verdicts of S2F003 in whole simulated audits of four groups, now and with another checkout.

    python benchmarks/whole_audits.py [--runs 300] [--checkout FORMER]

Own-group reads fall from the ceiling to the rendered faces of every group by the stated share, with two clips in each
of two languages and an intra-class correlation of 0.3. A fall of .10 is at the margin, where ``not_shown`` is wrong.
Prints the table of docs/validation/wrong-verdicts.md. One process, some five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import audit
from audit.audits.measure import measure

GROUPS = ("asian", "black", "indian", "white")
ROWS = ((0.02, 60), (0.02, 80), (0.10, 60), (0.10, 100))
"""The true fall and the number of speakers in a group."""


def truth(fall: float, speakers: int) -> dict[str, object]:
    other = {group: GROUPS[i - 1] for i, group in enumerate(GROUPS)}
    rendered = {group: {language: {other[group]: fall} for language in ("en", "zh")} for group in GROUPS}
    size = {"groups": GROUPS, "speakers_per_group": speakers, "clips_per_language": 2, "languages": ("en", "zh")}
    return {**size, "icc": 0.3, "rendered": rendered}


def shares(runs: int) -> list[dict[str, float]]:
    """Of each row, the share of audits with each outcome."""
    found = []
    for fall, speakers in ROWS:
        outcomes = [
            measure(audit.simulate(truth(fall, speakers), seed=seed), with_tables=False).finding("S2F003").outcome
            for seed in range(runs)
        ]
        found.append({name: outcomes.count(name) / runs for name in ("not_shown", "shown")})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--checkout", type=Path, help="a checkout of another version to compare with")
    parser.add_argument("--json", action="store_true", help="print the shares as JSON")
    given = parser.parse_args()
    now, former = shares(given.runs), None
    if given.json:
        print(json.dumps(now))
        return
    if given.checkout:
        command = [sys.executable, str(Path(__file__).resolve()), "--runs", str(given.runs), "--json"]
        paths = {**os.environ, "PYTHONPATH": str(given.checkout.resolve())}
        former = json.loads(subprocess.run(command, env=paths, check=True, capture_output=True, text=True).stdout)
    print("| true fall | speakers a group | not shown before | now | shown before | now |\n|" + " ---: |" * 6)
    for i, (fall, speakers) in enumerate(ROWS):
        pairs = [f"{each[i][name]:.3f}" if each else "" for name in ("not_shown", "shown") for each in (former, now)]
        print(f"| {fall:.2f} | {speakers} | {' | '.join(pairs)} |")


if __name__ == "__main__":
    main()
