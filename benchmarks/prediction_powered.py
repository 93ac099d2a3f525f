"""What people's readings of some faces add: coverage and width of prediction-powered intervals.

Every speaker has their own probability of being read as white by people, drawn from a beta distribution; the instrument
reads each face with its own two error rates. People read one clip each of some of the speakers. Every simulated audit
is one cell of the vectorised engine, so that what is measured is the code that audits run.

    python benchmarks/prediction_powered.py [--runs 2000] [--seed 0]

prints the tables of docs/validation/human-readings.md as Markdown. One process, a few minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

import numpy as np
from scipy import special

from audit.stats.intervals import mover
from audit.stats.pairs import paired_rate_intervals
from audit.stats.predicted import design, predicted_cells
from audit.stats.rates import estimates, moments, rate_intervals
from audit.stats.settings import Settings
from audit.stats.speakers import SpeakerSums, sorted_sums, speaker_sums

SPEAKERS = 200
LABELLED = (10, 20, 50, 100)
RATES = (0.05, 0.5)
INSTRUMENTS = {"perfect": (1.0, 0.0), "good": (0.95, 0.05), "biased": (0.95, 0.3), "useless": (0.5, 0.5)}
"""How often a face that people read as white is read so by the instrument, and how often another one is."""
ICC = 0.3


def speakers_own(uniform: np.ndarray, rate: float, icc: float) -> np.ndarray:
    """Each speaker's own probability: the beta distribution's quantile at a uniform number."""
    k = (1 - icc) / icc
    return special.betaincinv(rate * k, (1 - rate) * k, uniform)


def reads(rng: np.random.Generator, p: np.ndarray, instrument: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """People's and the instrument's reads, 0 or 1, for probabilities of any shape."""
    human = rng.random(p.shape) < p
    return human.astype(float), (rng.random(p.shape) < np.where(human, *instrument)).astype(float)


def intervals(
    human: np.ndarray, instrument: np.ndarray, labelled: np.ndarray, strata: np.ndarray, heard: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The three intervals of each run; all arrays are of shape (runs, speakers, clips)."""
    runs, n, clips = human.shape
    chosen = heard.ravel()
    cells = np.repeat(np.arange(runs), n * clips)[chosen]
    people = np.tile(np.repeat(np.arange(n), clips), runs)[chosen]
    f = instrument.ravel()[chosen]
    told = labelled.ravel()[chosen]
    h = np.where(told, human.ravel()[chosen], np.nan)
    settings = Settings()
    plan = design(np.ones(len(f), bool), told, people, strata.ravel()[chosen], cells, runs)
    everyone = estimates(speaker_sums(f, people, cells, runs), "rate", settings, [""] * runs)
    found = predicted_cells(everyone, f, h, people, plan, cells, settings)
    return {
        name: (np.array([e.low for e in made], float), np.array([e.high for e in made], float))
        for name, made in (
            ("instrument", everyone),
            ("people", [each.human for each in found]),
            ("powered", [each.powered for each in found]),
        )
    }


def told(ends: tuple[np.ndarray, np.ndarray], truth: float) -> str:
    """Coverage in per cent and mean width."""
    low, high = ends
    inside = 100 * np.mean((low <= truth + 1e-9) & (truth - 1e-9 <= high))
    return f"{inside:.1f}, {np.mean(high - low):.2f}"


def against_either(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    for clips in (1, 3):
        for name, instrument in INSTRUMENTS.items():
            for rate in RATES:
                for n in LABELLED:
                    p = speakers_own(rng.random((runs, SPEAKERS, 1)), rate, ICC) * np.ones(clips)
                    human, read = reads(rng, p, instrument)
                    labelled = np.zeros(human.shape, bool)
                    labelled[:, :n, 0] = True
                    made = intervals(human, read, labelled, np.zeros(human.shape, int), np.ones(human.shape, bool))
                    tuned = tuned_interval(human, read, n)
                    yield [clips, name, f"{rate:g}", n, *(told(ends, rate) for ends in (*made.values(), tuned))]


def tuned_interval(human: np.ndarray, instrument: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with the instrument's part scaled by its best factor, estimated (PPI++, arXiv 2311.01453).

    ``theta = mean_labelled(human - k f) + k mean_all(f)``, ``k = cov(human, f) / var(f)`` of the labelled, kept
    within [0, 1]. Not part of the audit; here to show why.
    """
    settings, runs = Settings(), len(human)
    h, f = human[:, :n, 0], instrument[:, :n].mean(axis=2)
    f_off, h_off = f - f.mean(axis=1, keepdims=True), h - h.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.clip(np.nan_to_num((f_off * h_off).sum(axis=1) / (f_off**2).sum(axis=1)), 0, 1)
        d = h - k[:, None] * f
        d_off = d - d.mean(axis=1, keepdims=True)
        shared = (f_off * d_off).sum(axis=1) / np.sqrt((f_off**2).sum(axis=1) * (d_off**2).sum(axis=1))
    whole, part = one_cell_a_run(instrument.sum(axis=2), instrument.shape[2]), one_cell_a_run(d, 1)
    m = moments(whole, settings)
    low, high, _ = rate_intervals(whole, m, settings, [""] * runs)
    rectifier = paired_rate_intervals(part, moments(part, settings), settings)[:3]
    first = (-k * m.value, -k * high, -k * low)
    _, low, high = mover(first, rectifier, -np.nan_to_num(shared) * np.sqrt(n / SPEAKERS))
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def one_cell_a_run(total: np.ndarray, clips: int) -> SpeakerSums:
    runs, n = total.shape
    number = np.full(runs * n, clips)
    return sorted_sums(np.repeat(np.arange(runs), n), total.ravel(), number, np.zeros(runs, np.int64))


def over_strata(rng: np.random.Generator, runs: int) -> Iterable[list[object]]:
    """All 200 speakers have clips in two languages, 50 in a third; equally many are drawn in each."""
    by_language = np.array([0.6, 0.1, 0.3])
    heard = np.ones((runs, SPEAKERS, 3), bool)
    heard[:, 50:, 2] = False
    of_speaker = np.where(heard[0], by_language, np.nan)
    truth = float(np.nanmean(of_speaker, axis=1).mean())
    for name, instrument in INSTRUMENTS.items():
        for n in (8, 16, 32):
            own = rng.random((runs, SPEAKERS))  # one a speaker, whatever the language
            p = np.stack([speakers_own(own, rate, ICC) for rate in by_language], axis=-1)
            human, read = reads(rng, p, instrument)
            read[..., 1:] = human[..., 1:]  # it errs in the first language only
            order = np.where(heard, rng.random(heard.shape), 2.0).argsort(axis=1).argsort(axis=1)
            labelled = order < n
            strata = np.broadcast_to(np.arange(3), heard.shape)
            yield [name, n, *(told(ends, truth) for ends in intervals(human, read, labelled, strata, heard).values())]


def table(title: str, head: list[str], rows: Iterable[list[object]]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{' ---: |' * len(head)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, began = np.random.default_rng(arguments.seed), time.monotonic()
    table(
        "People's readings of some of 200 speakers",
        ["clips", "instrument", "rate", "read by people", "instrument alone", "people alone", "both", "both, tuned"],
        against_either(rng, arguments.runs),
    )
    table(
        "A group over three languages, 50 of its speakers in the third",
        ["instrument", "read in each language", "instrument alone", "people alone", "both"],
        over_strata(rng, arguments.runs),
    )
    print(f"\n{arguments.runs} runs a row, seed {arguments.seed}; {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
