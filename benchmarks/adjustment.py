"""Gaps that the recording causes, and gaps that it does not: what adjustment shows, and how often intervals cover.

    python benchmarks/adjustment.py [--runs 500] [--seed 0]

prints the tables of docs/validation/any-group.md, section Adjusted gaps, as Markdown. Every simulated cohort has three
groups, two to four clips a speaker, and an intra-class correlation of about 0.3: outcomes of 0 and 1 depend on each
other by a Gaussian copula, years by normal speaker effects. One process, some ten minutes.

- noise: the second group's clips are noisier by one standard deviation, and the outcome depends on noise only;
- group: a gap of the same size, and the same noise in all groups;
- null: neither. The outcome depends on noise all the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from audit.stats import Settings
from audit.stats.adjusted import AdjustedGap, Adjustment
from audit.stats.covariates import Covariate
from audit.stats.settings import Kind
from audit.stats.trend import trend

GROUPS, NOISIER = 3, 1
SPEAKERS = (20, 40, 100)
LATENT = 0.5
"""Correlation of the normal variables behind two clips of a speaker; that of the outcomes is about 0.3."""
BASE, SLOPE, YEARS = -0.6, 0.8, 2.0
Floats = np.ndarray


@dataclass(frozen=True)
class Scenario:
    """How much noisier the second group is, and how much its outcome differs, in logits or years."""

    name: str
    noise: float
    effect: float
    kind: Kind = "rate"


def chance(noise: Floats, effect: Floats | float, kind: Kind) -> Floats:
    """The expected outcome: a probability, or years."""
    return special.expit(BASE + SLOPE * noise + effect) if kind == "rate" else YEARS * noise + effect


def true_gaps(scenario: Scenario) -> tuple[float, float]:
    """The gap of the second group over the population: without adjustment, and at equal noise."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    shift, effect, kind = scenario.noise, scenario.effect, scenario.kind
    plain = weights @ (chance(points + shift, effect, kind) - chance(points, 0.0, kind))
    shifts = np.full(GROUPS, 0.0)
    shifts[NOISIER] = shift
    at_equal = [weights @ (chance(points + s, effect, kind) - chance(points + s, 0.0, kind)) for s in shifts]
    return float(plain), float(np.mean(at_equal))


def matching_effect() -> float:
    """The difference in logits that causes the gap of one standard deviation of noise."""
    wanted, low, high = true_gaps(Scenario("", 1.0, 0.0))[0], 0.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if true_gaps(Scenario("", 0.0, middle))[0] < wanted else (low, middle)
    return low


def drawn(rng: np.random.Generator, expected: Floats, speaker: Floats, kind: Kind) -> Floats:
    """Outcomes with these expectations, dependent within speakers."""
    own, each = rng.normal(size=speaker[-1] + 1)[speaker], rng.normal(size=len(speaker))
    if kind == "mean":
        return expected + 4 * own + 6 * each
    return (special.ndtr(np.sqrt(LATENT) * own + np.sqrt(1 - LATENT) * each) < expected).astype(float)


def one_run(scenario: Scenario, per_group: int, rng: np.random.Generator, further: bool) -> AdjustedGap:
    """The gap of the second group in one simulated cohort."""
    n = GROUPS * per_group
    speaker = np.repeat(np.arange(n), rng.integers(2, 5, n))
    group = (np.arange(n) % GROUPS)[speaker]
    inside = group == NOISIER
    noise = 0.8 * rng.normal(size=n)[speaker] + 0.6 * rng.normal(size=len(speaker)) + scenario.noise * inside
    values = drawn(rng, chance(noise, scenario.effect * inside, scenario.kind), speaker, scenario.kind)
    covariates = [Covariate("noise", noise)]
    if further:
        covariates += [
            Covariate("age", rng.normal(45, 15, n)[speaker]),
            Covariate("gender", rng.integers(0, 2, n)[speaker].astype(float), categories=True),
            *(Covariate(f"measure {i}", rng.normal(size=len(speaker))) for i in range(4)),
        ]
    made = Adjustment(group, GROUPS, speaker, speaker, covariates, Settings())
    return made.gaps(values, scenario.kind)[NOISIER]


