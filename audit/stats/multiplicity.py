"""Adjusted p-values: Holm for confirmatory tests, Benjamini-Hochberg for exploratory ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audit.stats.speakers import Floats


def holm(p_values: ArrayLike) -> Floats:
    """P-values adjusted for the familywise error (Holm 1979): running maximum of ``(m - i) * p_(i)``, at most 1.

    NaN stays NaN and does not count as a test.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p, order, tested = _ordered(p_values)
    m = len(order)
    adjusted = np.minimum(np.maximum.accumulate((m - np.arange(m)) * tested), 1)
    return _placed(p, order, adjusted)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """P-values adjusted for the false discovery rate (Benjamini, Hochberg 1995): ``min_(j >= i) m * p_(j) / j``.

    NaN stays NaN and does not count as a test.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    p, order, tested = _ordered(p_values)
    m = len(order)
    scaled = tested * m / np.arange(1, m + 1)
    return _placed(p, order, np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1))


def _ordered(p_values: ArrayLike) -> tuple[Floats, np.ndarray, Floats]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ValueError("p-values must be a one-dimensional array of numbers between 0 and 1")
    places = np.flatnonzero(~np.isnan(p))
    order = places[np.argsort(p[places], kind="stable")]
    return p, order, p[order]


def _placed(p: Floats, order: np.ndarray, adjusted: Floats) -> Floats:
    placed = p.copy()
    placed[order] = np.round(adjusted, 15)
    return placed
