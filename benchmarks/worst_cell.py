"""Coverage of the worst of many cells, and accuracy of shrunk values, on speakers whose truth is known.

Speakers have one to four clips, yes-or-no failures with the speaker's own probability, beta distributed with the cell's
rate as mean. The worst cell is the one with the highest observed rate. Its Bonferroni-adjusted interval, as audits make
it, is compared with a max-t bootstrap over speakers. Rates are equal (.05, .2, .5, .8, .95) or run from .05 to .95.

    python benchmarks/worst_cell.py [--runs 400] [--seed 0]

prints the tables of docs/validation/any-group.md as Markdown. One process, some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from coverage import chances, table

from audit.stats.rates import moments, rate_intervals
from audit.stats.settings import Settings
from audit.stats.shrinkage import shrink
from audit.stats.speakers import SpeakerSums, sorted_sums

CELLS = (2, 5, 10, 20, 40)
SPEAKERS: tuple[tuple[int, int], ...] = ((5, 5), (10, 10), (20, 20), (60, 60), (5, 60))
RATES: tuple[float, ...] = (0.05, 0.2, 0.5, 0.8, 0.95, np.nan)
ICCS = (0.0, 0.3, 0.6)
RESAMPLES = 199
OF_BOOTSTRAP = 10
"""The share of the runs for which the bootstrap is made, one in this number."""


def drawn(
    rng: np.random.Generator, runs: int, cells: int, sizes: tuple[int, int], rate: float, icc: float
) -> tuple[np.ndarray, list[np.ndarray], SpeakerSums]:
    """The true rate of each cell, the speakers' means of each cell of each run, and their sums."""
    truth = np.linspace(0.05, 0.95, cells) if np.isnan(rate) else np.full(cells, rate)
    speakers = np.linspace(*sizes, cells).round().astype(int)
    cell = np.tile(np.repeat(np.arange(cells), speakers), runs) + np.repeat(np.arange(runs) * cells, speakers.sum())
    chance = np.empty(len(cell))
    for i, own in enumerate(truth):
        here = cell % cells == i
        chance[here] = chances(rng.random(int(here.sum())), float(own), icc)
    clips = rng.integers(1, 5, len(cell))
    total = rng.binomial(clips, chance).astype(float)
    parts = np.split(total / clips, np.flatnonzero(np.diff(cell)) + 1)
    return truth, parts, sorted_sums(cell, total, clips, np.zeros(runs * cells, np.int64))


def max_t(parts: list[np.ndarray], rng: np.random.Generator, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous intervals of one run's cells from the largest studentized deviation of resampled speakers."""
    largest = np.zeros(RESAMPLES)
    for values in parts:
        again = values[rng.integers(0, len(values), (RESAMPLES, len(values)))]
        error = again.std(axis=1, ddof=1) / np.sqrt(len(values))
        deviation = np.abs(again.mean(axis=1) - values.mean())
        largest = np.maximum(largest, np.divide(deviation, error, out=np.zeros(RESAMPLES), where=error > 0))
    width = np.quantile(largest, confidence)
    mean, error = (
        np.array([f(values) for values in parts]) for f in (np.mean, lambda x: x.std(ddof=1) / len(x) ** 0.5)
    )
    return np.clip(mean - width * error, 0, 1), np.clip(mean + width * error, 0, 1)


def one(rng: np.random.Generator, runs: int, cells: int, sizes: tuple[int, int], rate: float, icc: float) -> np.ndarray:
    """Coverage of the worst cell, of all cells, and width: of the engine, and of the bootstrap."""
    truth, parts, sums = drawn(rng, runs, cells, sizes, rate, icc)
    settings = replace(Settings(), confidence=1 - 0.05 / cells)
    found = moments(sums, settings)
    low, high, _ = rate_intervals(sums, found, settings, [""] * (runs * cells))
    shape, every = (runs, cells), np.arange(runs)
    worst = found.value.reshape(shape).argmax(axis=1)
    low, high = low.reshape(shape), high.reshape(shape)
    covers = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
    result = [covers[every, worst].mean(), covers.all(axis=1).mean(), (high - low)[every, worst].mean()]
    again = []
    for i in range(0, runs, OF_BOOTSTRAP):
        ends = max_t(parts[i * cells : (i + 1) * cells], rng, 0.95)
        inside = (ends[0] <= truth + 1e-9) & (truth - 1e-9 <= ends[1])
        again.append((inside[worst[i]], inside.all(), (ends[1] - ends[0])[worst[i]]))
    return np.array([*result, *np.mean(again, axis=0)])


def coverage(runs: int, seed: int) -> Iterable[list[object]]:
    rng = np.random.default_rng(seed)
    for cells in CELLS:
        for sizes in SPEAKERS:
            made = np.array([one(rng, runs, cells, sizes, rate, icc) for rate in RATES for icc in ICCS])
            row: list[object] = [cells, size_words(sizes)]
            for at in (0, 3):
                row += [100 * made[:, at].min(), 100 * made[:, at].mean(), 100 * made[:, at + 1].min()]
                row.append(f"{made[:, at + 2].mean():.2f}")
            yield row


def accuracy(runs: int, seed: int) -> Iterable[list[object]]:
    """Root mean squared errors of raw and shrunk rates, and coverage of the shrunk values' intervals.

    Audits take the sampling variance from the width of each cell's interval. The alternatives are the variance pooled
    over the cells, and each cell's own in which the pooled one counts for four speakers.
    """
    rng = np.random.default_rng(seed + 1)
    settings = Settings()
    for cells in (5, 16, 40):
        for sizes in ((5, 5), (20, 20), (5, 60)):
            for rate, words in ((0.1, ".1"), (0.5, ".5"), (np.nan, ".05 to .95")):
                squares, covers = [], []
                for _ in range(runs):
                    truth, _, sums = drawn(rng, 1, cells, sizes, rate, 0.3)
                    raw = moments(sums, settings)
                    low, high, _ = rate_intervals(sums, raw, settings, [""] * cells)
                    free, spread = raw.size - 1, raw.variance * raw.size
                    pooled = max((free * spread).sum() / free.sum(), 1e-4)
                    made = [
                        shrink(raw.value, variance)
                        for variance in (
                            ((high - low) / 2 / 1.96) ** 2,
                            pooled / raw.size,
                            (free * spread + 4 * pooled) / (free + 4) / raw.size,
                        )
                    ]
                    squares.append([((x - truth) ** 2).mean() for x in (raw.value, *(each.value for each in made))])
                    covers.append([(np.abs(each.value - truth) <= 1.96 * each.error).mean() for each in made])
                errors = [f"{x:.3f}" for x in np.sqrt(np.mean(squares, axis=0))]
                within = (100 * np.mean(covers, axis=0)).tolist()
                pairs = (x for pair in zip(errors[1:], within, strict=True) for x in pair)
                yield [cells, size_words(sizes), words, errors[0], *pairs]


def size_words(sizes: tuple[int, int]) -> str:
    return f"{sizes[0]} to {sizes[1]}" if sizes[0] < sizes[1] else str(sizes[0])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    start = time.perf_counter()
    each = [f"{who}{what}" for who in ("", "max t: ") for what in ("least", "mean", "all cells, least", "width")]
    table("Worst cell covered, %", ["cells", "speakers", *each], coverage(given.runs, given.seed))
    variances = ("by interval", "pooled", "own")
    each = ["raw error", *(f"{what}, {name}" for name in variances for what in ("error", "covered"))]
    table("Shrunk rates", ["cells", "speakers", "rate", *each], accuracy(given.runs, given.seed))
    print(f"\n{given.runs} runs a number, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
