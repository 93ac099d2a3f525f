"""Simulated figures: the estimates of many data sets drawn from a stated truth, for planning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from audit.stats.clusters import Sharing
from audit.stats.curves import Curve
from audit.stats.estimate import Estimate
from audit.stats.pairs import PairSums, paired_estimates
from audit.stats.rates import estimates
from audit.stats.settings import Settings
from audit.stats.speakers import Floats, Ints, sorted_sums


@dataclass(frozen=True)
class Speakers:
    """The speakers of one side of a simulated figure, and their true rates.

    Attributes
    ----------
    clips : tuple of (int, int)
        Numbers of clips and of speakers: ``((2, 30), (4, 10))`` are 30 speakers with 2 clips and 10 with 4.
    rate : float
        The true rate, in [0, 1]: the mean of the speakers' probabilities.
    icc : float
        Intra-class correlation of the clips of a speaker, in [0, 1]. A speaker's probability has a beta distribution.
    before : float or None
        True rate of an earlier reading of the same speakers, from which the change is taken: one reading per speaker,
        independent of the later ones. ``None`` for a rate instead of a change.
    sign : {1, -1}
        With -1 the figure is one minus the rate, or minus the change.
    one_value : bool
        Whether a speaker's clips count as a single value, their mean.
    clusters : tuple of int
        The number of each speaker's cluster, in the order of ``clips``; empty where speakers share none.
    cluster_share : float
        Of the variance between the speakers' probabilities, the share between clusters, in [0, 1].

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    clips: tuple[tuple[int, int], ...]
    rate: float
    icc: float = 0.3
    before: float | None = None
    sign: int = 1
    one_value: bool = False
    clusters: tuple[int, ...] = ()
    cluster_share: float = 0.5

    def __post_init__(self) -> None:
        for name, value in (("rate", self.rate), ("icc", self.icc), ("before", self.before or 0.0)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} {value} lies outside [0, 1]")
        if self.sign not in (1, -1) or any(clips < 1 or speakers < 0 for clips, speakers in self.clips):
            raise ValueError(f"sign {self.sign} or clips {self.clips} is not allowed")
        if self.clusters and len(self.clusters) != sum(speakers for _, speakers in self.clips):
            raise ValueError(f"{len(self.clusters)} clusters are not one for each speaker")


def reads_distribution(clips: int, rate: float, icc: float) -> Floats:
    """Probability of 0 to ``clips`` positive reads of one speaker: the beta-binomial distribution (Skellam 1948).

    Parameters
    ----------
    clips : int
        Number of clips.
    rate, icc : float
        Mean of the speakers' probabilities, and intra-class correlation: ``rate * (1 - rate) * icc`` is the variance
        of the probabilities.

    Examples
    --------
    >>> reads_distribution(2, 0.5, 0.0).round(3).tolist(), reads_distribution(2, 0.5, 1.0).tolist()
    ([0.25, 0.5, 0.25], [0.5, 0.0, 0.5])
    """
    from scipy import stats  # imported late: it takes a second, and a gate without plans does not need it

    reads = np.arange(clips + 1)
    if icc <= 0 or rate in (0.0, 1.0):
        return np.asarray(stats.binom.pmf(reads, clips, rate))
    if icc >= 1:
        return np.where(reads == clips, rate, 0.0) + np.where(reads == 0, 1 - rate, 0.0)
    size = (1 - icc) / icc
    return np.asarray(stats.betabinom.pmf(reads, clips, rate * size, (1 - rate) * size))


def drawn_probabilities(rng: np.random.Generator, mean: Floats, icc: float) -> Floats:
    """Probabilities with given means, and variances ``mean * (1 - mean) * icc``: beta distributions.

    Examples
    --------
    >>> drawn_probabilities(np.random.default_rng(0), np.array([0.0, 0.5, 1.0]), 0.0).tolist()
    [0.0, 0.5, 1.0]
    >>> round(float(drawn_probabilities(np.random.default_rng(0), np.full(100_000, 0.2), 0.3).var()), 3)  # 0.16 * 0.3
    0.048
    """
    if icc <= 0:
        return mean
    if icc >= 1:
        return (rng.random(mean.shape) < mean).astype(np.float64)
    size, inside = (1 - icc) / icc, np.clip(mean, 1e-9, 1 - 1e-9)
    drawn = rng.beta(inside * size, (1 - inside) * size)
    return np.where((mean <= 0) | (mean >= 1), mean, drawn)


