"""How often audit.stats is wrong about many groups at once, on speakers whose truth is known.

Clips are yes-or-no reads with the speaker's own probability, beta distributed with the group's rate as mean and the
given intra-class correlation. Every simulated data set is one metric of the vectorised engine.

    python benchmarks/groups.py [--runs 200] [--seed 0] [--tables 0,3]

prints the tables of docs/validation/many-groups.md as Markdown. One process, some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence

import numpy as np
from coverage import chances, table
from scipy import stats

from audit.stats.groups import group_tests, ratios, spreads
from audit.stats.rates import estimates
from audit.stats.settings import Settings
from audit.stats.speakers import SpeakerSums, sorted_sums

GROUPS = (2, 8, 40)
SPEAKERS = (5, 10, 20, 50, 200)
ICCS = (0.0, 0.3, 0.6)
RATES = (0.02, 0.1, 0.5)
PERMUTATIONS = Settings(resamples=199)
DRAWS = Settings(resamples=1000)
ALL_SPEAKERS = 1000
"""Data sets of more speakers than this are fewer in proportion."""

Clips = tuple[int, int]


def drawn(
    rng: np.random.Generator,
    runs: int,
    sizes: Sequence[int],
    rates: Sequence[float],
    clips: Sequence[Clips],
    icc: float,
) -> SpeakerSums:
    """One metric a run: groups of these sizes, rates and least and most clips a speaker."""
    cell, total, number = [], [], []
    for k, (n, rate, (least, most)) in enumerate(zip(sizes, rates, clips, strict=True)):
        heard = rng.integers(least, most + 1, size=(runs, n))
        cell.append(np.repeat(np.arange(runs) * len(sizes) + k, n))
        total.append(rng.binomial(heard, chances(rng.random((runs, n)), rate, icc)).ravel().astype(float))
        number.append(heard.ravel())
    missing = np.zeros(runs * len(sizes), np.int64)
    return sorted_sums(np.concatenate(cell), np.concatenate(total), np.concatenate(number), missing)


def rejected(sums: SpeakerSums, groups: int, seed: int) -> np.ndarray:
    runs = sums.n_cells // groups
    names = [f"{seed} {i}" for i in range(runs)]
    return np.array([test.p <= 0.05 for test in group_tests(sums, groups, "rate", PERMUTATIONS, names)])


def fewer(runs: int, speakers: int) -> int:
    return max(20, round(runs * min(1, ALL_SPEAKERS / speakers)))


def per_cent(hits: np.ndarray) -> float:
    return 100 * float(np.mean(hits))


def exchangeable(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    everything: list[np.ndarray] = []
    for groups in GROUPS:
        for n in SPEAKERS:
            # every second group is twice as large; all speakers have one to ten clips
            sizes = [n * (1 + k % 2) for k in range(groups)]
            row: list[object] = [groups, f"{n}, {2 * n}"]
            together = []
            for icc in ICCS:
                for rate in RATES:
                    sums = drawn(rng, fewer(runs, sum(sizes)), sizes, [rate] * groups, [(1, 10)] * groups, icc)
                    together.append(rejected(sums, groups, 0))
                    row.append(per_cent(together[-1]))
            everything += together
            yield [*row, per_cent(np.concatenate(together))]
    seen = np.concatenate(everything)
    yield ["all", "", *[""] * 9, f"{per_cent(seen):.2f} (standard error {100 * (0.0475 / len(seen)) ** 0.5:.2f})"]


def three_tests(sums: SpeakerSums, sizes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Whether each run is significant by the permuted sum of squares and by the permuted, steadied Welch statistic."""
    groups, found = len(sizes), []
    n = np.array(sizes)
    for run in range(sums.n_cells // groups):
        of = (sums.cell >= run * groups) & (sums.cell < (run + 1) * groups)
        values, level = np.unique(np.round(sums.mean[of], 9), return_inverse=True)
        seen = np.zeros((len(values), groups))
        np.add.at(seen, (level, sums.cell[of] - run * groups), 1)
        if len(values) == 1:
            found.append((False, False))
            continue
        draws = stats.random_table.rvs(seen.sum(1).astype(int), n, size=PERMUTATIONS.resamples, random_state=rng)
        tables = np.concatenate([seen[None], draws])
        mean = (tables * values[:, None]).sum(1) / n
        square = (tables * values[:, None] ** 2).sum(1) - n * mean**2
        everyone = np.var(np.repeat(values, seen.sum(1).astype(int)), ddof=1)
        weight = n / ((square + everyone) / n)  # one speaker more, who varies as all do: no group's variance is zero
        centre = (weight * mean).sum(1, keepdims=True) / weight.sum(1, keepdims=True)
        grand = (n * mean).sum(1, keepdims=True) / n.sum()
        statistics = (n * (mean - grand) ** 2).sum(1), (weight * (mean - centre) ** 2).sum(1)
        found.append(tuple(np.mean(s >= s[0] * (1 - 1e-9)) <= 0.05 for s in statistics))
    return np.array(found)


FEW, MANY = (1, 1), (10, 10)


def only_the_mean(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    shapes = (("equal sizes", 1, FEW, MANY), ("small: 1 clip", 3, FEW, MANY), ("large: 1 clip", 3, MANY, FEW))
    for rate in (0.05, 0.3):
        for name, times, small, large in shapes:
            for groups in GROUPS:
                row: list[object] = [f"{rate:g}", name, groups]
                for n in (10, 20, 50, 200):
                    sizes = [n if k % 2 == 0 else times * n for k in range(groups)]
                    clips = [small if k % 2 == 0 else large for k in range(groups)]
                    sums = drawn(rng, fewer(runs, sum(sizes)), sizes, [rate] * groups, clips, 0.0)
                    cell = f"{per_cent(rejected(sums, groups, 1)):.0f}"
                    if n < 200:
                        cell += " (" + " / ".join(f"{x:.0f}" for x in 100 * three_tests(sums, sizes, rng).mean(0)) + ")"
                    row.append(cell)
                yield row


def power(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for name, off, times in (
        ("one group .6, others .3", lambda k: [0.6] + [0.3] * (k - 1), 1),
        ("from .2 to .6", lambda k: list(np.linspace(0.2, 0.6, k)), 1),
        ("one group .2, others 0", lambda k: [0.2] + [0.0] * (k - 1), 1),
        ("one small group .6, others .3", lambda k: [0.6] + [0.3] * (k - 1), 3),
        ("one large group .6, others .3", lambda k: [0.3, 0.6] + [0.3] * (k - 2), 3),
    ):
        for groups in GROUPS:
            row: list[object] = [name, groups]
            for n in (5, 10, 20, 50):
                sizes = [n if k % 2 == 0 else times * n for k in range(groups)]
                sums = drawn(rng, fewer(runs, sum(sizes)), sizes, off(groups), [(1, 5)] * groups, 0.3)
                both = " / ".join(f"{x:.0f}" for x in 100 * three_tests(sums, sizes, rng).mean(0))
                row.append(f"{per_cent(rejected(sums, groups, 2)):.0f} ({both})")
            yield row


def bias(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for groups in GROUPS:
        for n in SPEAKERS:
            number = fewer(10 * runs, groups * n)
            sums = drawn(rng, number, [n] * groups, [0.3] * groups, [(1, 5)] * groups, 0.3)
            value = (sums.sum(sums.mean) / n).reshape(number, groups)
            noise = (sums.sum(sums.mean**2) / n - value.ravel() ** 2).reshape(number, groups) / (n - 1)
            variance = value.var(axis=1, ddof=1) - noise.mean(axis=1)
            error = variance.std(ddof=1) / number**0.5
            yield [
                groups,
                n,
                f"{np.ptp(value, axis=1).mean():.3f}",
                f"{value.std(axis=1, ddof=1).mean():.3f}",
                f"{1e4 * variance.mean():+.2f} (standard error {1e4 * error:.2f})",
                f"{np.sqrt(np.maximum(variance, 0)).mean():.3f}",
            ]


SPREADS = {
    "all .1": lambda k: [0.1] * k,
    "all .5": lambda k: [0.5] * k,
    "one .4, others .1": lambda k: [0.4] + [0.1] * (k - 1),
    ".3 to .7": lambda k: list(np.linspace(0.3, 0.7, k)),
    ".02 to .2": lambda k: list(np.linspace(0.02, 0.2, k)),
    "half 0, half .5": lambda k: [0.0] * (k // 2) + [0.5] * (k - k // 2),
}


def bootstrapped(sums: SpeakerSums, groups: int, rng: np.random.Generator, truth: float) -> np.ndarray:
    """The interval of Lum, Zhang and Bower: speakers drawn again within groups, corrected twice; whether it covers."""
    n, found = len(sums.cell) // sums.n_cells, []
    for values in sums.mean.reshape(-1, groups, n):
        index = rng.integers(0, n, size=(500, groups, n))
        again = np.take_along_axis(np.broadcast_to(values, index.shape), index, -1).mean(-1)
        twice = 2 * (values.var(axis=1, ddof=1) / n).mean()
        low, high = np.maximum(np.quantile(again.var(axis=1, ddof=1) - twice, [0.025, 0.975]), 0)
        found.append(low <= truth**2 + 1e-12 <= high + 2e-12)
    return np.array(found)


def spread(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for groups in GROUPS:
        for n in SPEAKERS:
            row: list[object] = [groups, n]
            for rates in SPREADS.values():
                number = fewer(runs, groups * n)
                truth = float(np.std(rates(groups), ddof=1))
                sums = drawn(rng, number, [n] * groups, rates(groups), [(1, 5)] * groups, 0.3)
                made = spreads(sums, groups, "rate", DRAWS, [str(i) for i in range(number)])
                cell = f"{per_cent(np.array([e.low - 1e-9 <= truth <= e.high + 1e-9 for e in made])):.0f}"
                if n <= 50:
                    cell += f" ({per_cent(bootstrapped(sums, groups, rng, truth)):.0f})"
                row.append(cell)
            yield row


def ratio(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    """Runs in which every group's ratio is covered, by MOVER and by the delta method, and how many have ratios."""
    settings = Settings()
    for groups in GROUPS:
        for n in SPEAKERS:
            row: list[object] = [groups, n]
            for rates in ([0.1] * groups, [0.5] * groups, list(np.linspace(0.2, 0.8, groups))):
                number = fewer(runs, groups * n)
                truth = np.log(rates) - np.mean(np.log(rates))
                sums = drawn(rng, number, [n] * groups, rates, [(1, 5)] * groups, 0.3)
                made = ratios(sums, groups, settings)
                ends = np.log(np.array([(e.low or np.nan, e.high or np.nan) for e in made]).reshape(number, groups, 2))
                able = ~np.isnan(ends).any(axis=(1, 2))
                value = (sums.sum(sums.mean) / n).reshape(number, groups)[able]
                mean2 = (sums.sum(sums.mean**2) / n).reshape(number, groups)[able]
                relative = (mean2 - value**2) / (n - 1) / value**2
                log = np.log(value) - np.log(value).mean(axis=1, keepdims=True)
                wide = relative * (1 - 2 / groups) + relative.sum(axis=1, keepdims=True) / groups**2
                half = stats.norm.ppf(1 - 0.025 / groups) * np.sqrt(wide)
                if able.sum() < 20:
                    row.append(f"none, {per_cent(able):.0f} % estimable")
                    continue
                inside = ((ends[able, :, 0] <= truth + 1e-9) & (truth - 1e-9 <= ends[able, :, 1])).all(axis=1)
                delta = (np.abs(log - truth) <= half + 1e-9).all(axis=1)
                row.append(f"{per_cent(inside):.0f} ({per_cent(delta):.0f}), {per_cent(able):.0f} % estimable")
            yield row


def worst(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for groups in GROUPS:
        for n in SPEAKERS:
            row: list[object] = [groups, n]
            number = fewer(runs, groups * n)
            for rate in (0.1, 0.5):
                sums = drawn(rng, number, [n] * groups, [rate] * groups, [(1, 5)] * groups, 0.3)
                for level in (0.95, 1 - 0.05 / groups):
                    made = estimates(sums, "rate", Settings(confidence=level), [""] * sums.n_cells)
                    chosen = [max(made[i : i + groups], key=lambda e: e.value) for i in range(0, len(made), groups)]
                    row.append(per_cent(np.array([e.low <= rate <= e.high for e in chosen])))
            yield row


def speed() -> Iterable[list[object]]:
    rng = np.random.default_rng(0)
    for groups, n, clips in ((2, 20, (1, 5)), (6, 30, (1, 5)), (40, 400, (1, 10)), (40, 1500, (1, 10))):
        sums = drawn(rng, 1, [n] * groups, [0.3] * groups, [clips] * groups, 0.3)
        real = sorted_sums(sums.cell, rng.normal(size=len(sums.cell)) * sums.clips, sums.clips, sums.missing)
        row: list[object] = [groups, f"{groups * n:,}"]
        for kind, of in (("rate", sums), ("mean", real)):
            for what in (group_tests, spreads):
                start = time.perf_counter()
                what(of, groups, kind, Settings(resamples=1000), ["speed"])  # type: ignore[operator]
                row.append(f"{1000 * (time.perf_counter() - start):.0f} ms")
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="simulated data sets a number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", default="", help="only the tables of these numbers, from 0: 0,4,5")
    given = parser.parse_args()
    runs, start = given.runs, time.perf_counter()
    grid = [f"icc {icc:g}, {rate:g}" for icc in ICCS for rate in RATES]
    shapes = ["rate", "groups' shapes", "groups", *(f"{n} speakers" for n in (10, 20, 50, 200))]
    identical = ["groups", "speakers", "max minus min", "unadjusted SD", "V, in 1/10,000", "SD"]
    highest = ["groups", "speakers", ".1, unadjusted", ".1, simultaneous", ".5, unadjusted", ".5, simultaneous"]
    tables = (
        ("Omnibus test: false alarms, groups alike", ["groups", "speakers", *grid, "all"], exchangeable),
        ("Omnibus test: false alarms, only the rate alike", shapes, only_the_mean),
        ("Omnibus test: power", ["truth", "groups", *(f"{n} speakers" for n in (5, 10, 20, 50))], power),
        ("Identical groups, rate .3", identical, bias),
        ("Between-group standard deviation: coverage", ["groups", "speakers", *SPREADS], spread),
        ("Ratios to the geometric mean: coverage", ["groups", "speakers", "all .1", "all .5", ".2 to .8"], ratio),
        ("The highest of equal groups: coverage of its interval", highest, worst),
    )
    chosen = [int(number) for number in given.tables.split(",") if number] or range(len(tables))
    for i in chosen:
        title, head, rows = tables[i]
        # random numbers of its own, so that a table is the same whichever others are made
        table(title, head, rows(np.random.default_rng(given.seed + i), runs))
    if not given.tables:
        head = ["groups", "speakers", "rate: test", "rate: SD", "mean: test", "mean: SD"]
        table("Time of one metric, 1,000 permutations or draws", head, speed())
    print(f"\n{runs} runs a number, in proportion fewer above {ALL_SPEAKERS} speakers in all, at least 20; ", end="")
    print(f"seed {given.seed}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
