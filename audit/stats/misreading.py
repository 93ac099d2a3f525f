"""A classifier's misreading, known from units whose truth is known, and what it does to observed shares of reads.

Truths and reads are codes of one list of labels. The formulas, their sources and the study that chose the smoothing
are in docs/method.md, "The instrument's error".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.stats.estimate import Estimate
from audit.stats.mixtures import nearest_shares, solving_maps
from audit.stats.rates import shortened
from audit.stats.settings import Settings
from audit.stats.speakers import Floats, Ints

TRANSFER: Final = (
    "The correction takes it that the classifier errs on what is corrected as it errs on the calibration units. What "
    "looks like none of the calibrated classes is attributed to those that there are."
)
"""The assumption that a correction rests on and cannot check."""

MOST_CONDITION: Final = 10.0
"""Above this condition number of the confusion matrix nothing is corrected: a small error of a row would decide."""

PSEUDO_UNIT: Final = 1.0
"""How many made-up units each row of the matrix and each cell gets in the interval, none in the point."""

DRAWN_EXACTLY: Final = 256
"""With more distinct speakers in a cell, the normal limit of their weighted sum is drawn instead of their weights."""


@dataclass(frozen=True)
class Corrected:
    """A share of reads as observed, and with the classifier's misreading taken out.

    Attributes
    ----------
    raw : float or None
        The observed share; None where nobody was read.
    estimate : Estimate
        The corrected share, between 0 and 1; its method says how it was made or why it was refused.
    condition_number : float or None
        Ratio of the largest to the smallest singular value of the confusion matrix, from 1; None without a matrix.
    effective_speakers : float or None
        How many speakers, read without error, would tell as much: their number times the squared ratio of what the
        resamples of the observed and of the corrected share span. None without an interval.
    """

    raw: float | None
    estimate: Estimate
    condition_number: float | None
    effective_speakers: float | None


@dataclass(frozen=True)
class Misreading:
    """What a classifier reads, by truth, in units whose truth is known.

    Attributes
    ----------
    labels : tuple of str
        What the codes of truths and reads mean, in order.
    unit, truth : int arrays of shape (units,)
        Each unit's number (the same number in a cell to be corrected is the same unit) and the code of its truth.
    shares : float array of shape (units, labels)
        Which part of each unit's pictures was read as what; rows sum to 1.
    settings : Settings
        Of the statistics.

    Examples
    --------
    Rogan and Gladen (1978): of 10 units of class a, 9 are read as such; of 10 of class b, 2 are read as a. Half of the
    reads of 20 others are a, so ``(0.5 - 0.2) / (0.9 - 0.2)`` of them are.

    >>> truth, read = np.repeat([0, 1], 10), np.r_[np.zeros(9), 1, np.zeros(2), np.ones(8)].astype(int)
    >>> known = Misreading.of(truth, read, np.arange(20), ("a", "b"))
    >>> found = known.corrected(np.repeat([0, 1], 10), np.arange(100, 120))["a"]
    >>> found.raw, round(found.estimate.value, 4), round(found.condition_number, 2)
    (0.5, 0.4286, 1.46)
    """

    labels: tuple[str, ...]
    unit: Ints
    truth: Ints
    shares: Floats
    settings: Settings

    @classmethod
    def of(
        cls, truth: Ints, read: Ints, units: Ints, labels: Sequence[str], settings: Settings | None = None
    ) -> Misreading:
        """Collect calibration pictures into units; a unit's several pictures count as their mean.

        Parameters
        ----------
        truth, read : int arrays of shape (pictures,)
            Codes of ``labels``; a negative one, of either, leaves the picture out.
        units : int array of shape (pictures,)
            Whose picture it is, from 0.
        labels : sequence of str
            What the codes mean.
        settings : Settings, optional
            The default settings if left out.

        Raises
        ------
        ValueError
            For codes beyond the labels, lengths that differ, or a unit of two truths.
        """
        truth, read, units = (np.asarray(codes, np.int64) for codes in (truth, read, units))
        if not len(truth) == len(read) == len(units):
            raise ValueError(f"{len(truth)} truths, {len(read)} reads and {len(units)} units")
        if len(truth) and max(truth.max(), read.max()) >= len(labels):
            raise ValueError(f"a code is beyond the {len(labels)} labels")
        known = (truth >= 0) & (read >= 0)
        unit, counts = _counts(read[known], units[known], len(labels))
        place = np.searchsorted(unit, units[known])
        own = np.zeros(len(unit), np.int64)
        own[place] = truth[known]
        if (own[place] != truth[known]).any():
            raise ValueError("a unit has two truths")
        return cls(tuple(labels), unit, own, counts / counts.sum(axis=1, keepdims=True), settings or Settings())

    @cached_property
    def classes(self) -> Ints:
        """Codes of the truths that have units: the rows of the matrix."""
        return np.unique(self.truth)

    @cached_property
    def n_units(self) -> Ints:
        """Units of each class."""
        return np.asarray([(self.truth == code).sum() for code in self.classes], np.int64)

    @cached_property
    def matrix(self) -> Floats:
        """The mean read of each class's units, of shape (classes, labels): rows sum to 1."""
        first = self._strata[1]
        worth = self.shares[first] * self._stratum_sizes[:, None]
        total = np.array([worth[self.truth[first] == code].sum(axis=0) for code in self.classes])
        return total.reshape(-1, len(self.labels)) / self.n_units[:, None]

    @cached_property
    def condition_number(self) -> float | None:
        """Ratio of the matrix's largest to its smallest singular value; infinite where a row is mixed of others."""
        if not len(self.classes):
            return None
        values = np.linalg.svd(self.matrix, compute_uv=False)
        return float(f"{values[0] / values[-1]:.6g}") if values[-1] > 1e-9 else float("inf")

    @cached_property
    def refusal(self) -> str:
        """Why nothing can be corrected with these units, and what would help; empty where it can."""
        if len(self.classes) < 2:
            there = f"{self.labels[self.classes[0]]} only" if len(self.classes) else "no class"
            return f"not corrected: calibration units of {there}; those of at least two classes would help"
        fewest = self.settings.min_speakers
        thin = [f"{self.labels[code]} {n}" for code, n in zip(self.classes, self.n_units, strict=True) if n < fewest]
        if thin:
            return (
                f"not corrected: too few calibration units ({', '.join(thin)}; at least {fewest} of each class "
                "needed); more of them would help"
            )
        if self.condition_number is None or self.condition_number > MOST_CONDITION:
            return (
                "not corrected: the calibrated classes are read too much alike (condition number "
                f"{self.condition_number:.3g}, at most {MOST_CONDITION:g}); a classifier that tells them apart would "
                "help"
            )
        return ""

    def corrected(self, read: Ints, speakers: Ints, *, name: str = "") -> dict[str, Corrected]:
        """The shares of the calibrated classes among some speakers, with the misreading taken out.

        The observed shares ``q`` (averaged as the settings' estimand says) are taken for a mixture of the matrix's
        rows, ``q = M' p`` (Rogan and Gladen 1978 for two classes; Barron 1977, the matrix method, for more), and ``p``
        is the point of the simplex whose mixture comes nearest to ``q``.

        Parameters
        ----------
        read : int array of shape (clips,)
            Codes; negative for a clip that was not read.
        speakers : int array of shape (clips,)
            Who is heard; a number that is a calibration unit's is that unit.
        name : str
            With the settings' seed it decides the random numbers.

        Returns
        -------
        dict of str to Corrected
            One for each calibrated class, by label.
        """
        read, speakers = np.asarray(read, np.int64), np.asarray(speakers, np.int64)
        there = read >= 0
        unit, counts = _counts(read[there], speakers[there], len(self.labels))
        numbers = (len(unit), int(there.sum()), int((~there).sum()))
        labels = [self.labels[code] for code in self.classes]
        if not len(unit):
            nobody = Estimate(None, None, None, *numbers, "not estimable: no speaker was read")
            return {label: Corrected(None, nobody, self.condition_number, None) for label in labels}
        by_clip = self.settings.estimand == "clip"
        cell = _Cell.of(counts if by_clip else counts / counts.sum(axis=1, keepdims=True), self._stratum_of(unit))
        observed = cell.total / cell.total.sum()
        raw = [shortened(observed[code]) for code in self.classes]
        if self.refusal:
            refused = Estimate(None, None, None, *numbers, self.refusal)
            return {
                label: Corrected(own, refused, self.condition_number, None)
                for label, own in zip(labels, raw, strict=True)
            }
        value = nearest_shares(self.matrix, observed)
        method = (
            f"matrix correction by {len(self.unit)} calibration units of {len(self.classes)} classes, condition number "
            f"{self.condition_number:.3g}{', clip-averaged' if by_clip else ''}"
        )
        n, fewest = len(unit), self.settings.min_speakers
        if n < fewest:
            short = f"not estimable: {n} speaker{'' if n == 1 else 's'}, at least {fewest} needed; {method}"
            bare = [Estimate(shortened(own), None, None, *numbers, short) for own in value]
            return {label: Corrected(raw[i], bare[i], self.condition_number, None) for i, label in enumerate(labels)}
        low, high, effective = self._intervals(cell, value, n, name)
        method = f"Bayesian bootstrap of {n} speakers; {method}"
        return {
            label: Corrected(
                raw[i],
                Estimate(shortened(value[i]), shortened(low[i]), shortened(high[i]), *numbers, method),
                self.condition_number,
                float(f"{effective[i]:.6g}"),
            )
            for i, label in enumerate(labels)
        }

    def _intervals(self, cell: _Cell, value: Floats, n: int, name: str) -> tuple[Floats, Floats, Floats]:
        """Ends of each class's interval, and its effective number of speakers.

        A resample's shares are solved for without the simplex's bounds, and the interval's ends are put within them
        afterwards: on the bounds themselves the bootstrap of a bounded estimate is not consistent (Andrews 2000). The
        cell's made-up unit is read, for the upper end, as what raises the share most, and for the lower end as what
        lowers it most, which is how Clopper and Pearson's limits come from beta distributions.
        """
        rng = self.settings.generator(name)
        sums = cell.resampled(self._stratum_sizes, self._stratum_weights, rng)
        weight = sums.sum(axis=0)
        made_up = PSEUDO_UNIT * rng.standard_exponential(len(weight)) * (cell.total.sum() / n)
        lasting = made_up / (weight + made_up)
        tail, levels = self.settings.tail, [self.settings.tail, 1 - self.settings.tail]
        low, high, effective = (np.empty(len(self.classes)) for _ in range(3))
        for i, code in enumerate(self.classes):
            solving = self._solving[i]
            plain = np.zeros(len(weight))
            for k in range(len(self.labels)):
                plain += solving[k] * sums[k]
            plain /= weight
            low[i] = np.quantile(plain + lasting * (solving.min(axis=0) - plain), tail)
            up = plain + lasting * (solving.max(axis=0) - plain)
            high[i] = np.quantile(up, 1 - tail)
            seen = sums[code] / weight
            least, most = np.quantile([seen + lasting * (1 - seen), up], levels, axis=1)
            spread = most - least
            effective[i] = n * (spread[0] / spread[1]) ** 2
        low, high = np.clip(np.minimum(low, value), 0, 1), np.clip(np.maximum(high, value), 0, 1)
        # nothing is known better than by speakers who all agree, whose reads are never mistaken
        low = np.where(value >= 1, np.minimum(low, tail ** (1 / n)), low)
        high = np.where(value <= 0, np.maximum(high, 1 - tail ** (1 / n)), high)
        return low, high, effective

    @cached_property
    def _strata(self) -> tuple[Ints, Ints]:
        """Each unit's stratum (the units of one truth and the same reads) by number, and a unit of each stratum."""
        order, starts = _distinct(np.column_stack([self.truth, self.shares]))
        number = np.empty(len(order), np.int64)
        number[order] = np.cumsum(starts) - 1
        return number, order[starts]

    def _stratum_of(self, units: Ints) -> Ints:
        """The stratum of each of some units, -1 for one that is no calibration unit."""
        place = np.searchsorted(self.unit, units).clip(max=max(len(self.unit) - 1, 0))
        if not len(self.unit):
            return np.full(len(units), -1, np.int64)
        return np.where(self.unit[place] == units, self._strata[0][place], -1)

    @cached_property
    def _stratum_sizes(self) -> Ints:
        return np.bincount(self._strata[0])

    @cached_property
    def _stratum_weights(self) -> Floats:
        """Summed weights of each stratum in each resample: exponential ones (Rubin 1981), so their sum is a gamma."""
        rng = self.settings.generator("misreading")
        return rng.standard_gamma(self._stratum_sizes[:, None], (len(self._stratum_sizes), self.settings.resamples))

    @cached_property
    def _solving(self) -> Floats:
        """What solves ``q = M' p`` by least squares under ``sum p = 1``, of shape (classes, labels, resamples).

        ``p = S q``, resample by resample, for any ``q`` that sums to 1. Every row has its made-up unit, spread over the
        reads at random.
        """
        rng, k = self.settings.generator("misreading, made-up units"), len(self.labels)
        first = self._strata[1]
        rows = rng.standard_gamma(PSEUDO_UNIT / k, (len(self.classes), k, self.settings.resamples))
        for i, code in enumerate(self.classes):
            for stratum in np.flatnonzero(self.truth[first] == code):
                rows[i] += self.shares[first[stratum]][:, None] * self._stratum_weights[stratum]
        rows /= rows.sum(axis=1, keepdims=True)
        return solving_maps(rows)