@dataclass(frozen=True)
class Simulated:
    """Data sets drawn from a stated truth: how many speakers of each data set have which reads.

    Attributes
    ----------
    data_sets : int
        Number of data sets.
    data_set : int array of shape (entries,)
        The data set of each entry, from 0. An entry is one or several speakers with equal reads.
    total, clips, number : arrays of shape (entries,)
        Sum over the clips of one speaker, number of clips of one speaker, and number of speakers.
    is_change : bool
        Whether the values are changes between two readings.
    cluster : int array of shape (entries,), optional
        The cluster of each entry, which is then one speaker; ``None`` where speakers share none.

    Examples
    --------
    >>> truth = Speakers(((2, 40),), rate=0.0, before=0.0)  # nothing is ever read
    >>> drawn = Simulated.draw(truth, 3, np.random.default_rng(0))
    >>> found = [curve.at(0.95) for curve in drawn.curves(Settings())]
    >>> [(each.value, each.n_speakers) for each in found]
    [(0.0, 40), (0.0, 40), (0.0, 40)]
    """

    data_sets: int
    data_set: Ints
    total: Floats
    clips: Ints
    number: Ints
    is_change: bool
    cluster: Ints | None = None

    @classmethod
    def draw(cls, truth: Speakers, data_sets: int, rng: np.random.Generator) -> Simulated:
        """Draw data sets.

        Only the numbers of speakers with equal reads are drawn, whatever their number; where speakers share clusters,
        each speaker's reads are.
        """
        if truth.clusters:
            return cls._of_clusters(truth, data_sets, rng)
        is_change, none = truth.before is not None, np.zeros(0, np.int64)
        parts = [cls(data_sets, none, np.zeros(0), none, none, is_change)]
        for m, n in truth.clips:
            total, chance = np.arange(m + 1), reads_distribution(m, truth.rate, truth.icc)
            if truth.before is not None:
                total = np.concatenate([total, total - m])
                chance = np.concatenate([(1 - truth.before) * chance, truth.before * chance])
            if truth.sign < 0:
                total = (0 if is_change else m) - total
            number = rng.multinomial(n, chance / chance.sum(), size=data_sets)
            data_set, kind = np.nonzero(number)
            value = total[kind] / (m if truth.one_value else 1)
            clips = np.full(len(kind), 1 if truth.one_value else m)
            parts.append(cls(data_sets, data_set, value, clips, number[data_set, kind], is_change))
        return cls.joined(parts)

    @classmethod
    def _of_clusters(cls, truth: Speakers, data_sets: int, rng: np.random.Generator) -> Simulated:
        """Draw the probability of each cluster, of each speaker around it, then the reads."""
        of = np.array(truth.clusters, np.int64)
        names, place = np.unique(of, return_inverse=True)
        clips = np.repeat(*np.array(truth.clips, np.int64).T)
        between = truth.icc * truth.cluster_share
        of_cluster = drawn_probabilities(rng, np.full((data_sets, len(names)), truth.rate), between)
        # the two variances add up to that of the speakers: E[p (1 - p)] is reduced by the first
        within = (truth.icc - between) / (1 - between) if between < 1 else 0.0
        total = rng.binomial(clips, drawn_probabilities(rng, of_cluster[:, place], within))
        is_change = truth.before is not None
        if truth.before is not None:
            total = total - clips * (rng.random(total.shape) < truth.before)
        if truth.sign < 0:
            total = (0 if is_change else clips) - total
        size = np.broadcast_to(clips, total.shape)
        value = (total / size if truth.one_value else total).ravel().astype(np.float64)
        count = np.ones(value.shape, np.int64) if truth.one_value else size.ravel()
        data_set = np.repeat(np.arange(data_sets), len(of))
        return cls(data_sets, data_set, value, count, np.ones_like(data_set), is_change, np.tile(of, data_sets))

    @classmethod
    def joined(cls, parts: Sequence[Simulated]) -> Simulated:
        """The speakers of several groups together, data set by data set."""
        joined = _concatenated(parts, [0] * len(parts))
        return cls(parts[0].data_sets, *joined, parts[0].is_change, _all_clusters(parts))

    @classmethod
    def stacked(cls, parts: Sequence[Simulated]) -> Simulated:
        """The data sets of all parts, one part after the other."""
        before = np.cumsum([0, *(part.data_sets for part in parts)]).tolist()
        return cls(before[-1], *_concatenated(parts, before[:-1]), parts[0].is_change, _all_clusters(parts))

    @property
    def n_speakers(self) -> int:
        """The number of speakers of each data set."""
        return int(self.number.sum()) // self.data_sets

    def curves(self, settings: Settings) -> list[Curve]:
        """The confidence curve of each data set: :func:`audit.stats.rate`, or :func:`audit.stats.paired` of changes.

        All data sets are estimated at once, for each confidence that is asked for.
        """
        none, names = np.zeros(self.data_sets, np.int64), [""] * self.data_sets
        sums = sorted_sums(self.data_set, self.total, self.clips, none, number=self.number)
        if self.cluster is not None:
            influence = self.total / self.clips - sums.macro_average()[self.data_set]
            ones, each = np.ones(len(influence)), np.arange(len(influence))
            shared = Sharing.of(influence, ones, each, self.cluster, self.data_set, self.data_sets)
            sums = replace(sums, sharing=shared)
        used = sums.sum(sums.clips).astype(np.int64)

        @cache
        def found(confidence: float) -> list[Estimate]:
            at = replace(settings, confidence=confidence)
            if self.is_change:
                return paired_estimates(PairSums(sums, used, none, none), "rate", at, names)
            return estimates(sums, "rate", at, names)

        return [Curve(_of(found, i)) for i in range(self.data_sets)]


