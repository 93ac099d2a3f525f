"""How often the interval of a correlation holds the true one, by the code that audits run.

    python benchmarks/correlation.py

Prints a Markdown table: pairs of speakers' readings drawn from populations whose Pearson's r is known.
"""

from __future__ import annotations

import argparse

import numpy as np

from audit.stats import Settings, correlations

TRUTHS = (0.0, 0.3, 0.6, 0.9)
SPEAKERS = (10, 20, 50, 200)


def normal(r, shape, rng):
    x, e = rng.standard_normal((2, *shape))
    return x, r * x + np.sqrt(1 - r**2) * e


def heavy_tails(r, shape, rng):
    """Student's t of 5 degrees, both stretched together."""
    stretch = np.sqrt(5 / rng.chisquare(5, shape))
    return tuple(stretch * each for each in normal(r, shape, rng))


def lognormal(r, shape, rng):
    """Skewed, with the normal pair behind it chosen so that Pearson's r of the exponentials is ``r``."""
    return tuple(np.exp(each) for each in normal(np.log(1 + r * (np.e - 1)), shape, rng))


def exponential(r, shape, rng):
    """Skewed: a part that both have in common, and a part of its own for each."""
    shared = rng.gamma(r, size=shape) if r else 0.0
    return tuple(shared + rng.gamma(1 - r, size=shape) for _ in "xy")


def two_groups(r, shape, rng):
    """Nothing in common but the group."""
    group = (rng.random(shape) < 0.5) * np.sqrt(4 * r / (1 - r))
    return tuple(group + rng.standard_normal(shape) for _ in "xy")


POPULATIONS = {
    "normal": normal,
    "t, 5 degrees": heavy_tails,
    "exponential": exponential,
    "lognormal": lognormal,
    "two groups": two_groups,
}


def covered(population, r, speakers, runs, rng):
    x, y = (np.asarray(each).ravel() for each in population(r, (runs, speakers), rng))
    run = np.repeat(np.arange(runs), speakers)
    found = correlations(x, y, np.arange(len(x)), run, runs, run, Settings())
    return 100 * np.mean([each.estimate.low <= r <= each.estimate.high for each in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    print("| pairs | speakers |" + "".join(f" r = {r:g} |" for r in TRUTHS))
    print("| --- | ---: |" + " ---: |" * len(TRUTHS))
    for name, population in POPULATIONS.items():
        for speakers in SPEAKERS:
            cells = "".join(f" {covered(population, r, speakers, chosen.runs, rng):.1f} |" for r in TRUTHS)
            print(f"| {name} | {speakers} |{cells}", flush=True)
    print(f"\n{chosen.runs} runs a figure, seed {chosen.seed}.")


if __name__ == "__main__":
    main()
