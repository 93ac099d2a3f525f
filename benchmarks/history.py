"""How often a history of five releases has a marked change, without and with a planted one: a Markdown table.

    python benchmarks/history.py [--series 100] [--planted 25] [--speakers 40]

All releases have the same simulated speakers and independent random numbers, as if the models had nothing in common:
the most noise that a release can have. The planted change is in the share of faces of one group that are read as white,
from the third release on.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import audit
from audit.checks import shipped
from audit.comparisons.compare import shared_evidence
from audit.core.plan import MeasureSettings
from audit.series.measuring import Link, Tested, tested_changes

RELEASES = 5
CHANGED = 2
SHAPE: dict[str, Any] = {
    "groups": ["asian", "white"],
    "languages": ["en", "zh"],
    "clips_per_language": 2,
    "icc": 0.3,
    "missing": 0.05,
    "gender_right": {"asian": 0.8, "white": 0.9},
}


def release(speakers: int, share: float, seed: int, number: int) -> audit.Run:
    """A release in which a share of the faces of asian speakers is read as white."""
    read = {"asian": {"en": {"white": share}, "zh": {"white": share}}, "white": {"en": {"black": 0.1}}}
    shape = SHAPE | {"speakers_per_group": speakers, "rendered": read}
    first, drawn = (audit.simulate(shape, seed=each) for each in (seed, 1_000_003 * (number + 1) + seed))
    own = drawn.observations
    made = [name for name in own.columns if name.startswith("rendered") or name == "status"]
    return replace(first, held=first.observations.assign(**{name: own[name] for name in made}))


def series(speakers: int, shares: Sequence[float], seed: int) -> list[Tested]:
    """The tested changes of the history of releases with these shares."""
    settings, places = MeasureSettings(), range(len(shares))
    found = shared_evidence([release(speakers, share, seed, i) for i, share in enumerate(shares)], settings)
    links = [*itertools.starmap(Link, itertools.pairwise(places)), Link(0, len(shares) - 1, overall=True)]
    return tested_changes(dict(enumerate(found)), [str(i) for i in places], links, shipped(), settings)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100, help="series without a change")
    parser.add_argument("--planted", type=int, default=25, help="series with each planted change")
    parser.add_argument("--speakers", type=int, default=40, help="speakers of each of the two groups")
    given, began = parser.parse_args(), time.process_time()
    print(
        "| planted | series | tested changes | any marked, % | S2F001 at its step, % | at a step without a change, % |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for change in (0.0, 0.2, 0.3):
        shares = [0.2] * CHANGED + [0.2 + change] * (RELEASES - CHANGED)
        rows = []
        for seed in range(given.planted if change else given.series):
            made = series(given.speakers, shares, seed)
            marked = [each for each in made if each.mark]
            real = [each.link.overall or each.link.after == CHANGED for each in marked]
            head = any(each.change.figure == "S2F001" and each.link.after == CHANGED for each in marked)
            rows.append((sum(each.change.p_value is not None for each in made), bool(marked), head, not all(real)))
        tests, any_marked, found, other = 100 * np.array(rows, np.float64).mean(axis=0)
        cells = (f"{100 * change:+.0f} points", len(rows), f"{tests / 100:.0f}", f"{any_marked:.1f}")
        print("| " + " | ".join(map(str, (*cells, f"{found:.1f}", f"{other:.1f}"))) + " |", flush=True)
    print(f"\n{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
