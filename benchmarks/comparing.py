"""How often the intervals of paired changes contain the planted change: a Markdown table.

    python benchmarks/comparing.py [--runs 300]

Two models on the same simulated speakers, with independent random numbers, as if they had nothing in common.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np

import audit
from audit.comparisons import paired_changes
from audit.core.plan import MeasureSettings

ICC = 0.3
FIGURES = ("S2F001", "S2F002.asian", "S2F003.asian", "S2F004.asian", "S2F006.asian")
SAME = {"asian": {"en": {"white": 0.4}, "zh": {"white": 0.1}}, "white": {"en": {"black": 0.1}, "zh": {"black": 0.1}}}
TABLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": (
        {"rendered": SAME, "ceiling": {"asian": {"en": {"white": 0.1}, "zh": {"white": 0.1}}}},
        {"rendered": SAME, "ceiling": {"asian": {"en": {"white": 0.1}, "zh": {"white": 0.1}}}},
    ),
    "all": (
        {"rendered": SAME, "gender_right": {"asian": 0.7, "white": 0.9}, "missing": {"asian": 0.2, "white": 0.05}},
        {
            "rendered": SAME | {"asian": {"en": {"white": 0.1}, "zh": {"white": 0.1}}},
            "ceiling": {"asian": {"en": {"white": 0.2}, "zh": {"white": 0.2}}},
            "gender_right": {"asian": 0.9, "white": 0.9},
            "missing": {"asian": 0.05, "white": 0.05},
        },
    ),
}


def truth_of(table: dict[str, Any], figure: str) -> float:
    """The figure of one model, had it infinitely many speakers."""
    en, zh = (table["rendered"]["asian"][language]["white"] for language in ("en", "zh"))
    ceiling = table.get("ceiling", {}).get("asian", {"en": {"white": 0.0}})["en"]["white"]
    if figure == "S2F001":
        return float(en)
    if figure.startswith("S2F002"):  # clips of two languages are independent here, those of one agree with chance ICC
        within = (1 - ICC) * np.mean([2 * p * (1 - p) for p in (en, zh)])
        return float(en * (1 - zh) + zh * (1 - en) - within)
    if figure.startswith("S2F003"):
        return float((1 - ceiling) - (1 - (en + zh) / 2))
    given, sure = ("gender_right", 1.0) if figure.startswith("S2F004") else ("missing", 0.0)
    groups = table.get(given, {"asian": sure, "white": sure})
    return float(groups["asian"] - groups["white"])


def pair(first: dict[str, Any], second: dict[str, Any], speakers: int, seed: int) -> tuple[audit.Run, audit.Run]:
    """Two runs on the same speakers, the second with numbers of its own."""
    shape = {
        "groups": ["asian", "white"],
        "languages": ["en", "zh"],
        "speakers_per_group": speakers,
        "clips_per_language": 2,
        "icc": ICC,
        "icc_between_languages": 0.0,
    }
    a, b = (audit.simulate(shape | table, seed) for table in (first, second))
    drawn = audit.simulate(shape | second, seed + 1_000_000).observations
    made = [name for name in drawn.columns if name.startswith(("rendered", "ceiling")) or name == "status"]
    return a, replace(b, held=b.observations.assign(**{name: drawn[name] for name in made}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    settings = MeasureSettings()
    print("| changed | speakers | figure | true change | mean change | covered | above | below | width |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for changed, (first, second) in TABLES.items():
        for speakers in (10, 30, 100):
            found: dict[str, list[tuple[float, float, float]]] = {figure: [] for figure in FIGURES}
            for seed in range(runs):
                changes = paired_changes(*pair(first, second, speakers, seed), settings)
                for figure in FIGURES:
                    estimate = changes[figure].at(0.95)
                    if estimate.interval is not None and estimate.value is not None:
                        found[figure].append((estimate.value, *estimate.interval))
            for figure, rows in found.items():
                if not rows:
                    print(f"| {changed} | {speakers} | {figure} |" + " not estimable |" * 6, flush=True)
                    continue
                value, low, high = np.array(rows).T
                true = truth_of(second, figure) - truth_of(first, figure)
                above, below = np.mean(low > true + 1e-9), np.mean(high < true - 1e-9)
                cells = (
                    changed,
                    speakers,
                    figure,
                    f"{true:+.3f}",
                    f"{value.mean():+.3f}",
                    f"{100 * (1 - above - below):.1f}",
                    f"{100 * above:.1f}",
                    f"{100 * below:.1f}",
                    f"{(high - low).mean():.2f}",
                )
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
