"""Statistics of many slices, each compared with its complement, for any number of permuted outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy import sparse

from audit.stats.slice_cells import Incidence
from audit.stats.speakers import Floats, Ints

PRIOR: Final = 4
"""The number of speakers that the pooled variance counts for in the variance of a slice's difference."""
_AT_ONCE = 64
_VALUES = 4_000_000


@dataclass(frozen=True)
class Differences:
    """Statistics by slice and outcome: float arrays of shape (slices, outcomes).

    ``mean`` over the slice's speakers, ``difference`` to the complement, and its moderated standard ``error``.
    """

    mean: Floats
    difference: Floats
    error: Floats

    @property
    def t(self) -> Floats:
        """The difference over its standard error."""
        return self.difference / self.error


@dataclass(frozen=True)
class Comparisons:
    """Slices and their complements, ready for any outcome.

    Attributes
    ----------
    incidence : Incidence
        The slices.
    speaker, clips : int arrays of shape (parts,)
        The speaker and the number of clips of each part.
    """

    incidence: Incidence
    speaker: Ints
    clips: Ints

    @property
    def size(self) -> int:
        """The number of pairs of a slice and a speaker."""
        return len(self.incidence.slice)

    @cached_property
    def n_speakers(self) -> Ints:
        """Number of speakers of each slice."""
        return np.bincount(self.incidence.slice).astype(np.int64)

    @cached_property
    def n_clips(self) -> Ints:
        """Number of clips of each slice."""
        return np.bincount(self.incidence.slice, self._unit_clips[self.incidence.unit]).astype(np.int64)

    @cached_property
    def _unit_clips(self) -> Floats:
        of = self.incidence
        return np.bincount(of.member_unit, self.clips[of.member_part], len(of.unit_speaker)).astype(np.float64)

    @cached_property
    def _speaker_clips(self) -> Floats:
        return np.bincount(self.speaker, self.clips).astype(np.float64)

    @cached_property
    def _rest(self) -> Floats:
        """Number of clips of each unit's speaker that are outside the unit."""
        return self._speaker_clips[self.incidence.unit_speaker] - self._unit_clips

    @cached_property
    def _sums(self) -> tuple[sparse.csr_array, sparse.csr_array, sparse.csr_array]:
        """Sums of parts by speaker, of parts by unit, and of units by slice, as matrices."""
        of, n = self.incidence, len(self.speaker)
        units, speakers, slices = len(of.unit_speaker), len(self._speaker_clips), int(of.slice[-1]) + 1
        return (
            sparse.csr_array((np.ones(n), (self.speaker, np.arange(n))), (speakers, n)),
            sparse.csr_array((np.ones(len(of.member_unit)), (of.member_unit, of.member_part)), (units, n)),
            sparse.csr_array((np.ones(self.size), (of.slice, of.unit)), (slices, units)),
        )

    def statistics(self, outcome: Floats) -> Differences:
        """The statistics of outcomes by part, of shape (parts, outcomes)."""
        by_speaker, by_unit, by_slice = self._sums
        owner, there = self.incidence.unit_speaker, (self._rest > 0)[:, None]
        total = self.clips[:, None] * outcome
        speakers, units = by_speaker @ total, by_unit @ total
        rest = np.where(there, speakers[owner] - units, 0.0) / np.maximum(self._rest, 1)[:, None]
        inside, whole = units / self._unit_clips[:, None], speakers / self._speaker_clips[:, None]
        # centred, since sums of squares lose digits
        centre = whole.mean(axis=0)
        inside, whole, rest = inside - centre, whole - centre, np.where(there, rest - centre, 0.0)
        n1 = self.n_speakers[:, None].astype(np.float64)
        both = by_slice @ there.astype(np.float64)
        n0 = len(whole) - n1 + both
        sum1, square1 = by_slice @ inside, by_slice @ inside**2
        if both.any():
            sum0 = -(by_slice @ whole[owner]) + (rests := by_slice @ rest)
            square0 = (whole**2).sum(axis=0) - by_slice @ whole[owner] ** 2 + by_slice @ rest**2
            crossed = by_slice @ (inside * rest)
            inside_both = by_slice @ (inside * there)
        else:
            sum0, square0 = -sum1, (whole**2).sum(axis=0) - square1
            crossed = inside_both = rests = np.zeros_like(sum1)
        mean1, mean0 = sum1 / n1, sum0 / n0
        variance = (square1 - n1 * mean1**2) / (n1 * (n1 - 1)) + (square0 - n0 * mean0**2) / (n0 * (n0 - 1))
        covariance = crossed - mean0 * inside_both - mean1 * rests + both * mean1 * mean0
        variance = np.maximum(variance - 2 * covariance / (n1 * n0), 0)
        pooled = whole.var(axis=0, ddof=1) * (1 / n1 + 1 / n0)
        free = np.minimum(n1, n0) - 1
        error = np.sqrt((free * variance + PRIOR * pooled) / (free + PRIOR))
        return Differences(mean1 + centre, mean1 - mean0, np.maximum(error, 1e-12))

    def extremes(self, outcome: Floats, rng: np.random.Generator, number: int) -> tuple[Floats, Floats]:
        """The smallest and the largest ``t`` over all slices, in each of ``number`` permutations of an outcome."""
        least, most, drawn = [], [], permutations(self.speaker, rng)
        at_once = max(1, min(_AT_ONCE, _VALUES // max(len(self.speaker), len(self.incidence.unit_speaker))))
        for start in range(0, number, at_once):
            places = np.stack([next(drawn) for _ in range(min(at_once, number - start))], axis=1)
            t = self.statistics(outcome[places]).t
            least.append(t.min(axis=0))
            most.append(t.max(axis=0))
        return np.concatenate(least), np.concatenate(most)


def simultaneous(
    found: Differences, extremes: tuple[Floats, Floats], sign: float, tail: float
) -> tuple[Floats, Floats, Floats]:
    """Adjusted p-values, and the ends of simultaneous intervals in the direction of failure.

    Parameters
    ----------
    found : Differences
        The statistics of one observed outcome.
    extremes : tuple of float arrays of shape (permutations,)
        The smallest and the largest ``t`` of each permutation.
    sign : {1, -1}
        The sign of differences that are failures; the ends are those of the differences times the sign.
    tail : float
        The probability that the intervals leave out on each side. A side is infinite where it is too small for the
        number of permutations.

    Returns
    -------
    tuple of float arrays of shape (slices,)
        The p-values, and the ends nearer to and farther from no difference.
    """
    least, most = extremes
    harm, other = (np.sort(each) for each in ((most, -least) if sign > 0 else (-least, most)))
    number = len(harm)
    t, difference, error = (sign * found.t[:, 0], sign * found.difference[:, 0], found.error[:, 0])
    p = np.minimum(2 * (1 + number - np.searchsorted(harm, t - 1e-9)) / (number + 1), 1)
    rank = math.ceil((1 - tail) * (number + 1) - 1e-9)
    near, far = (each[rank - 1] if rank <= number else np.inf for each in (harm, other))
    return p, difference - near * error, difference + far * error


def permutations(speaker: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Random exchanges of parts: between speakers with equally many, and among the parts of each speaker.

    Parameters
    ----------
    speaker : int array of shape (parts,)
        The speaker of each part, from 0 without gaps.

    Yields
    ------
    int array of shape (parts,)
        The part from which each part takes its outcome.

    Examples
    --------
    >>> next(permutations(np.array([0, 0, 1, 1]), np.random.default_rng(1))).tolist()
    [0, 1, 3, 2]
    """
    order, number = np.argsort(speaker, kind="stable"), np.bincount(speaker)
    starts = np.cumsum(number) - number
    strata = [order[starts[number == each][:, None] + np.arange(each)] for each in np.unique(number).tolist()]
    while True:
        places = np.empty(len(speaker), np.int64)
        for stratum in strata:
            moved = stratum[rng.permutation(len(stratum))]
            places[stratum] = rng.permuted(moved, axis=1) if moved.shape[1] > 1 else moved
        yield places
