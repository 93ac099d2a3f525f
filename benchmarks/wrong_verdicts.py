"""How often intervals miss the truth and verdicts are wrong in the dangerous direction, now and with another checkout.

    python benchmarks/wrong_verdicts.py [--runs 2000] [--seed 0] [--checkout FORMER]

prints the tables of docs/validation/wrong-verdicts.md as Markdown: coverage of 95 % intervals, the share of runs that
say ``not_shown`` (or pass a gate) although the true value is at the margin or limit, then width and power. Heavy tails
are a few speakers who are always misread, while the rest of the rate is spread over all. Every simulated data set is
one cell of the vectorised engine that audits use. With ``--checkout`` the same data are measured by the code there too.
One process, some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.stats.intervals import mover
from audit.stats.pairs import paired, paired_rate_intervals
from audit.stats.rates import moments, rate_intervals
from audit.stats.settings import Settings
from audit.stats.speakers import Reads, SpeakerSums, Standing, sorted_sums

SETTINGS = Settings()
SPEAKERS = (5, 10, 15, 20, 32, 60, 100, 300)
CLIPS = (1, 4, 20, 200)
MARGIN, OWN = 0.10, 0.1
AGES = 500
"""The most runs of the study of means, which uses a bootstrap."""
HEAVY = {"half of it": 0.5, "nearly all of it": 0.95}
"""Share of a rate that comes from speakers who are always misread."""

Floats = np.ndarray
Ends = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class Row:
    """One scenario: its table and name, the numbers of speakers and clips, and the share of runs with each result."""

    table: str
    scenario: str
    speakers: str
    clips: str
    shares: dict[str, float]


def reads(rng: np.random.Generator, chance: Floats, clips: Floats | int) -> Floats:
    """Sums of each speaker's misread clips."""
    return rng.binomial(clips, np.clip(chance, 0, 1)).astype(float)


def heavy(rng: np.random.Generator, rate: float, share: float, shape: tuple[int, int]) -> Floats:
    """Each speaker's probability: 1 for a few, who make up ``share`` of the rate, and equal for all others."""
    always = share * rate
    return np.asarray(np.where(rng.random(shape) < always, 1.0, (rate - always) / (1 - always)))


def beta(rng: np.random.Generator, rate: float, icc: float, shape: tuple[int, int]) -> Floats:
    return rng.beta(rate * (1 - icc) / icc, (1 - rate) * (1 - icc) / icc, shape)


def cells(total: Floats, clips: Floats | int) -> SpeakerSums:
    """Runs of shape (runs, speakers), one cell a run."""
    runs, n = total.shape
    number = np.broadcast_to(np.asarray(clips, np.int64), total.shape).ravel()
    return sorted_sums(np.repeat(np.arange(runs), n), total.ravel(), number, np.zeros(runs, np.int64))


def of_rate(sums: SpeakerSums) -> Ends:
    m = moments(sums, SETTINGS)
    low, high, _ = rate_intervals(sums, m, SETTINGS, [""] * sums.n_cells)
    return m.value, low, high


def of_change(sums: SpeakerSums) -> Ends:
    return paired_rate_intervals(sums, moments(sums, SETTINGS), SETTINGS)[:3]


def judged(ends: Ends, truth: float) -> dict[str, float]:
    """Shares of runs that cover the truth, lie wholly on its safe side (a pass) and beyond it."""
    _, low, high = ends
    near = 1e-9
    return {
        "covered": float(np.mean((low <= truth + near) & (high >= truth - near))),
        "passes": float(np.mean(high <= truth - near)),
        "shown": float(np.mean(low > truth + near)),
    }


def excess(rng: np.random.Generator, chance: Floats, clips: Floats | int) -> Floats:
    """Rendered minus portrait: of a share ``OWN`` the portrait is misread too, and nothing can be gained."""
    portrait = rng.random(chance.shape) < OWN
    return reads(rng, np.where(portrait, 1.0, chance), clips) - portrait * np.asarray(clips)


