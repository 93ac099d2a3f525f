"""Adjusted p-values: Holm for confirmatory tests, Benjamini-Hochberg for exploratory ones."""

from __future__ import annotations

from collections.abc import Callable

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
    return _adjusted(p_values, lambda p: np.maximum.accumulate(np.arange(len(p), 0, -1) * p))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """P-values adjusted for the false discovery rate (Benjamini, Hochberg 1995): ``min_(j >= i) m * p_(j) / j``.

    NaN stays NaN and does not count as a test.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p_values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def _adjusted(p_values: ArrayLike, adjust: Callable[[Floats], Floats]) -> Floats:
    """P-values, adjusted in ascending order."""
    p = np.array(p_values, dtype=np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ValueError("p-values must be a one-dimensional array of numbers between 0 and 1")
    places = np.flatnonzero(~np.isnan(p))
    order = places[np.argsort(p[places], kind="stable")]
    p[order] = np.round(np.minimum(adjust(p[order]), 1), 15)
    return p
