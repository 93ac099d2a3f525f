"""Pearson's correlation of two readings across speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from audit.stats.estimate import Estimate
from audit.stats.rates import estimates_of, shortened
from audit.stats.settings import Settings
from audit.stats.speakers import Floats, Ints, SpeakerIds, checked_values, codes_of, speaker_sums

FEWEST: Final = 10
"""Minimum number of speakers for the interval of a correlation; ``min_speakers`` of the settings can only raise it."""

_ZERO: Final = 1e-9


@dataclass(frozen=True)
class Correlation:
    """A correlation, and its expectation if each speaker were paired with another one.

    Attributes
    ----------
    estimate : Estimate
        Pearson's r.
    others : float or None
        Mean of r over all pairings of each speaker with the second reading of another speaker of the same stratum: the
        part that the strata alone explain. ``None`` if no stratum has two speakers.
    """

    estimate: Estimate
    others: float | None


def correlation(
    first: ArrayLike, second: ArrayLike, speakers: SpeakerIds, settings: Settings | None = None
) -> Estimate:
    """Pearson's r of two readings of the same clips, across speakers, with its interval.

    Each speaker contributes the means of both readings over the clips that have both, and has weight 1 under either
    estimand. The interval is Fisher's (1921) on ``z = artanh(r)`` with Student's t with n - 2 degrees of freedom and
    the larger of two standard errors: ``1 / sqrt(n - 3)``, exact for normal readings, and the jackknife over speakers
    (Efron and Stein 1981), which accounts for tails and outliers. Its measured coverage:
    docs/validation/correlation.md.

    Parameters
    ----------
    first, second : arrays of shape (clips,)
        NaN (or None) for a clip that was not read.
    speakers, settings
        As :func:`rate`.

    Returns
    -------
    Estimate
        No interval below 10 speakers (or ``min_speakers``, if larger), if all speakers lie on one line, or if one
        speaker contributes all the variance. No value below 3 speakers or if a reading is constant. ``n_clips`` counts
        the clips with both readings, ``n_missing`` all others.

    Raises
    ------
    ValueError
        For infinite values, missing speaker ids, or lengths that differ.

    Examples
    --------
    >>> found = correlation([1, 2, 3, 4], [1, 3, 2, 4], [*"abcd"])  # covariance 4, variances 5
    >>> found.value, found.interval, found.method
    (0.8, None, 'no interval: 4 speakers, at least 10 needed')
    """
    a, b = checked_values(first, "mean"), checked_values(second, "mean")
    if len(a) != len(b):
        raise ValueError(f"{len(a)} first values but {len(b)} second ones")
    codes = codes_of(speakers, len(a))
    zeros = np.zeros(len(a), np.int64)
    return correlations(a, b, codes, zeros, 1, zeros, settings or Settings())[0].estimate


def correlations(
    first: Floats, second: Floats, codes: Ints, cells: Ints, n_cells: int, strata: Ints, settings: Settings
) -> list[Correlation]:
    """:func:`correlation` for every cell at once, each with its expectation under pairing with other speakers.

    Parameters
    ----------
    first, second : float arrays of shape (clips,)
        The two readings, NaN if missing.
    codes, cells, strata : int arrays of shape (clips,)
        Indices of each clip's speaker, cell, and stratum within which speakers are paired with others. All clips of a
        speaker have the same cell and stratum.
    n_cells : int
        Number of cells.
    settings : Settings
        Confidence and ``min_speakers``.
    """
    both = ~(np.isnan(first) | np.isnan(second))
    n_codes = int(codes.max()) + 1 if len(codes) else 0
    # one cell per speaker, so that both sums are in the order of the speakers' indices
    x, y = (speaker_sums(np.where(both, each, np.nan), codes, codes, n_codes) for each in (first, second))
    cell, stratum = (np.zeros(n_codes, np.int64) for _ in range(2))
    cell[codes], stratum[codes] = cells, strata
    cell, stratum = cell[x.cell], stratum[x.cell]
    order = np.lexsort((y.mean, x.mean, cell))  # by value, so that names and row order do not matter
    pairs = _Pairs(cell[order], n_cells, x.mean[order], y.mean[order])
    value, low, high, methods = _estimated(pairs, settings)
    others = _expected_with_others(pairs, stratum[order])
    used = np.bincount(cells[both], minlength=n_cells)
    unread = np.bincount(cells, minlength=n_cells) - used
    found = estimates_of((value, low, high), (pairs.n.astype(np.int64), used, unread), methods)
    return [Correlation(estimate, shortened(other)) for estimate, other in zip(found, others, strict=True)]


class _Pairs:
    """Pairs of speakers' means in canonical order, centred on the cell's mean, and their sums per cell."""

    def __init__(self, cell: Ints, n_cells: int, first: Floats, second: Floats) -> None:
        self.cell, self.n_cells = cell, n_cells
        self.n = self.sum(np.ones(len(cell)))
        self.x, self.constant_x = self._centred(first)
        self.y, self.constant_y = self._centred(second)
        self.xx, self.yy, self.xy = self.sum(self.x**2), self.sum(self.y**2), self.sum(self.x * self.y)

    def sum(self, of: Floats) -> Floats:
        """Sum per cell, added in the order of the entries: the same bits on every machine."""
        return np.bincount(self.cell, of, minlength=self.n_cells).astype(np.float64)

    def _centred(self, values: Floats) -> tuple[Floats, np.ndarray]:
        with np.errstate(invalid="ignore"):
            mean = self.sum(values) / self.n
            centred = values - mean[self.cell]
            return centred, np.sqrt(self.sum(centred**2) / self.n) <= _ZERO * np.maximum(1, np.abs(mean))


def _estimated(pairs: _Pairs, settings: Settings) -> tuple[Floats, Floats, Floats, list[str]]:
    """Value, low, high and method of every cell."""
    n, fewest = pairs.n, max(FEWEST, settings.min_speakers)
    able = (n >= 3) & ~pairs.constant_x & ~pairs.constant_y
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(able, np.clip(pairs.xy / np.sqrt(pairs.xx * pairs.yy), -1, 1), np.nan)
        on_line = np.abs(value) >= 1 - _ZERO
        # every sum without one speaker, including the change of the means
        part, at = (n / (n - 1))[pairs.cell], pairs.cell
        xx, yy = pairs.xx[at] - part * pairs.x**2, pairs.yy[at] - part * pairs.y**2
        by_one = pairs.sum((np.minimum(xx / pairs.xx[at], yy / pairs.yy[at]) <= _ZERO).astype(np.float64)) > 0
        left = (pairs.xy[at] - part * pairs.x * pairs.y) / np.sqrt(xx * yy)
        z = np.arctanh(np.clip(left, -1 + 1e-12, 1 - 1e-12))
        jackknife = np.sqrt(pairs.sum(np.square(z - (pairs.sum(z) / n)[at], dtype=np.float64)) * (n - 1) / n)
        error = np.maximum(jackknife, 1 / np.sqrt(np.maximum(n - 3, 1)))
        half = special.stdtrit(np.maximum(n - 2, 1), 1 - settings.tail) * error
        enough = able & ~on_line & ~by_one & (n >= fewest)
        low, high = (np.where(enough, np.tanh(np.arctanh(value) + sign * half), np.nan) for sign in (-1, 1))
    methods = []
    for i, number in enumerate(n.astype(int).tolist()):
        speakers = f"{number} speaker{'' if number == 1 else 's'}"
        if number == 0:
            methods.append("not estimable: no speaker was read twice")
        elif number < 3:
            methods.append(f"not estimable: {speakers}, at least 3 needed")
        elif not able[i]:
            which = "first" if pairs.constant_x[i] else "second"
            methods.append(f"not estimable: all {speakers} have the same {which} value")
        elif number < fewest:
            methods.append(f"no interval: {speakers}, at least {fewest} needed")
        elif on_line[i]:
            methods.append(f"no interval: all {speakers} lie on one line")
        elif by_one[i]:
            methods.append(f"no interval: one of {speakers} contributes all the variance")
        else:
            whose = "jackknife" if jackknife[i] > 1 / np.sqrt(number - 3) else "normal"
            methods.append(f"Fisher's z on {speakers}, Student's t with the {whose} standard error")
    return value, low, high, methods


def _expected_with_others(pairs: _Pairs, stratum: Ints) -> Floats:
    """Mean of r over all pairings with another speaker of the stratum, NaN if there are none.

    Every other speaker is equally frequent, so the covariance is that of ``x`` with the mean ``y`` of the others. The
    variances do not depend on the pairing.
    """
    within = np.unique(np.column_stack([pairs.cell, stratum]), axis=0, return_inverse=True)[1].ravel()
    number = np.bincount(within)[within] if len(within) else within
    has = number > 1
    kept = _Pairs(pairs.cell[has], pairs.n_cells, pairs.x[has], pairs.y[has])
    totals = np.bincount(within[has], kept.y)[within[has]] if has.any() else kept.y
    mean_of_others = (totals - kept.y) / (number[has] - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = kept.sum(kept.x * mean_of_others) / np.sqrt(kept.xx * kept.yy)
    return np.where(kept.constant_x | kept.constant_y, np.nan, expected)
