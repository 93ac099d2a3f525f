"""False passes and power when a release is gated again and again while speakers are added, by rule for repeated looks.

The first look has 36 speakers, each further look 12 more, up to 20 looks (264 speakers), until a look passes: the
interval of the audit's own estimator lies at or below the limit .10. With a true rate of .10 every pass is false. The
rules decide the k-th look at their own alpha; `betting` multiplies a capital over speakers instead and passes when it
reaches 1 / alpha (Waudby-Smith and Ramdas 2024). Every rule is given the same speakers.

    python benchmarks/sequential.py [--runs 1000] [--seed 0]

prints the tables of docs/validation/sequential.md as Markdown; those of power have half as many runs. One process, some
ten minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from audit.stats import Curve, Settings, figure_curve, paired, verdict
from audit.stats.sequential import share_of_look

ALPHA, LIMIT = 0.025, 0.10
LOOKS, FIRST, STEP = 20, 36, 12
AT = [FIRST + STEP * look for look in range(LOOKS)]
FEWER = [AT[-1] * look // 4 for look in (1, 2, 3, 4)]
"""Numbers of speakers at each look: every 12 new speakers, or four times in all."""
COHORT = 60
"""Number of speakers of each look that has a cohort of its own."""
BETS = np.linspace(0.025, 0.975, 39)
"""Bets as fractions of the largest bet that cannot lose the whole capital."""


def obrien_fleming(look: int) -> float:
    """Increments of the spending function of Lan and DeMets (1983) for 20 planned looks, as shares of alpha."""
    z = special.ndtri(1 - ALPHA / 2)
    spent = [0.0, *(2 * special.ndtr(-z / np.sqrt(k / LOOKS)) for k in range(1, LOOKS + 1))]
    return float(spent[look] - spent[look - 1]) / ALPHA


SPENDING: dict[str, Callable[[int], float]] = {
    "alpha each": lambda look: 1.0,
    "1 / (k (k + 1))": share_of_look,
    "6 / (pi k)^2": lambda look: 6 / (np.pi * look) ** 2,
    "4 planned": lambda look: share_of_look(look, planned=4),
    "20 planned": lambda look: share_of_look(look, planned=LOOKS),
    "O'Brien-Fleming": obrien_fleming,
}
"""The share of alpha at the k-th look, by rule."""

Reads = tuple[np.ndarray, np.ndarray]
"""Reads of shape (speakers, clips) of the portrait and of the rendered face; a rate has portraits without any."""


def beta(rate: float, icc: float, clips: int, n: int = AT[-1]) -> Callable[[np.random.Generator], Reads]:
    """Speakers whose own rates have a beta distribution."""

    def drawn(rng: np.random.Generator) -> Reads:
        scale = (1 - icc) / icc
        own = rng.beta(rate * scale, (1 - rate) * scale, n)
        return np.zeros((n, clips)), (rng.random((n, clips)) < own[:, None]).astype(float)

    return drawn


def heavy(rate: float, always: float, clips: int) -> Callable[[np.random.Generator], Reads]:
    """A share ``always`` of speakers who are always misread; the rest of the rate is spread over the others."""

    def drawn(rng: np.random.Generator) -> Reads:
        own = np.where(rng.random(AT[-1]) < always, 1.0, (rate - always) / (1 - always))
        return np.zeros((AT[-1], clips)), (rng.random((AT[-1], clips)) < own[:, None]).astype(float)

    return drawn


def excess(size: float, before: float, clips: int) -> Callable[[np.random.Generator], Reads]:
    """Paired reads: portraits read as white at the rate ``before``, and faces at ``before + size``, icc .3."""

    def drawn(rng: np.random.Generator) -> Reads:
        portrait = rng.random(AT[-1]) < before
        own = rng.beta((before + size) * 7 / 3, (1 - before - size) * 7 / 3, AT[-1])
        faces = (rng.random((AT[-1], clips)) < own[:, None]).astype(float)
        return np.repeat(portrait.astype(float)[:, None], clips, 1), faces

    return drawn


@dataclass(frozen=True)
class Scenario:
    """How reads are drawn, whether they are paired, and whether each look has another cohort of 60 speakers."""

    drawn: Callable[[np.random.Generator], Reads]
    is_paired: bool = False
    other_cohorts: bool = False


Scenarios = dict[str, Scenario]

AT_LIMIT: Scenarios = {
    "1 clip": Scenario(beta(0.10, 0.3, 1)),
    "2 clips, icc .3": Scenario(beta(0.10, 0.3, 2)),
    "10 clips, icc .3": Scenario(beta(0.10, 0.3, 10)),
    "5 % always misread, 2 clips": Scenario(heavy(0.10, 0.05, 2)),
    "5 % always misread, 20 clips": Scenario(heavy(0.10, 0.05, 20)),
    "2 % always misread, 50 clips": Scenario(heavy(0.10, 0.02, 50)),
    "excess over portraits, 2 clips": Scenario(excess(0.10, 0.05, 2), is_paired=True),
    "1 clip, another 60 speakers each": Scenario(beta(0.10, 0.3, 1, LOOKS * COHORT), other_cohorts=True),
}
TRUE_05: Scenarios = {
    "1 clip": Scenario(beta(0.05, 0.3, 1)),
    "2 clips, icc .3": Scenario(beta(0.05, 0.3, 2)),
    "10 clips, icc .3": Scenario(beta(0.05, 0.3, 10)),
    "2.5 % always misread, 20 clips": Scenario(heavy(0.05, 0.025, 20)),
    "excess over portraits, 2 clips": Scenario(excess(0.05, 0.05, 2), is_paired=True),
}
TRUE_02: Scenarios = {
    "1 clip": Scenario(beta(0.02, 0.3, 1)),
    "2 clips, icc .3": Scenario(beta(0.02, 0.3, 2)),
    "excess over portraits, 2 clips": Scenario(excess(0.02, 0.05, 2), is_paired=True),
}


def capital(values: np.ndarray, limit: float) -> np.ndarray:
    """Capital after each speaker of a bet that the mean of values in [0, 1] lies below ``limit``.

    The mean, over fixed bets, of ``prod(1 - bet * (value - limit))``: a test supermartingale if the true mean is at
    least ``limit``, so that it ever reaches ``1 / alpha`` with a probability of at most alpha (Ville 1939).
    """
    steps = np.log1p(-BETS[:, None] / (1 - limit) * (values - limit))
    return np.exp(special.logsumexp(np.cumsum(steps, axis=1), axis=0) - np.log(len(BETS)))


def betting(first: np.ndarray, second: np.ndarray, is_paired: bool, at: list[int]) -> int | None:
    """The first look at which the capital has reached ``1 / alpha`` at any speaker so far; None if at none."""
    change = (second - first).mean(axis=1)
    wealth = capital((change + 1) / 2, (LIMIT + 1) / 2) if is_paired else capital(change, LIMIT)
    rich = np.flatnonzero(wealth >= 1 / ALPHA)
    return None if not len(rich) else next(look for look, n in enumerate(at, 1) if n > rich[0])


def first_passes(scenario: Scenario, reads: Reads, at: list[int]) -> dict[str, int | None]:
    """The look at which each rule passes first, of looks at these numbers of speakers."""
    first, second = reads
    at = [COHORT * look for look in range(1, LOOKS + 1)] if scenario.other_cohorts else at
    found: dict[str, int | None] = dict.fromkeys(SPENDING)
    for look, n in enumerate(at, 1):
        seen = slice(n - COHORT if scenario.other_cohorts else 0, n)
        if (second[seen] - first[seen]).mean() > LIMIT:
            continue  # the interval contains its value
        curve = curve_of(first[seen], second[seen], scenario.is_paired)
        waiting = {name: ALPHA * share(look) for name, share in SPENDING.items() if found[name] is None}
        for name, alpha in sorted(waiting.items(), key=lambda item: -item[1]):
            # intervals are nested: if one reaches beyond the limit, so do those at a smaller alpha
            if alpha < 1e-9 or verdict(curve.at(1 - 2 * alpha), LIMIT, "greater").outcome != "not_shown":
                break
            found[name] = look
        if all(found.values()):
            break
    return found | {"betting": betting(first, second, scenario.is_paired, at)}


def curve_of(first: np.ndarray, second: np.ndarray, is_paired: bool) -> Curve:
    speakers = np.repeat(np.arange(len(second)), second.shape[1])
    if is_paired:
        return paired(first.ravel(), second.ravel(), speakers, Settings()).curve()
    return figure_curve(second.ravel(), speakers, Settings())


def table(scenarios: Scenarios, asked: argparse.Namespace, power: bool, at: list[int]) -> None:
    """A row for each scenario: how often each rule passes at any look, with the standard error or the speakers."""
    names = [*SPENDING, "betting"]
    print(f"| speakers | {' | '.join(names)} |\n| --- |{' ---: |' * len(names)}")
    runs = asked.runs // 2 if power else asked.runs
    for row, (name, scenario) in enumerate(scenarios.items()):
        rng = np.random.default_rng([asked.seed, row, power])
        found = [first_passes(scenario, scenario.drawn(rng), at) for _ in range(runs)]
        cells = []
        for rule in names:
            looks = [passes[rule] for passes in found]
            share = np.mean([look is not None for look in looks])
            # a release that never passes has used all speakers
            speakers = np.mean([at[-1] if look is None else at[look - 1] for look in looks])
            error = (share * (1 - share) / runs) ** 0.5
            cells.append(f"{share:.2f} ({speakers:.0f})" if power else f"{100 * share:.1f} ± {100 * error:.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{asked.runs} runs a row, {LOOKS} looks at {AT[0]} to {AT[-1]} speakers, alpha {ALPHA}, limit {LIMIT}.\n")
    print("False passes within 20 looks in %, true rate or excess .10:\n")
    table(AT_LIMIT, asked, power=False, at=AT)
    print("\nPasses within 20 looks, and the mean number of speakers until then, true .05:\n")
    table(TRUE_05, asked, power=True, at=AT)
    print("\nThe same, true .02:\n")
    table(TRUE_02, asked, power=True, at=AT)
    print(f"\nThe same with only four looks, at {FEWER} speakers, true .05:\n")
    table(TRUE_05, asked, power=True, at=FEWER)


if __name__ == "__main__":
    main()
