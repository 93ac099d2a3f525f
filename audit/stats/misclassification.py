"""Misclassification correction: shares of reads corrected by a confusion matrix from units of known truth.

Truths and reads are codes of one list of labels. docs/reference/method.md, "Misclassification", has the formulas, their
sources and the study that chose the smoothing.
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
    "The correction assumes that the classifier makes the same errors on the corrected data as on the calibration "
    "units. Reads that belong to none of the calibrated classes are attributed to the calibrated ones."
)
"""The assumption of the correction, which it cannot check."""

MOST_CONDITION: Final = 10.0
"""Largest condition number of the confusion matrix that is corrected; above it small errors of a row dominate."""

PSEUDO_UNIT: Final = 1.0
"""Weight of the pseudo unit that each row of the matrix and each cell gets in the interval, not in the point."""

DRAWN_EXACTLY: Final = 256
"""Above this number of distinct speakers in a cell, the normal limit of their weighted sum is drawn."""


@dataclass(frozen=True)
class Corrected:
    """A share of reads, observed and corrected for misclassification.

    Attributes
    ----------
    raw : float or None
        The observed share; None if no speaker was read.
    estimate : Estimate
        The corrected share, between 0 and 1; its method says how it was made or why it was refused.
    condition_number : float or None
        Ratio of the largest to the smallest singular value of the confusion matrix, at least 1; None without a matrix.
    effective_speakers : float or None
        Effective sample size: the number of speakers times the squared ratio of the interval widths of the observed
        and of the corrected share. None without an interval.
    """

    raw: float | None
    estimate: Estimate
    condition_number: float | None
    effective_speakers: float | None


@dataclass(frozen=True)
class Misclassification:
    """Reads of a classifier on calibration units of known truth.

    Attributes
    ----------
    labels : tuple of str
        Label of each code, in order.
    unit, truth : int arrays of shape (units,)
        Number of each unit (the same number in a cell to be corrected is the same unit) and the code of its truth.
    shares : float array of shape (units, labels)
        Share of each unit's pictures with each read; rows sum to 1.
    settings : Settings
        Statistical settings.

    Examples
    --------
    Rogan and Gladen (1978): 9 of 10 units of class a are read as a, and 2 of 10 of class b. Half of the reads of 20
    others are a, so the corrected share is ``(0.5 - 0.2) / (0.9 - 0.2)``.

    >>> truth, read = np.repeat([0, 1], 10), np.r_[np.zeros(9), 1, np.zeros(2), np.ones(8)].astype(int)
    >>> known = Misclassification.of(truth, read, np.arange(20), ("a", "b"))
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
    ) -> Misclassification:
        """Group calibration pictures into units; several pictures of a unit count as their mean.

        Parameters
        ----------
        truth, read : int arrays of shape (pictures,)
            Codes of ``labels``; a picture with a negative code is left out.
        units : int array of shape (pictures,)
            Unit of each picture, from 0.
        labels : sequence of str
            Label of each code.
        settings : Settings, optional
            Default: ``Settings()``.

        Raises
        ------
        ValueError
            For codes beyond the labels, lengths that differ, or a unit with two truths.
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
        """Codes of the truths that have units, one per row of the matrix."""
        return np.unique(self.truth)

    @cached_property
    def n_units(self) -> Ints:
        """Number of units of each class."""
        return np.asarray([(self.truth == code).sum() for code in self.classes], np.int64)

    @cached_property
    def matrix(self) -> Floats:
        """Confusion matrix of shape (classes, labels): the mean reads of each class's units; rows sum to 1."""
        first = self._strata[1]
        counts = self.shares[first] * self._stratum_sizes[:, None]
        total = np.array([counts[self.truth[first] == code].sum(axis=0) for code in self.classes])
        return total.reshape(-1, len(self.labels)) / self.n_units[:, None]

    @cached_property
    def condition_number(self) -> float | None:
        """Ratio of the matrix's largest to its smallest singular value; infinite for linearly dependent rows."""
        if not len(self.classes):
            return None
        values = np.linalg.svd(self.matrix, compute_uv=False)
        return float(f"{values[0] / values[-1]:.6g}") if values[-1] > 1e-9 else float("inf")

    @cached_property
    def refusal(self) -> str:
        """Why no correction is possible with these units, and what would help; empty if it is possible."""
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
                "not corrected: the reads of the calibrated classes are too similar (condition number "
                f"{self.condition_number:.3g}, at most {MOST_CONDITION:g}); a classifier that separates them would help"
            )
        return ""

    def corrected(self, read: Ints, speakers: Ints, *, name: str = "") -> dict[str, Corrected]:
        """Shares of the calibrated classes among the speakers, corrected for misclassification.

        The observed shares ``q`` (averaged under the settings' estimand) are modelled as a mixture of the matrix's
        rows, ``q = M' p`` (Rogan and Gladen 1978 for two classes; Barron 1977, the matrix method, for more), and ``p``
        is the point of the simplex whose mixture is nearest to ``q``.

        Parameters
        ----------
        read : int array of shape (clips,)
            Codes; negative for a clip that was not read.
        speakers : int array of shape (clips,)
            Speaker of each clip; the number of a calibration unit means that unit.
        name : str
            Seeds the random numbers, together with the settings' seed.

        Returns
        -------
        dict of str to Corrected
            One per calibrated class, by label.
        """
        read, speakers = np.asarray(read, np.int64), np.asarray(speakers, np.int64)
        there = read >= 0
        unit, counts = _counts(read[there], speakers[there], len(self.labels))
        numbers = (len(unit), int(there.sum()), int((~there).sum()))
        n, fewest = len(unit), self.settings.min_speakers
        nothing: list[float | None] = [None] * len(self.classes)
        raw = value = low = high = effective = nothing
        method = self.refusal if n else "not estimable: no speaker was read"
        if n:
            by_clip = self.settings.estimand == "clip"
            cell = _Cell.of(counts if by_clip else counts / counts.sum(axis=1, keepdims=True), self._stratum_of(unit))
            observed = cell.total / cell.total.sum()
            raw = [*map(shortened, observed[self.classes])]
        if not method:
            shares = nearest_shares(self.matrix, observed)
            value = [*map(shortened, shares)]
            how = (
                f"matrix correction by {len(self.unit)} calibration units of {len(self.classes)} classes, condition "
                f"number {self.condition_number:.3g}{', clip-averaged' if by_clip else ''}"
            )
            method = f"not estimable: {n} speaker{'' if n == 1 else 's'}, at least {fewest} needed; {how}"
            if n >= fewest:
                *ends, sizes = self._intervals(cell, shares, n, name)
                low, high = ([*map(shortened, end)] for end in ends)
                effective = [float(f"{size:.6g}") for size in sizes]
                method = f"Bayesian bootstrap of {n} speakers; {how}"
        return {
            self.labels[code]: Corrected(
                raw[i], Estimate(value[i], low[i], high[i], *numbers, method), self.condition_number, effective[i]
            )
            for i, code in enumerate(self.classes)
        }

    def _intervals(self, cell: _Cell, value: Floats, n: int, name: str) -> tuple[Floats, Floats, Floats]:
        """Interval of each class, and its effective sample size.

        The shares of a resample are solved without the bounds of the simplex, and the ends of the interval are clipped
        afterwards: at the bounds the bootstrap of a bounded estimate is not consistent (Andrews 2000). The pseudo unit
        of the cell gets the read that raises the share most for the upper end, and the one that lowers it most for the
        lower end, as in the beta distributions of Clopper and Pearson's limits.
        """
        rng = self.settings.generator(name)
        sums = cell.resampled(self._stratum_sizes, self._stratum_weights, rng)
        weight = sums.sum(axis=0)
        pseudo = PSEUDO_UNIT * rng.standard_exponential(len(weight)) * (cell.total.sum() / n)
        share = pseudo / (weight + pseudo)
        tail, levels = self.settings.tail, [self.settings.tail, 1 - self.settings.tail]
        low, high, effective = (np.empty(len(self.classes)) for _ in range(3))
        for i, (code, solving) in enumerate(zip(self.classes, self._solving, strict=True)):
            plain = sum(each * own for each, own in zip(solving, sums, strict=True)) / weight
            low[i] = np.quantile(plain + share * (solving.min(axis=0) - plain), tail)
            up = plain + share * (solving.max(axis=0) - plain)
            high[i] = np.quantile(up, 1 - tail)
            observed = sums[code] / weight
            least, most = np.quantile([observed + share * (1 - observed), up], levels, axis=1)
            width = most - least
            effective[i] = n * (width[0] / width[1]) ** 2
        low, high = np.clip(np.minimum(low, value), 0, 1), np.clip(np.maximum(high, value), 0, 1)
        # never narrower than for speakers who all agree and are read without error
        low = np.where(value >= 1, np.minimum(low, tail ** (1 / n)), low)
        high = np.where(value <= 0, np.maximum(high, 1 - tail ** (1 / n)), high)
        return low, high, effective

    @cached_property
    def _strata(self) -> tuple[Ints, Ints]:
        """Index of each unit's stratum (units with equal truth and reads), and one unit of each stratum."""
        order, starts = _distinct(np.column_stack([self.truth, self.shares]))
        number = np.empty(len(order), np.int64)
        number[order] = np.cumsum(starts) - 1
        return number, order[starts]

    def _stratum_of(self, units: Ints) -> Ints:
        """Stratum of each unit, -1 if it is not a calibration unit."""
        place = np.searchsorted(self.unit, units)
        known = np.append(self.unit, -1)[place] == units
        return np.where(known, np.append(self._strata[0], -1)[place], -1)

    @cached_property
    def _stratum_sizes(self) -> Ints:
        return np.bincount(self._strata[0])

    @cached_property
    def _stratum_weights(self) -> Floats:
        """Summed weights of each stratum in each resample: exponential (Rubin 1981), so their sum is gamma."""
        rng = self.settings.generator("misreading")
        return rng.standard_gamma(self._stratum_sizes[:, None], (len(self._stratum_sizes), self.settings.resamples))

    @cached_property
    def _solving(self) -> Floats:
        """Least-squares solution of ``q = M' p`` under ``sum p = 1``, of shape (classes, labels, resamples).

        ``p = S q`` in each resample, for any ``q`` that sums to 1. Every row has a pseudo unit with random reads.
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
    """The speakers of a cell, sorted by value: their reads ``x`` and their stratum (-1: none)."""

    x: Floats
    stratum: Ints
    first: Ints
    """Index of the first of each set of equal speakers."""

    @classmethod
    def of(cls, x: Floats, stratum: Ints) -> _Cell:
        order, starts = _distinct(np.column_stack([stratum, x]))
        return cls(x[order], stratum[order], np.flatnonzero(starts))

    @cached_property
    def total(self) -> Floats:
        """Sum of the speakers' reads, of shape (labels,)."""
        return np.asarray(self.x.sum(axis=0))

    def resampled(self, sizes: Ints, weights: Floats, rng: np.random.Generator) -> Floats:
        """Weighted sums of the speakers' reads, of shape (labels, resamples), given the weights of the strata.

        ``sizes`` and ``weights`` are the number of calibration units of each stratum and their summed weights. The
        weight of a stratum is split among its units by a Dirichlet distribution, as exponential weights are.
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
        """The same for many speakers: normal sums with exact mean and covariance."""
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
    """Cholesky root of a covariance matrix, which may be singular."""
    n = len(scatter)
    root = np.zeros((n, n))
    for j in range(n):
        rest = scatter[j:, j] - (root[j:, :j] * root[j, :j]).sum(axis=1)
        if rest[0] > 1e-12 * max(1.0, scatter[j, j]):
            root[j:, j] = rest / np.sqrt(rest[0])
    return root


def _counts(read: Ints, units: Ints, n_labels: int) -> tuple[Ints, Floats]:
    """The units that occur, sorted, and their number of reads of each label."""
    if not len(read):
        return np.zeros(0, np.int64), np.zeros((0, n_labels))
    counts = np.bincount(units * n_labels + read, minlength=(int(units.max()) + 1) * n_labels).reshape(-1, n_labels)
    unit = np.flatnonzero(counts.any(axis=1))
    return unit, counts[unit].astype(np.float64)


def _distinct(rows: Floats) -> tuple[Ints, NDArray[np.bool_]]:
    """The sorting order of the rows, and which of the sorted rows differ from the one before."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    starts = np.ones(len(rows), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, starts
