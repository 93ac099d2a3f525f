"""Imports generated messy tables of labels and counts what becomes of them.

    python benchmarks/messy_tables.py [N]

N (default 5000) tables differ in delimiter, quoting, encoding, line ends, headings and paths. A messy table must make
the same cohort as the plain one, or be refused. Takes about ten minutes; exits with 1 if a cohort differs or a
traceback occurs.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.field.messy_tables import Mess, download, messes, outcome, rows


def main(n: int) -> int:
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        root = download(Path(scratch) / "root")

        @settings(
            max_examples=n, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(rows(), messes())
        def one(table: list[dict[str, str]], mess: Mess) -> None:
            try:
                found = outcome(table, mess, root, Path(scratch))
            except Exception:  # noqa: BLE001  # counted
                found = "traceback"
                traceback.print_exc()
            counts[found] += 1
            if found in ("different", "traceback"):
                print(found, mess, table)

        one()
    for name in ("equal", "refused", "different", "traceback"):
        print(f"{name:<10}{counts[name]:>6}")
    return 1 if counts["different"] or counts["traceback"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
