"""How well audit.stats.misclassification takes a known misreading out of rates, and what a wrong assumption does to it.

Speakers of four classes have one calibration picture each, read by a known confusion: right with the given share, the
rest falls on all six reads, most on those next in order. The speakers of the first class are then heard in two clips;
what their faces show is drawn from a known mixture of the classes (intra-class correlation 0.3), and read by the same
confusion, or by another one (transfer failure): one that takes every fifth face for the second class, whatever it
shows. Every run goes through the code that audits run.

    python benchmarks/correction.py [--runs 400] [--seed 0]

prints the tables of docs/validation/correction.md as Markdown. One process, some ten minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

import numpy as np

from audit.stats import Misclassification, Settings
from audit.stats.rates import estimates
from audit.stats.speakers import speaker_sums

LABELS = tuple("abcdef")
CLASSES, CLIPS, ICC = 4, 2, 0.3
SPEAKERS, FAILING_SPEAKERS = (10, 20, 50, 200), (20, 200)
RIGHT = (0.95, 0.8, 0.6, 0.4)
MIXTURES = {"0.4, 0.6": (0.4, 0.6, 0, 0), "0.95, 0.05": (0.95, 0.05, 0, 0), "0, 1": (0, 1, 0, 0)}
TARGET = 1
SHIFT = 0.2


def confusion(right: float) -> np.ndarray:
    """Right reads with the given share; the others fall off with the distance in the order of labels."""
    rows = np.zeros((CLASSES, len(LABELS)))
    for i in range(CLASSES):
        off = np.array([0 if k == i else 1 / (1 + abs(i - k)) for k in range(len(LABELS))])
        rows[i] = (1 - right) * off / off.sum()
        rows[i, i] = right
    return rows


def shifted(rows: np.ndarray) -> np.ndarray:
    """The confusion of a classifier that takes some faces for the target, whatever they show."""
    return (1 - SHIFT) * rows + SHIFT * (np.arange(len(LABELS)) == TARGET)


def alike(rng: np.random.Generator, n: int) -> np.ndarray:
    """Uniform numbers of two clips a speaker, the same number with the probability of the intra-class correlation."""
    copied = rng.random((n, CLIPS)) < np.sqrt(ICC)
    return np.where(copied, rng.random((n, 1)), rng.random((n, CLIPS)))


def drawn(uniform: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """What uniform numbers read off cumulated chances, those of the last axis."""
    return (uniform[..., None] > np.cumsum(chances, axis=-1)[..., :-1]).sum(axis=-1)


def study(rng: np.random.Generator, n: int, right: float, mixture: tuple[float, ...], runs: int, fail: bool) -> dict:
    rows, truth, chances = confusion(right), np.repeat(np.arange(CLASSES), n), np.array(mixture)
    reading = shifted(rows) if fail else rows
    refused, conditions, raw, point, inside, inside_raw, width = 0, [], [], [], [], [], []
    for run in range(runs):
        settings = Settings(resamples=1000, seed=run)
        portraits = drawn(rng.random(len(truth)), rows[truth])
        shown = drawn(alike(rng, n), chances)
        read = drawn(alike(rng, n), reading[shown])
        known = Misclassification.of(truth, portraits, np.arange(len(truth)), LABELS, settings)
        speakers = np.repeat(np.arange(n), CLIPS)
        found = known.corrected(read.ravel(), speakers, name="study")
        plain = estimates(speaker_sums((read.ravel() == TARGET).astype(float), speakers), "rate", settings, ["raw"])[0]
        conditions.append(known.condition_number)
        raw.append(plain.value - chances[TARGET])
        inside_raw.append(plain.low <= chances[TARGET] + 1e-9 and chances[TARGET] - 1e-9 <= plain.high)
        if known.refusal:
            refused += 1
            continue
        made = [found[label].estimate for label in LABELS[:CLASSES]]
        point.append(made[TARGET].value - chances[TARGET])
        inside.append([e.low <= p + 1e-9 and p - 1e-9 <= e.high for e, p in zip(made, mixture, strict=True)])
        width.append(made[TARGET].high - made[TARGET].low)
    return {
        "condition": np.median(conditions),
        "refused": 100 * refused / runs,
        "raw bias": np.mean(raw),
        "bias": np.mean(point) if point else np.nan,
        "raw cover": 100 * np.mean(inside_raw),
        "cover": 100 * np.mean([row[TARGET] for row in inside]) if inside else np.nan,
        "least": 100 * np.mean(inside, axis=0).min() if inside else np.nan,
        "width": np.mean(width) if width else np.nan,
    }


def table(title: str, head: list[str], lines: Iterable[list[object]]) -> None:
    print(f"\n#### {title}\n\n| {' | '.join(head)} |\n|{' ---: |' * len(head)}", flush=True)
    for line in lines:
        print(f"| {' | '.join('' if cell == 'nan' else str(cell) for cell in line)} |", flush=True)


def lines(rng: np.random.Generator, runs: int, fail: bool) -> Iterable[list[object]]:
    for n in FAILING_SPEAKERS if fail else SPEAKERS:
        for right in RIGHT[:3] if fail else RIGHT:
            for name, mixture in MIXTURES.items():
                s = study(rng, n, right, mixture, runs, fail)
                yield [
                    n,
                    right,
                    name,
                    f"{s['condition']:.1f}",
                    f"{s['refused']:.0f}",
                    f"{s['raw bias']:+.3f}",
                    f"{s['bias']:+.3f}" if np.isfinite(s["bias"]) else "",
                    f"{s['raw cover']:.1f}",
                    f"{s['cover']:.1f}",
                    f"{s['least']:.1f}",
                    f"{s['width']:.2f}",
                ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400, help="simulated audits a figure")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    start = time.perf_counter()
    head = ["speakers", "read right", "truth", "condition", "refused", "raw bias", "bias", "raw covered", "covered"]
    head += ["least covered", "width"]
    table(
        "Corrected rates, rendered faces misread as portraits are",
        head,
        lines(np.random.default_rng(given.seed), given.runs, False),
    )
    table("Corrected rates, transfer failure", head, lines(np.random.default_rng([given.seed, 1]), given.runs, True))
    print(f"\n{given.runs} runs a figure, 1000 resamples, seed {given.seed}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
