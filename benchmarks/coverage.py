"""How often the intervals of audit.stats contain the truth, on speakers whose truth is known.

Clips of one speaker are yes-or-no reads with the speaker's own probability, drawn from a beta distribution with the
given mean (the rate) and intra-class correlation. Every simulated data set is one cell of the vectorised engine, so
that what is measured is the code that audits run.

    python benchmarks/coverage.py [--runs 4000] [--seed 0]

prints the tables of docs/validation/intervals.md as Markdown. One process, a few minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable

import numpy as np
from scipy import special, stats

from audit.stats.intervals import BoundedMean, mover
from audit.stats.pairs import paired_rate_intervals
from audit.stats.power import smallest_detectable
from audit.stats.rates import estimates, moments, rate_intervals
from audit.stats.settings import Settings
from audit.stats.speakers import SpeakerSums, sorted_sums

SPEAKERS = (5, 10, 20, 50, 200)
CLIPS = (1, 2, 5)
ICCS = (0.0, 0.3, 0.6)
RATES = (0.02, 0.1, 0.5)
PAIRS = ((0.02, 0.02), (0.1, 0.1), (0.5, 0.5), (0.1, 0.3), (0.02, 0.6), (0.0, 0.9))


def chances(uniform: np.ndarray, rate: float, icc: float) -> np.ndarray:
    """Each speaker's own probability: the beta distribution's quantile at a uniform number."""
    if icc == 0 or rate in (0, 1):
        return np.full(uniform.shape, rate)
    concentration = (1 - icc) / icc
    return special.betaincinv(rate * concentration, (1 - rate) * concentration, uniform)


def as_cells(total: np.ndarray, clips: np.ndarray | int) -> SpeakerSums:
    """Runs of shape (runs, speakers) as one cell a run."""
    runs, n = total.shape
    number = np.broadcast_to(np.asarray(clips, dtype=np.int64), total.shape).ravel()
    return sorted_sums(np.repeat(np.arange(runs), n), total.ravel().astype(float), number, np.zeros(runs, np.int64))


def covered(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    return 100 * float(np.mean((low <= truth + 1e-9) & (truth - 1e-9 <= high)))


def ends(sums: SpeakerSums, settings: Settings, kind: str = "rate") -> tuple[np.ndarray, np.ndarray]:
    if kind == "rate" and settings.interval == "auto":
        low, high, _ = rate_intervals(sums, moments(sums, settings), settings, [""] * sums.n_cells)
        return low, high
    made = estimates(sums, kind, settings, [str(i) for i in range(sums.n_cells)])  # type: ignore[arg-type]
    return np.array([e.low for e in made], float), np.array([e.high for e in made], float)


def table(title: str, head: list[str], rows: Iterable[list[object]]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{' ---: |' * len(head)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(f'{x:.1f}' if isinstance(x, float) else str(x) for x in row)} |", flush=True)


def rates(rng: np.random.Generator, runs: int, settings: Settings) -> Iterable[list[object]]:
    for n in SPEAKERS:
        for clips in CLIPS:
            row: list[object] = [n, clips]
            for icc in ICCS:
                for rate in RATES:
                    if clips == 1 and icc > 0:
                        row.append("")
                        continue
                    seen = rng.binomial(clips, chances(rng.random((runs, n)), rate, icc))
                    row.append(covered(*ends(as_cells(seen, clips), settings), rate))
            yield row


def exact(settings: Settings) -> Iterable[list[object]]:
    """Errors for speakers whose clips all agree, by the binomial distribution: worst and mean over many rates."""
    truth = np.linspace(0.002, 0.5, 1996)[:, None]
    for n in (5, 10, 20, 30, 50, 100, 200, 300):
        misread = np.arange(n + 1.0)
        sums = np.tile(misread, (3, 1)), np.tile(n - misread, (3, 1))
        low, high = BoundedMean.of(*sums, np.full(n + 1, float(n))).interval(settings.tail)
        chance = stats.binom.pmf(misread, n, truth)
        below, above = ((chance * wrong).sum(axis=1) for wrong in (high < truth, low > truth))
        right = 1 - below - above
        yield [n, *(100 * float(x) for x in (right.min(), right.mean(), below.max(), above.max()))]


def uneven(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for estimand in ("speaker", "clip"):
        for n in SPEAKERS:
            row: list[object] = [estimand, n]
            for icc in ICCS:
                for rate in RATES:
                    clips = rng.integers(1, 11, size=(runs, n))
                    seen = rng.binomial(clips, chances(rng.random((runs, n)), rate, icc))
                    row.append(covered(*ends(as_cells(seen, clips), Settings(estimand=estimand)), rate))
            yield row


def bootstraps(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for n in (50, 200):
        for clips, icc in ((1, 0.0), (5, 0.0), (5, 0.3), (5, 0.6)):
            for rate in RATES:
                cells = as_cells(rng.binomial(clips, chances(rng.random((runs, n)), rate, icc)), clips)
                rules = [Settings(interval=rule, resamples=1000) for rule in ("auto", "percentile", "bca")]
                yield [n, clips, f"{icc:g}", f"{rate:g}", *(covered(*ends(cells, rule), rate) for rule in rules)]


def paired(rng: np.random.Generator, runs: int, settings: Settings, portrait: bool) -> Iterable[list[object]]:
    for n in SPEAKERS:
        for clips in CLIPS:
            for icc in ICCS if clips > 1 else (0.3,):
                row: list[object] = [n, clips, f"{icc:g}"]
                for first, second in PAIRS:
                    z = rng.normal(size=(2, runs, n))
                    one, other = special.ndtr(z[0]), special.ndtr(0.7 * z[0] + np.sqrt(1 - 0.49) * z[1])
                    after = rng.binomial(clips, chances(other, second, icc))
                    # a portrait is one picture a speaker, read once and compared with every clip
                    before = clips * (one > 1 - first) if portrait else rng.binomial(clips, chances(one, first, icc))
                    cells = as_cells(after - before, clips)
                    _, low, high, _ = paired_rate_intervals(cells, moments(cells, settings), settings)
                    row.append(covered(low, high, second - first))
                yield row


def independent(rng: np.random.Generator, runs: int, settings: Settings) -> Iterable[list[object]]:
    for n in SPEAKERS:
        for clips, icc in ((1, 0.0), (2, 0.3), (5, 0.6)):
            row: list[object] = [n, clips, f"{icc:g}"]
            for first, second in PAIRS:
                sides = []
                for rate in (first, second):
                    cells = as_cells(rng.binomial(clips, chances(rng.random((runs, n)), rate, icc)), clips)
                    sides.append((moments(cells, settings).value, *ends(cells, settings)))
                _, low, high = mover(*sides)
                row.append(covered(low, high, second - first))
            yield row


def means(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    shapes: dict[str, Callable[[tuple[int, int]], np.ndarray]] = {
        "normal": rng.standard_normal,
        "absolute normal": lambda shape: np.abs(rng.standard_normal(shape)) - np.sqrt(2 / np.pi),
        "exponential": lambda shape: rng.standard_exponential(shape) - 1,
    }
    for n in SPEAKERS:
        row: list[object] = [n]
        for draw in shapes.values():
            rules = [Settings(interval=rule) for rule in (("auto", "percentile") if n >= 30 else ("auto",))]
            row += [covered(*ends(as_cells(draw((runs, n)), 1), rule, "mean"), 0.0) for rule in rules]
            row += [""] * (n < 30)
        yield row


def powers(rng: np.random.Generator, runs: int, settings: Settings) -> Iterable[list[object]]:
    for n in SPEAKERS:
        for clips, icc in ((1, 0.0), (2, 0.3), (5, 0.3)):
            row: list[object] = [n, clips, f"{icc:g}"]
            for rate, design in ((0.1, "one"), (0.5, "one"), (0.1, "unpaired"), (0.5, "unpaired"), (0.5, "paired")):
                size = smallest_detectable(n, design=design, rate=rate, icc=icc, clips=clips).size  # type: ignore[arg-type]
                if size is None or rate + size > 1:
                    row += ["none"]
                    continue
                drawn = [rng.binomial(clips, chances(rng.random((runs, n)), r, icc)) for r in (rate, rate + size)]
                cells = [as_cells(each, clips) for each in drawn]
                if design == "one":
                    low = ends(cells[1], settings)[0] - rate
                elif design == "unpaired":
                    low = mover(*((moments(c, settings).value, *ends(c, settings)) for c in cells))[1]
                else:
                    change = as_cells(drawn[1] - drawn[0], clips)
                    low = paired_rate_intervals(change, moments(change, settings), settings)[1]
                row.append(f"{size:.2f}: {100 * float(np.mean(low > 0)):.0f} %")
            yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4000, help="simulated data sets a figure")
    parser.add_argument("--bootstrap-runs", type=int, default=600, help="the same, where each needs a bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, settings, start = np.random.default_rng(given.seed), Settings(), time.perf_counter()
    grid = [f"icc {icc:g}, {rate:g}" for icc in ICCS for rate in RATES]
    pairs = [f"{a:g} to {b:g}" for a, b in PAIRS]
    head = ["speakers", "lowest coverage", "mean coverage", "upper limit too low", "lower limit too high"]
    table("Exact error of rates", head, exact(settings))
    table("Rates", ["speakers", "clips", *grid], rates(rng, given.runs, settings))
    table("Rates, one to ten clips a speaker", ["estimand", "speakers", *grid], uneven(rng, given.runs))
    head = ["speakers", "clips", "icc", "rate", "auto", "percentile", "bca"]
    table("Rates: the rule against the bootstrap", head, bootstraps(rng, given.bootstrap_runs))
    head = ["speakers", "clips", "icc", *pairs]
    table("Paired differences, two languages", head, paired(rng, given.runs, settings, False))
    table("Paired differences, portrait and rendered", head, paired(rng, given.runs, settings, True))
    table("Differences of two groups", head, independent(rng, given.runs, settings))
    shapes = ["normal", "percentile", "abs. normal", "percentile", "exponential", "percentile"]
    table("Means", ["speakers", *shapes], means(rng, given.bootstrap_runs))
    head = ["speakers", "clips", "icc", "one, .1", "one, .5", "two groups, .1", "two groups, .5", "paired, .5"]
    table("Power at the smallest detectable difference", head, powers(rng, given.runs, settings))
    print(f"\n{given.runs} runs a figure ({given.bootstrap_runs} with a bootstrap), seed {given.seed}, ", end="")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
