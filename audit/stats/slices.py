"""Search for the slice, a subset of the clips by one or more columns, that fails most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from audit.stats.settings import Kind, Settings
from audit.stats.slice_cells import Enumeration
from audit.stats.slice_statistics import Comparisons, simultaneous
from audit.stats.speakers import (
    Ints,
    Reads,
    SpeakerIds,
    Standing,
    checked_values,
    codes_of,
    distinct,
    numbered,
)

MIN_SPEAKERS: Final = 10
"""The fewest speakers of a slice that is searched, and of its complement."""
DEEPEST: Final = 3
"""The largest number of columns that define a slice."""
PERMUTATIONS: Final = 999
"""The number of permutations; fewer where the search is large, as :func:`permutations_of`."""
WIDER: Final = 0.8
"""A slice precedes those within it where the near end of its interval is at least this share of theirs.

A further column then describes chance as well as a difference.
"""


@dataclass(frozen=True)
class Slice:
    """One slice, compared with its complement.

    Attributes
    ----------
    values : mapping of str to str
        The value of each column that defines it.
    value : float
        Mean over its speakers of each speaker's mean over the clips in the slice.
    difference, low, high : float
        ``value`` minus that of the complement, with an interval that is simultaneous for all slices of the search.
    p : float
        Probability, where no slice differs, that any slice differs as clearly: adjusted for the whole search.
    n_speakers, n_clips : int
        Number of speakers and clips in the slice.
    """

    values: Mapping[str, str]
    value: float
    difference: float
    low: float
    high: float
    p: float
    n_speakers: int
    n_clips: int


@dataclass(frozen=True)
class SliceSearch:
    """The result of one search.

    Attributes
    ----------
    worst : tuple of Slice
        The slices that fail most, by the end of the interval that is nearer to no difference; a slice within another
        that is nearly as bad (:data:`WIDER`) comes after it.
    n_slices : int
        Number of slices compared, each membership counted once.
    n_small, n_merged : int
        Number of combinations of values with too few speakers, and of those with the same clips as another slice.
    method : str
        How the search was made, or why there was none.
    """

    worst: tuple[Slice, ...]
    n_slices: int
    n_small: int
    n_merged: int
    method: str


@dataclass(frozen=True)
class Slices:
    """Clips by speaker and by the values of categorical columns.

    A part is the clips of one speaker with equal values. Slices are unions of parts.

    Attributes
    ----------
    part : int array of shape (clips,)
        The part of each clip.
    speaker : int array of shape (parts,)
        The speaker of each part.
    codes, labels : dict
        For each column, the value of each part as an index into the labels, -1 where it is missing.
    """

    part: Ints
    speaker: Ints
    codes: dict[str, Ints]
    labels: dict[str, list[str]]

    @classmethod
    def of(cls, speakers: SpeakerIds, columns: pd.DataFrame) -> Slices:
        """Divide clips into parts.

        Parameters
        ----------
        speakers : array of shape (clips,)
            Speaker of each clip. Numbers keep their order; the random numbers depend on it.
        columns : DataFrame of shape (clips, columns)
            The columns to search; a missing value belongs to no slice of its column.
        """
        codes = codes_of(speakers, len(columns))
        if isinstance(speakers, np.ndarray) and speakers.dtype.kind in "iu":
            codes = distinct(speakers - speakers.min(), int(np.ptp(speakers)) + 1)[1] if len(speakers) else codes
        of_clip, labels = {}, {}
        part = codes
        for name in columns:
            number, found = numbered(columns[name])
            known = [not (isinstance(label, float) and math.isnan(label)) for label in found]
            of_clip[str(name)] = np.where(np.array(known)[number], number, -1) if len(found) else number
            labels[str(name)] = [str(label) for label, kept in zip(found, known, strict=True) if kept]
            wide = len(found) + 1
            part = distinct(part * wide + of_clip[str(name)] + 1, (int(part.max(initial=0)) + 1) * wide)[1]
        n = int(part.max(initial=-1)) + 1
        first = np.empty(n, np.int64)
        first[part[::-1]] = np.arange(len(part))[::-1]
        return cls(part, codes[first], {name: of[first] for name, of in of_clip.items()}, labels)

    def search(
        self,
        values: ArrayLike,
        settings: Settings,
        *,
        worse: Literal["low", "high"],
        kind: Kind = "rate",
        depth: int = DEEPEST,
        min_speakers: int = MIN_SPEAKERS,
        apart: int = 0,
        most: int = 10,
        name: str = "",
    ) -> SliceSearch:
        """Compare every slice with its complement, and return those that fail most.

        The statistic of a slice is ``t = d / s``: ``d`` is the mean over the slice's speakers minus that over the
        complement's, where each speaker is the mean of the clips in that part; ``s**2`` is the variance of ``d`` over
        speakers, who may have clips in both, moderated by the variance that all speakers pooled would give. Its joint
        distribution over all slices comes from exchanging outcomes between speakers with equally many parts, and
        between the parts of each speaker. Adjusted p-values and simultaneous intervals follow from the largest and the
        smallest ``t`` of each permutation (Westfall & Young 1993, section 2.3); studentized, the test stays valid in
        large samples where the variance differs between slices (Chung & Romano 2013). Intervals leave out equal tails,
        and p is twice the probability of a ``t`` as large: an interval excludes zero if and only if
        ``p <= 1 - confidence``.

        Parameters
        ----------
        values : array of shape (clips,)
            Value of each clip; NaN for a clip that was not read.
        settings : Settings
            Confidence, seed and the most permutations (``resamples``).
        worse : {"low", "high"}
            Which values are failures.
        kind : {"rate", "mean"}
            Kind of the values; the intervals of rates stay within [-1, 1].
        depth : int
            The largest number of columns that define a slice, from 1 to 3.
        min_speakers : int
            The fewest speakers of a slice and of its complement.
        apart : int
            Slices are also too small where dropping one column adds fewer than this number of speakers, whose mean
            could be computed from both; 0 permits it.
        most : int
            The most slices that are returned.
        name : str
            Seeds the permutations.

        Returns
        -------
        SliceSearch
            Without slices if no slice has enough speakers or all speakers have the same value.

        Raises
        ------
        ValueError
            If ``depth`` is out of range, or ``worse`` is unknown.

        Examples
        --------
        Of 40 speakers, the 10 women with accent x fail:

        >>> speakers = np.arange(40)
        >>> columns = pd.DataFrame({"accent": [*"xxyy"] * 10, "gender": ["woman", "man"] * 20})
        >>> fails = (columns["accent"] == "x") & (columns["gender"] == "woman")
        >>> found = Slices.of(speakers, columns).search(fails.astype(float), Settings(), worse="high")
        >>> dict(found.worst[0].values), found.worst[0].difference, found.worst[0].p, found.n_slices
        ({'accent': 'x', 'gender': 'woman'}, 1.0, 0.002, 8)
        """
        if not 1 <= depth <= DEEPEST or worse not in ("low", "high"):
            raise ValueError(f"depth {depth} is not 1 to {DEEPEST}, or worse {worse!r} neither 'low' nor 'high'")
        reads = Standing.of(self.part).gathered(Reads.of(checked_values(values, kind)))
        there = np.flatnonzero(reads.clips)
        if not len(there):
            return SliceSearch((), 0, 0, 0, "no slice searched: no clip was read")
        clips, outcome = reads.clips[there], reads.total[there] / reads.clips[there]
        speaker = distinct(self.speaker[there], int(self.speaker.max()) + 1)[1]
        listed = Enumeration(speaker, min_speakers, apart)
        columns = [(name, codes[there], len(self.labels[name])) for name, codes in self.codes.items()]
        for size in range(1, depth + 1):
            for chosen in combinations(columns, size):
                listed.add(chosen)
        counts = (len(listed.values), listed.n_small, listed.n_merged)
        if not listed.values:
            return SliceSearch((), *counts, f"no slice searched: none has {min_speakers} speakers and a complement")
        if np.ptp(outcome) < 1e-12:
            return SliceSearch((), 0, *counts[1:], "no slice searched: all speakers have the same value")
        compared = Comparisons(listed.incidence(), speaker, clips)
        found = compared.statistics(outcome[:, None])
        number = permutations_of(compared.size, settings)
        drawn = compared.extremes(outcome, settings.generator(f"slices {name}"), number)
        sign = 1.0 if worse == "high" else -1.0
        p, near, far = simultaneous(found, drawn, sign, settings.tail)
        mean, difference = found.mean[:, 0], found.difference[:, 0]
        most_possible = 1.0 if kind == "rate" else np.inf
        low, high = np.clip((near, far) if sign > 0 else (-far, -near), -most_possible, most_possible)
        order = [i for i in np.argsort(np.round(-near, 12), kind="stable").tolist() if sign * difference[i] > 0]
        order = _wider_first(order[: 10 * most], np.round(near, 12).tolist(), listed.values)
        worst = tuple(
            Slice(
                values={column: self.labels[column][code] for column, code in listed.values[i].items()},
                value=_short(mean[i]),
                difference=_short(difference[i]),
                low=_short(low[i]),
                high=_short(high[i]),
                p=_short(p[i]),
                n_speakers=int(compared.n_speakers[i]),
                n_clips=int(compared.n_clips[i]),
            )
            for i in order[:most]
        )
        return SliceSearch(worst, *counts, f"studentized max t over {counts[0]} slices, {number} permutations")


def _wider_first(order: Sequence[int], near: Sequence[float], values: Sequence[Mapping[str, int]]) -> list[int]:
    """Slices from worst to best, each after the wider ones that are nearly as bad by the near ends of the intervals."""
    score = dict.fromkeys(order, (0.0, 0))
    for i in order:
        within = (near[j] for j in order if values[i].items() <= values[j].items())
        score[i] = (max(end for end in within if near[i] >= min(end, WIDER * end)), -len(values[i]))
    return sorted(order, key=lambda i: score[i], reverse=True)


def permutations_of(size: int, settings: Settings) -> int:
    """The number of permutations for ``size`` pairs of a slice and a speaker, with at least one beyond the confidence.

    Examples
    --------
    >>> permutations_of(1000, Settings()), permutations_of(500_000, Settings()), permutations_of(0, Settings(0.999))
    (999, 300, 2000)
    """
    affordable = min(settings.resamples, PERMUTATIONS, max(199, 150_000_000 // max(size, 1)))
    return max(affordable, min(math.ceil(1 / settings.tail), 10_000))


def _short(number: float) -> float:
    """The number with twelve significant digits, beyond which machines may differ."""
    return float(f"{number:.12g}")
