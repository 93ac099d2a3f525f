"""Agreement of annotators: Krippendorff's alpha, with an interval from a bootstrap over units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from audit.stats.settings import Settings
from audit.stats.speakers import Floats, Ints

Level = Literal["nominal", "ordinal", "interval"]
MIN_UNITS: Final = 20
"""Minimum number of units with two labels or more for an interval."""


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha of some labels.

    Attributes
    ----------
    alpha, low, high : float or None
        The coefficient, at most 1, and its interval.
    n_units, n_labels : int
        Number of units with at least two labels, and of their labels.
    method : str
        How they were made, or why they are missing.
    """

    alpha: float | None
    low: float | None
    high: float | None
    n_units: int
    n_labels: int
    method: str


def coincidences(labels: Ints, n_values: int) -> Floats:
    """The coincidence matrix of each unit (Krippendorff 2011, section C).

    Each ordered pair of labels ``(c, k)`` by different annotators counts ``1 / (m - 1)`` in a unit with ``m`` labels.
    ``labels``, of shape (units, annotators), are from 0 to ``n_values - 1``, or -1 where there is none; the result has
    shape (units, n_values, n_values).

    Examples
    --------
    >>> coincidences(np.array([[0, 1, 1], [1, -1, -1]]), 2).tolist()
    [[[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    """
    counts = (labels[:, :, None] == np.arange(n_values)).sum(axis=1).astype(np.float64)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs -= counts[:, :, None] * np.eye(n_values)
    found: Floats = pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None]
    return found


def krippendorff_alpha(
    labels: NDArray[np.integer] | Sequence[Sequence[int]],
    level: Level = "nominal",
    settings: Settings | None = None,
    *,
    name: str = "",
) -> Agreement:
    """Krippendorff's alpha, for any number of annotators and with missing labels.

    With the summed coincidence matrix ``o``, its row sums ``n_c`` and total ``n``::

        alpha = 1 - D_o / D_e
        D_o = sum_ck o_ck d_ck / n
        D_e = sum_ck n_c n_k d_ck / (n (n - 1))

    The squared difference ``d_ck`` is 1 for different labels (nominal), ``(c - k)**2`` (interval), or
    ``(n_c + ... + n_k - (n_c + n_k) / 2)**2`` with the sum from ``c`` to ``k`` (ordinal). 1 is perfect agreement, 0
    that of labels assigned to units at random, and negative values are systematic disagreement.

    The interval is that of the percentiles of resamples of the units, with ``d_ck`` and ``D_e`` recomputed in each.
    In simulations its coverage was 92 to 93% instead of 95%, with 20 to 200 units and two or three annotators. There is
    none with fewer than :data:`MIN_UNITS` units, or if more resamples than the interval leaves out on one side
    have one label only, for which alpha is undefined.

    Parameters
    ----------
    labels : int array of shape (units, annotators)
        The label of each unit by each annotator, from 0, in their order; -1 where there is none.
    level : {"nominal", "ordinal", "interval"}
        Level of measurement.
    settings, name
        Confidence and number of resamples; the seed of the settings and the name seed the bootstrap.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability; (2019), Content analysis, 4th ed., chapter 12.

    Examples
    --------
    >>> a = [0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0]  # section B of Krippendorff (2011): nominal data, two observers
    >>> b = [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]
    >>> found = krippendorff_alpha(list(zip(a, b)))
    >>> round(found.alpha, 3), found.n_units, found.method
    (0.692, 12, 'nominal; no interval with fewer than 20 units')
    """
    settings = settings or Settings()
    table = np.asarray(labels, np.int64)
    n_values = int(table.max(initial=0)) + 1
    pairable = table[(table >= 0).sum(axis=1) >= 2]
    units = coincidences(pairable, n_values).reshape(len(pairable), n_values**2)
    n_units, n_labels = len(pairable), int((pairable >= 0).sum())
    distinct, number = np.unique(units, axis=0, return_counts=True)  # sorted: the order of units does not matter
    alpha = float(_alphas((distinct * number[:, None]).sum(axis=0)[None], n_values, level)[0]) if n_units else np.nan
    if np.isnan(alpha):
        why = "only one label occurs" if n_units else "no unit has two labels"
        return Agreement(None, None, None, n_units, n_labels, f"{level}; undefined: {why}")
    if n_units < MIN_UNITS:
        method = f"{level}; no interval with fewer than {MIN_UNITS} units"
        return Agreement(alpha, None, None, n_units, n_labels, method)
    drawn = settings.generator(f"alpha {name}").multinomial(n_units, number / n_units, size=settings.resamples)
    # summed without BLAS, whose order of addition depends on the machine
    draws = _alphas(np.einsum("ru,up->rp", drawn.astype(np.float64), distinct, optimize=False), n_values, level)
    if np.isnan(draws).mean() > settings.tail:
        return Agreement(alpha, None, None, n_units, n_labels, f"{level}; no interval: nearly all labels are equal")
    low, high = np.nanquantile(draws, [settings.tail, 1 - settings.tail])
    method = f"{level}; bootstrap over units, percentiles"
    return Agreement(alpha, float(low), float(high), n_units, n_labels, method)


def _alphas(sums: Floats, n_values: int, level: Level) -> Floats:
    """Alpha of each summed coincidence matrix, given as rows; NaN without variation."""
    pairs = sums.reshape(-1, n_values, n_values)
    counts = pairs.sum(axis=2)
    n = counts.sum(axis=1)
    squared = _squared_differences(counts, level)
    observed = (pairs * squared).sum(axis=(1, 2)) / n
    expected = (counts[:, :, None] * counts[:, None, :] * squared).sum(axis=(1, 2)) / (n * (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - observed / expected, np.nan), np.float64)


def _squared_differences(counts: Floats, level: Level) -> Floats:
    """The squared difference of every two labels, of shape (matrices, n_values, n_values)."""
    value = np.arange(counts.shape[1])
    if level == "nominal":
        return np.asarray(value[:, None] != value[None, :], np.float64)[None]
    if level == "interval":
        return np.asarray((value[:, None] - value[None, :]) ** 2, np.float64)[None]
    middle = np.cumsum(counts, axis=1) - counts / 2  # the sum from c to k without half of both ends
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2, np.float64)
