"""How often the worst slice search finds a planted slice, and how often it finds one where there is none.

Speakers have an accent, a gender, an age band and a column without meaning; clips have one of two languages. Clips are
yes-or-no failures with the speaker's own probability, beta distributed with the slice's rate as mean. The search over
all speakers (max |t|) is compared with splitting: the slice is searched among half of the speakers and tested in the
other half.

    python benchmarks/worst_slice.py [--runs 400] [--seed 0] [--rows planted,null]

prints the tables of docs/validation/any-group.md as Markdown. One process, some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from coverage import chances, table

from audit.stats.settings import Settings
from audit.stats.slices import Slice, Slices

SETTINGS = Settings(resamples=199)
EQUAL = (0.2, 0.2, 0.2, 0.2, 0.2)
UNEVEN = (0.5, 0.25, 0.15, 0.07, 0.03)
PLANTED = {"accent": "accent 1", "gender": "woman"}


@dataclass(frozen=True)
class Cohort:
    """One row of the study; ``planted`` is the slice that fails at ``high`` instead of ``base``."""

    words: str
    planted: Mapping[str, str] = field(default_factory=dict)
    high: float = 0.6
    base: float = 0.1
    in_slice: int = 0
    speakers: int = 400
    icc: float = 0.3
    accents: tuple[float, ...] = EQUAL
    clips: tuple[int, int] = (2, 4)
    of_accent: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Clips for speakers of some accents."""
    between_languages: float = 0.0
    """Probability that a speaker has another own probability in each language."""


NULL = (
    Cohort("400 speakers"),
    Cohort("rate .50", base=0.5),
    Cohort("rate .02", base=0.02),
    Cohort("rate .90", base=0.9),
    Cohort("60 speakers", speakers=60),
    Cohort("60 speakers, rate .02", speakers=60, base=0.02),
    Cohort("accents of 50 to 3 %", accents=UNEVEN),
    Cohort("accents of 50 to 3 %, rate .02", accents=UNEVEN, base=0.02),
    Cohort("1 to 40 clips", clips=(1, 40)),
    Cohort("own rate in each language, icc .6", between_languages=1.0, icc=0.6, clips=(2, 10)),
    Cohort("one accent of 1 clip, others 10", clips=(10, 10), of_accent={"accent 4": (1, 1)}),
    Cohort("the same, accents of 50 to 3 %", clips=(10, 10), of_accent={"accent 4": (1, 1)}, accents=UNEVEN),
    Cohort("the same, rate .02", clips=(10, 10), of_accent={"accent 4": (1, 1)}, accents=UNEVEN, base=0.02),
)
FOUND = (
    Cohort("40 of 400 speakers, .60 against .10", PLANTED, in_slice=40),
    Cohort("20 of 400", PLANTED, in_slice=20),
    Cohort("10 of 400", PLANTED, in_slice=10),
    Cohort("40 of 400, accents of 50 to 3 %", PLANTED, in_slice=40, accents=UNEVEN),
    Cohort("40 of 400, .30 against .10", PLANTED, in_slice=40, high=0.3),
    Cohort("40 of 400, .60 against .02", PLANTED, in_slice=40, base=0.02),
    Cohort("40 of 400, .12 against .02", PLANTED, in_slice=40, high=0.12, base=0.02),
    Cohort("accent 1 in language x", {"accent": "accent 1", "language": "x"}, in_slice=80),
    Cohort("40 of 100", PLANTED, in_slice=40, speakers=100),
)


def drawn(of: Cohort, rng: np.random.Generator) -> tuple[np.ndarray, pd.DataFrame, np.ndarray, np.ndarray]:
    """Speakers, columns, expected failure and failure of each clip."""
    accent = rng.choice(len(of.accents), of.speakers, p=of.accents)
    woman = rng.random(of.speakers) < 0.5
    if of.in_slice:  # the planted slice has exactly this number of speakers
        size = of.in_slice if "gender" in of.planted else of.in_slice // 2
        accent[accent == 1] = 0
        accent[: 2 * size] = 1
        woman[:size], woman[size : 2 * size] = True, False
    least, most = np.full(of.speakers, of.clips[0]), np.full(of.speakers, of.clips[1])
    for name, (low, high) in of.of_accent.items():
        own = accent == int(name[-1])
        least[own], most[own] = low, high
    speaker = np.repeat(np.arange(of.speakers), rng.integers(least, most + 1))
    columns = pd.DataFrame(
        {
            "accent": np.char.add("accent ", accent.astype(str))[speaker],
            "gender": np.where(woman, "woman", "man")[speaker],
            "age": rng.choice(["18-29", "30-44", "45-59", "60-90"], of.speakers)[speaker],
            "random": rng.choice([*"abcdef"], of.speakers)[speaker],
            "language": rng.choice(["x", "y"], len(speaker)),
        }
    )
    inside = np.ones(len(speaker), bool) if of.planted else np.zeros(len(speaker), bool)
    for name, value in of.planted.items():
        inside &= (columns[name] == value).to_numpy()
    expected = np.where(inside, of.high, of.base)
    x = columns["language"] == "x"
    uniform = rng.random(of.speakers)
    other = np.where(rng.random(of.speakers) < of.between_languages, rng.random(of.speakers), uniform)
    place = np.where(x, uniform[speaker], other[speaker])
    chance = np.where(inside, chances(place, of.high, of.icc), chances(place, of.base, of.icc))
    return speaker, columns, expected, (rng.random(len(speaker)) < chance).astype(float)