def at_the_margin(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """Truth at the margin or limit: a pass, or not_shown, is wrong."""
    kinds: dict[str, Callable[[float, tuple[int, int]], Floats]] = {
        "the same for all": lambda rate, shape: np.full(shape, rate),
        "beta, icc .3": lambda rate, shape: beta(rng, rate, 0.3, shape),
    } | {f"always misread: {name}": lambda rate, shape, s=s: heavy(rng, rate, s, shape) for name, s in HEAVY.items()}
    for kind, chance in kinds.items():
        for n in SPEAKERS:
            for clips in CLIPS:
                made = chance(MARGIN, (runs, n))
                table = judged(of_rate(cells(reads(rng, made, clips), clips)), MARGIN)
                yield Row("rate of .10", kind, str(n), str(clips), table)
                made = chance(MARGIN / (1 - OWN), (runs, n))
                table = judged(of_change(cells(excess(rng, made, clips), clips)), MARGIN)
                yield Row("paired excess of .10", kind, str(n), str(clips), table)
    for n in SPEAKERS:
        chance_of = heavy(rng, 0.03, 0.5, (runs, n))
        yield Row(
            "rate of .03", "half of it", str(n), "20", judged(of_rate(cells(reads(rng, chance_of, 20), 20)), 0.03)
        )
    for share in (0.02, 0.05):
        for n in (10, 30, 60, 100, 300):
            always = rng.random((runs, n)) < share
            made = np.where(always, 1.0, (MARGIN - share) / (1 - share))
            name = f"{share:.0%} always misread"
            yield Row("rate of .10", name, str(n), "50", judged(of_rate(cells(reads(rng, made, 50), 50)), MARGIN))
    for n in SPEAKERS:
        uneven = 1 + np.minimum(rng.geometric(0.1, (runs, n)), 60)
        made = heavy(rng, MARGIN, 0.5, (runs, n))
        yield Row(
            "rate of .10",
            "half of it",
            str(n),
            "2 to 61",
            judged(of_rate(cells(reads(rng, made, uneven), uneven)), MARGIN),
        )


def gaps(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """A gap of .05 between groups of unequal size, with heavy failures in both."""
    for n, others in ((12, 400), (20, 60), (32, 96), (100, 300)):
        for clips in (4, 20):
            parts = [
                of_rate(cells(reads(rng, heavy(rng, rate, 0.5, (runs, k)), clips), clips))
                for rate, k in ((0.08, n), (0.03, others))
            ]
            yield Row(
                "gap of .05", "half of it", f"{n} against {others}", str(clips), judged(mover(parts[1], parts[0]), 0.05)
            )


def videos(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """Speakers who share a video share half of the effect; or the speakers of a few videos are all always misread."""
    for n, size in ((20, 2), (60, 2), (60, 5), (100, 2), (100, 10), (300, 10)):
        video = np.tile(np.arange(n) // size, (runs, 1))

        def of_video(values: Floats, video: Floats = video) -> Floats:
            return np.take_along_axis(values, video, axis=1)

        own, shared = rng.random((runs, n)), of_video(rng.random((runs, n)))
        alike = np.where(rng.random((runs, n)) < np.sqrt(0.5), shared, own) < 0.30
        yield Row("rate of .30", f"half shared in videos of {size}", str(n), "1", in_videos(alike, video, 0.30))
        chance = of_video(heavy(rng, MARGIN, 0.5, (runs, n)))
        misread = rng.random((runs, n)) < chance
        yield Row("rate of .10", f"videos of {size} always misread", str(n), "1", in_videos(misread, video, MARGIN))


def in_videos(misread: Floats, video: Floats, truth: float) -> dict[str, float]:
    """The shares of :func:`judged` where speakers are clustered by video."""
    runs, n = misread.shape
    who, cell = np.tile(np.arange(n), runs), np.repeat(np.arange(runs), n)
    values, number = misread.astype(float).ravel(), (video + n * np.arange(runs)[:, None]).ravel()
    try:
        standing = Standing.of(who, cell, runs, number)
    except TypeError:  # a former checkout, which knows no clusters
        standing = Standing.of(who, cell, runs)
    return judged(of_rate(standing.sums(Reads.of(values))), truth)


def ages(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """A mean change of 2 years: one speaker in twenty is misread by 40 years, all others by nothing but noise."""
    for n in (10, 20, 32, 60, 100, 300):
        ends = []
        for _ in range(min(runs, AGES)):
            change = np.where(rng.random(n) < 0.05, 40.0, 0.0) + rng.normal(0, 2, n)
            found = paired(np.zeros(n), change, range(n), SETTINGS, kind="mean")
            try:
                curve = found.curve(50.0).alone
            except TypeError:  # a former checkout, which knows no largest change
                curve = found.curve()
            estimate = curve.at(SETTINGS.confidence)
            ends.append((estimate.value, estimate.low, estimate.high))
        columns = tuple(np.array(ends, float).T)
        yield Row("mean of 2 years", "by 40 years in 5 %", str(n), "1", judged(columns, 2.0))  # type: ignore[arg-type]  # three ends


def power(rng: np.random.Generator, runs: int) -> Iterator[Row]:
    """Width and power where intervals are right: an excess of .30 is shown, one of .05 or .02 passes at .10."""
    for n in (10, 20, 32, 60, 100):
        for clips in (1, 2, 4, 20):
            for rate, name in (
                (0.30, "excess of .30 shown"),
                (0.05, "excess of .05 passes"),
                (0.02, "excess of .02 passes"),
            ):
                _, low, high = of_change(cells(excess(rng, beta(rng, rate / (1 - OWN), 0.3, (runs, n)), clips), clips))
                share = float(np.mean(low > MARGIN) if rate > MARGIN else np.mean(high <= MARGIN))
                yield Row("power", name, str(n), str(clips), {"power": share, "width": float(np.mean(high - low))})


def every(runs: int, seed: int) -> list[Row]:
    """All rows; each study has its own random numbers."""
    studies = (at_the_margin, gaps, videos, power, ages)
    return [row for i, study in enumerate(studies) for row in study(np.random.default_rng([seed, i]), runs)]


def of_checkout(folder: Path, runs: int, seed: int) -> list[Row]:
    """The rows of the code in another checkout."""
    command = [sys.executable, str(Path(__file__).resolve()), "--runs", str(runs), "--seed", str(seed), "--json"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(folder.resolve())}, check=True, capture_output=True
    )
    return [Row(**row) for row in json.loads(done.stdout)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkout", type=Path, help="a checkout of another version to compare with")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args()
    now = every(given.runs, given.seed)
    if given.json:
        print(json.dumps([vars(row) for row in now]))
        return
    former = of_checkout(given.checkout, given.runs, given.seed) if given.checkout else [None] * len(now)
    print(f"{given.runs} runs a row; the standard error of a share is at most {(0.25 / given.runs) ** 0.5:.3f}.")
    for columns in (("covered", "passes", "shown"), ("power", "width")):
        chosen = [(row, old) for row, old in zip(now, former, strict=True) if columns[0] in row.shares]
        head = [
            "quantity",
            "scenario",
            "speakers",
            "clips",
            *(f"{name}{when}" for name in columns for when in (" before", " now")),
        ]
        print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        for row, old in chosen:
            pairs = [f"{each.shares[name]:.3f}" if each else "" for name in columns for each in (old, row)]
            print(f"| {' | '.join([row.table, row.scenario, row.speakers, row.clips, *pairs])} |")
        if columns[0] == "covered":
            for when, rows in (("before", [old for _, old in chosen]), ("now", [row for row, _ in chosen])):
                shares = [row.shares for row in rows if row is not None]
                if shares:
                    worst = min(each["covered"] for each in shares), max(each["passes"] for each in shares)
                    above = sum(each["passes"] > 0.045 for each in shares)
                    print(f"\nWorst {when}: coverage {worst[0]:.3f}, wrong passes {worst[1]:.3f}.")
                    print(f"Wrong passes above .045: {above} of {len(rows)} rows.")


if __name__ == "__main__":
    main()
