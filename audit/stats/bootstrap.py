"""Bootstrap over speakers."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import special

from audit.stats.speakers import Floats

BootstrapRule = Literal["percentile", "bca"]

_CHUNK = 4_000_000


def resampled_means(total: Floats, weight: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Weighted means ``sum(total) / sum(weight)`` of resampled speakers, as floats of shape (resamples,).

    If there are few distinct (total, weight) pairs, a resample is one multinomial draw over them; otherwise speakers
    are drawn by index. Both are the ordinary bootstrap.

    Examples
    --------
    >>> ones = np.ones(40)
    >>> draws = resampled_means(np.r_[ones, 0 * ones], np.ones(80), 2000, np.random.default_rng(0))
    >>> abs(float(draws.std()) - (0.25 / 80) ** 0.5) < 0.002
    True
    """
    n = len(total)
    distinct, number = np.unique(np.column_stack([total, weight]), axis=0, return_counts=True)
    if 4 * len(distinct) <= n:
        drawn = rng.multinomial(n, number / n, size=resamples)
        # summed without BLAS, whose order of addition depends on the machine
        return np.asarray((drawn * distinct[:, 0]).sum(axis=1) / (drawn * distinct[:, 1]).sum(axis=1))
    rows = max(1, _CHUNK // n)
    equal, parts = bool((weight == weight[0]).all()), []
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, n, size=(min(rows, resamples - start), n), dtype=np.int32)
        parts.append(total.take(drawn).sum(axis=1) / (n * weight[0] if equal else weight.take(drawn).sum(axis=1)))
    return np.concatenate(parts)


def bootstrap_ends(
    draws: Floats, total: Floats, weight: Floats, *, tail: float, rule: BootstrapRule = "bca"
) -> tuple[float, float]:
    """Bootstrap interval of the speakers' weighted mean: percentile or BCa (Efron 1987, sections 2, 6).

    The acceleration of BCa comes from each speaker's influence ``total - weight * mean``.

    Examples
    --------
    >>> values, ones = np.arange(100.0), np.ones(100)
    >>> draws = resampled_means(values, ones, 2000, np.random.default_rng(0))
    >>> low, high = bootstrap_ends(draws, values, ones, tail=0.025)
    >>> 43 < low < 45 and 54 < high < 56
    True
    """
    resamples, levels = len(draws), np.array([tail, 1 - tail])
    if rule == "bca":
        value = float(total.sum() / weight.sum())
        close = np.abs(draws - value) <= 1e-12 * max(1.0, abs(value))
        below = float(np.mean((draws < value) & ~close) + 0.5 * np.mean(close))
        bias = special.ndtri(np.clip(below, 1 / (resamples + 1), resamples / (resamples + 1)))
        influence = total - weight * value
        squares = float((influence**2).sum())
        acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
        shifted = bias + special.ndtri(levels)
        levels = special.ndtr(bias + shifted / (1 - acceleration * shifted))
    low, high = np.quantile(draws, levels)
    return float(low), float(high)