def truth(found: Slice, speaker: np.ndarray, columns: pd.DataFrame, expected: np.ndarray) -> float:
    """The expected difference of a slice to its complement."""
    inside = np.ones(len(speaker), bool)
    for name, value in found.values.items():
        inside &= (columns[name] == value).to_numpy()
    own, other = (pd.Series(expected[rows]).groupby(speaker[rows]).mean().mean() for rows in (inside, ~inside))
    return float(own - other)


def split(speaker: np.ndarray, columns: pd.DataFrame, fails: np.ndarray, rng: np.random.Generator) -> Slice | None:
    """The slice found among half of the speakers, if the other half confirms it."""
    half = rng.permutation(speaker.max() + 1) % 2
    first, second = (half[speaker] == i for i in (0, 1))
    one = Slices.of(speaker[first], columns[first]).search(fails[first], SETTINGS, worse="high", most=1)
    if not one.worst:
        return None
    inside = np.ones(int(second.sum()), bool)
    for name, value in one.worst[0].values.items():
        inside &= (columns[second][name] == value).to_numpy()
    chosen = pd.DataFrame({"in": np.where(inside, "in", "out")})
    two = Slices.of(speaker[second], chosen).search(fails[second], SETTINGS, worse="high", depth=1)
    sure = [each for each in two.worst if each.values["in"] == "in" and each.p <= 0.05]
    return one.worst[0] if sure else None


def overlaps(found: Slice, planted: Mapping[str, str]) -> bool:
    """Whether a slice contains the planted one or lies in it."""
    shared = [found.values[name] == value for name, value in planted.items() if name in found.values]
    return bool(shared) and all(shared) and (len(shared) in (len(planted), len(found.values)))


def row(of: Cohort, runs: int, seed: int) -> list[object]:
    rng = np.random.default_rng([seed, *of.words.encode()])
    any_found = exact = among = overlapping = by_split = exact_by_split = covers = 0
    widths, number = [], []
    for i in range(runs):
        speaker, columns, expected, fails = drawn(of, rng)
        found = Slices.of(speaker, columns).search(fails, SETTINGS, worse="high", name=str(i))
        number.append(found.n_slices)
        sure = [each for each in found.worst if each.p <= 0.05]
        halves = split(speaker, columns, fails, rng)
        any_found += bool(sure)
        exact += bool(sure) and dict(sure[0].values) == dict(of.planted)
        among += any(dict(each.values) == dict(of.planted) for each in sure)
        overlapping += bool(sure) and overlaps(sure[0], of.planted)
        by_split += halves is not None
        exact_by_split += halves is not None and dict(halves.values) == dict(of.planted)
        if found.worst:
            top = found.worst[0]
            covers += top.low <= truth(top, speaker, columns, expected) <= top.high
            widths.append(top.high - top.low)
        else:
            covers += 1
    share = 100 / runs
    tail: list[object] = [covers * share, f"{np.median(widths):.2f}", int(np.median(number))]
    if not of.planted:
        return [of.words, any_found * share, by_split * share, *tail]
    hits = [exact * share, among * share, overlapping * share, exact_by_split * share, by_split * share]
    return [of.words, *hits, *tail]


def rows(cohorts: Iterable[Cohort], runs: int, seed: int) -> Iterable[list[object]]:
    return (row(of, runs, seed) for of in cohorts)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--rows", default="planted,null")
    given = arguments.parse_args()
    start, tail = time.perf_counter(), ["worst slice covered", "width", "slices"]
    if "planted" in given.rows:
        head = ["cohort", "planted is worst", "planted found", "worst overlaps", "split: planted", "split: any", *tail]
        table("Planted slice: found, % of the runs", head, rows(FOUND, given.runs, given.seed))
    if "null" in given.rows:
        table("No slice fails more: found, %", ["cohort", "max t", "split", *tail], rows(NULL, given.runs, given.seed))
    print(f"\n{given.runs} runs a row, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