def _concatenated(parts: Sequence[Simulated], offsets: Sequence[int]) -> tuple[Ints, Floats, Ints, Ints]:
    data_set = np.concatenate([part.data_set + offset for part, offset in zip(parts, offsets, strict=True)])
    total = np.concatenate([part.total for part in parts])
    clips, number = (np.concatenate([getattr(part, name) for part in parts]) for name in ("clips", "number"))
    return data_set, total, clips, number


def _all_clusters(parts: Sequence[Simulated]) -> Ints | None:
    found = [part.cluster for part in parts if part.cluster is not None]
    return np.concatenate(found) if len(found) == len(parts) else None


def _of(found: Callable[[float], list[Estimate]], i: int) -> Callable[[float], Estimate]:
    return lambda confidence: found(confidence)[i]


def fewest_speakers(chance: Callable[[int], float], power: float, *, least: int, most: int) -> int | None:
    """The smallest number of speakers with which a chance reaches ``power``; ``None`` if more than ``most``.

    Found by doubling from ``least``, then by bisection to within 4 %; exact below 50. ``chance`` should grow with the
    number of speakers.

    Examples
    --------
    >>> fewest_speakers(lambda n: 1 - 0.9**n, 0.8, least=2, most=100)  # 0.9**16 = 0.185
    16
    """
    low, high = least - 1, least
    while chance(high) < power:
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > max(1, low // 25):
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def scaled(clips: Sequence[int] | Ints, speakers: int) -> tuple[tuple[int, int], ...]:
    """The numbers of clips that ``speakers`` speakers would have if they were like those with ``clips`` clips.

    Takes evenly spaced quantiles; with as many speakers as there are, the numbers themselves.

    Returns
    -------
    tuple of (int, int)
        Numbers of clips and of speakers, for :class:`Speakers`.

    Examples
    --------
    >>> scaled([1, 2, 2, 4], 4), scaled([1, 2, 2, 4], 8)
    (((1, 1), (2, 2), (4, 1)), ((1, 2), (2, 4), (4, 2)))
    """
    ordered = np.sort(np.asarray(clips, np.int64))
    values, number = np.unique(ordered[_spaced(len(ordered), speakers)], return_counts=True)
    return tuple(zip(values.tolist(), number.tolist(), strict=True))


def scaled_clusters(clips: Sequence[int] | Ints, clusters: Sequence[int] | Ints, speakers: int) -> tuple[int, ...]:
    """The clusters of ``speakers`` such speakers, in the order of :func:`scaled`: further ones share the same clusters.

    Examples
    --------
    >>> scaled_clusters([1, 2, 2], [7, 9, 8], 6), scaled([1, 2, 2], 6)
    ((7, 7, 8, 8, 9, 9), ((1, 2), (2, 4)))
    """
    of = np.asarray(clusters, np.int64)
    order = np.lexsort((of, np.asarray(clips, np.int64)))
    return tuple(of[order][_spaced(len(order), speakers)].tolist())


def _spaced(n: int, speakers: int) -> Ints:
    """``speakers`` evenly spaced places among ``n``."""
    return ((np.arange(speakers) + 0.5) * n / max(speakers, 1)).astype(np.int64)