def gap_rows(runs: int, seed: int) -> Iterator[list[object]]:
    """The rows of the first table."""
    effect = matching_effect()
    scenarios = [Scenario("noise", 1.0, 0.0), Scenario("group", 0.0, effect), Scenario("null", 0.0, 0.0)]
    scenarios += [Scenario("noise, years", 1.0, 0.0, "mean"), Scenario("group, years", 0.0, YEARS, "mean")]
    for scenario in scenarios:
        plain, adjusted = true_gaps(scenario)
        scale = 100 if scenario.kind == "rate" else 1
        for further in (False, True):
            for per_group in SPEAKERS:
                rng = np.random.default_rng([seed, per_group])
                found = [one_run(scenario, per_group, rng, further) for _ in range(runs)]
                kept = [gap for gap in found if gap.adjusted.interval and gap.overlap.enough]
                pairs = [
                    (plain, [gap.unadjusted.interval for gap in kept]),
                    (adjusted, [gap.adjusted.interval for gap in kept]),
                ]
                shown = [np.mean([low > 0 or high < 0 for low, high in of]) for _, of in pairs]
                covered = [np.mean([low <= truth <= high for low, high in of]) for truth, of in pairs]
                yield [
                    *(scenario.name, 7 if further else 1, per_group, f"{scale * plain:.0f}", f"{scale * adjusted:.0f}"),
                    *(f"{100 * share:.1f}" for share in (*shown, *covered, len(kept) / runs)),
                ]


def trend_rows(runs: int, seed: int) -> Iterator[list[object]]:
    """The rows of the second table: outcomes along noise, with a slope and without."""
    for kind in ("rate", "mean"):
        for slope in (0.0, 1.0):
            for n in (15, *SPEAKERS):
                rng = np.random.default_rng([seed, n])
                significant, pointwise, whole, fitted = 0, [], 0, 0
                for run in range(runs):
                    speaker = np.repeat(np.arange(n), rng.integers(2, 5, n))
                    noise = 0.8 * rng.normal(size=n)[speaker] + 0.6 * rng.normal(size=len(speaker))
                    values = drawn(rng, chance(slope * noise, 0.0, kind), speaker, kind)
                    found = trend(values, noise, speaker, Settings(), kind, name=str(run))
                    if found.p is None:
                        continue
                    fitted, significant = fitted + 1, significant + (found.p < 0.05)
                    truth = chance(slope * np.array([point.at for point in found.points]), 0.0, kind)
                    pointwise += [p.low <= t <= p.high for p, t in zip(found.points, truth, strict=True)]
                    whole += all(p.band_low <= t <= p.band_high for p, t in zip(found.points, truth, strict=True))
                shares = (significant / fitted, np.mean(pointwise), whole / fitted, fitted / runs)
                yield [kind, "yes" if slope else "no", n, *(f"{100 * share:.1f}" for share in shares)]


def print_table(heads: list[str], rows: Iterator[list[object]]) -> None:
    """A Markdown table; the first column is text."""
    print(f"| {' | '.join(heads)} |\n| --- |{(len(heads) - 1) * ' ---: |'}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    print()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    heads = ["cause", "covariates", "speakers a group", "gap", "adjusted gap", "gap shown", "adjusted gap shown"]
    print_table([*heads, "gap covered", "adjusted gap covered", "overlap"], gap_rows(given.runs, given.seed))
    heads = ["outcome", "trend", "speakers", "p < .05", "points covered", "curve covered", "fitted"]
    print_table(heads, trend_rows(given.runs, given.seed))


if __name__ == "__main__":
    main()