@dataclass(frozen=True)
class _Cell:
    """The speakers of a cell in an order of their numbers alone: their reads ``x`` and their stratum (-1: none)."""

    x: Floats
    stratum: Ints
    first: Ints
    """Where each of the distinct speakers begins."""

    @classmethod
    def of(cls, x: Floats, stratum: Ints) -> _Cell:
        order, starts = _distinct(np.column_stack([stratum, x]))
        return cls(x[order], stratum[order], np.flatnonzero(starts))

    @cached_property
    def total(self) -> Floats:
        """The speakers' reads, summed, of shape (labels,)."""
        return np.asarray(self.x.sum(axis=0))

    def resampled(self, sizes: Ints, weights: Floats, rng: np.random.Generator) -> Floats:
        """Weighted sums of the speakers' reads, of shape (labels, resamples), given the weights of the strata.

        ``sizes`` and ``weights`` are the calibration units of each stratum and their summed weights. A stratum's weight
        is split among its units as exponential weights of that sum are, by a Dirichlet distribution.
        """
        if len(self.first) > DRAWN_EXACTLY:
            return self._in_the_limit(sizes, weights, rng)
        x, stratum = self.x[self.first], self.stratum[self.first]
        number = np.diff(np.r_[self.first, len(self.x)])
        drawn = rng.standard_gamma(number[:, None], (len(number), weights.shape[1]))
        for s in np.unique(stratum[stratum >= 0]):
            of = stratum == s
            outside = int(sizes[s] - number[of].sum())
            rest = rng.standard_gamma(outside, weights.shape[1]) if outside else 0.0
            drawn[of] *= weights[s] / (drawn[of].sum(axis=0) + rest)
        return np.array([(drawn * x[:, k, None]).sum(axis=0) for k in range(x.shape[1])])

    def _in_the_limit(self, sizes: Ints, weights: Floats, rng: np.random.Generator) -> Floats:
        """The same for many speakers: mean and covariance of the sums are exact, their shape is the normal one."""
        k = self.x.shape[1]
        expected = np.zeros((k, weights.shape[1]))
        scatter = np.array([[(self.x[:, i] * self.x[:, j]).sum() for j in range(k)] for i in range(k)])
        for s in np.unique(self.stratum):
            total = self.x[self.stratum == s].sum(axis=0)
            if s < 0:
                expected += total[:, None]
            else:
                expected += (total / sizes[s])[:, None] * weights[s]
                scatter -= total[:, None] * total / sizes[s]
        root, noise = _root(scatter), rng.standard_normal(expected.shape)
        for i in range(k):
            expected += root[:, i, None] * noise[i]
        return np.maximum(expected, 0.0)


def _root(scatter: Floats) -> Floats:
    """A square root of a covariance matrix (Cholesky's), which may be singular."""
    n = len(scatter)
    root = np.zeros((n, n))
    for j in range(n):
        rest = scatter[j:, j] - (root[j:, :j] * root[j, :j]).sum(axis=1)
        if rest[0] > 1e-12 * max(1.0, scatter[j, j]):
            root[j:, j] = rest / np.sqrt(rest[0])
    return root


def _counts(read: Ints, units: Ints, n_labels: int) -> tuple[Ints, Floats]:
    """The units that there are, in order, and how often each was read as what."""
    if not len(read):
        return np.zeros(0, np.int64), np.zeros((0, n_labels))
    counts = np.bincount(units * n_labels + read, minlength=(int(units.max()) + 1) * n_labels).reshape(-1, n_labels)
    unit = np.flatnonzero(counts.any(axis=1))
    return unit, counts[unit].astype(np.float64)


def _distinct(rows: Floats) -> tuple[Ints, NDArray[np.bool_]]:
    """The order of the rows by their numbers, and which of the ordered ones differ from the one before."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    starts = np.ones(len(rows), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, starts
