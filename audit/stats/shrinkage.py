"""Empirical-Bayes estimates of many cells, which borrow strength from one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.stats.speakers import Floats

FEWEST: Final = 4
"""The fewest cells of an empirical-Bayes estimate."""


@dataclass(frozen=True)
class Shrinkage:
    """Empirical-Bayes estimates of cells, to be shown next to the raw values (Lum, Zhang & Bower 2022).

    Attributes
    ----------
    value, error : float arrays of shape (cells,)
        The values shrunk toward the centre, and their standard errors.
    factor : float array of shape (cells,)
        The share of the way from each raw value to the centre, in [0, 1].
    centre, between : float
        Mean and standard deviation of the cells' true values.
    """

    value: Floats
    error: Floats
    factor: Floats
    centre: float
    between: float


def shrink(values: Floats, variances: Floats) -> Shrinkage:
    """Shrink values with known sampling variances toward their weighted mean (Morris 1983, section 5).

    The true values are normal with mean ``mu`` and variance ``A``. With ``W = 1 / (V + A)``, ``mu = sum(W y) / sum(W)``
    and ``A`` solves ``sum(W (y - mu)**2) = k - 1``, or is 0 (Paule & Mandel 1982). The factor is ``B = (k - 3) / (k -
    1) V / (V + A)``, the value ``y - B (y - mu)``, and its variance ``V (1 - (1 - W / sum(W)) B) + 2 / (k - 3) B**2 W
    (v + A) (y - mu)**2`` with ``v = sum(W V) / sum(W)``, which includes the uncertainty of ``mu`` and ``A``.

    Parameters
    ----------
    values, variances : float arrays of shape (cells,)
        At least four values, of different speakers, and their sampling variances, which are positive. A variance should
        not be estimated from a few speakers of its cell alone: where these agree, the cell would count as certain.

    Raises
    ------
    ValueError
        If there are fewer than four cells, or a variance is not positive.

    Examples
    --------
    Five cells of variance 1 with a variance of 10 between them: ``A = 9``, and a factor of ``2/4 * 1/10``.

    >>> found = shrink(np.array([-4.0, -2.0, 0.0, 2.0, 4.0]), np.ones(5))
    >>> round(found.between**2, 6), found.factor[0].round(6).item(), found.value.round(6).tolist()
    (9.0, 0.05, [-3.8, -1.9, -0.0, 1.9, 3.8])
    """
    k = len(values)
    if k < FEWEST or not (variances > 0).all():
        raise ValueError(f"{k} cells are below {FEWEST}, or a variance is not positive")
    between = _between(values, variances)
    weight = 1 / (variances + between)
    centre, typical = ((weight * x).sum() / weight.sum() for x in (values, variances))
    factor = (k - 3) / (k - 1) * variances * weight
    away = values - centre
    own = variances * (1 - (1 - weight / weight.sum()) * factor)
    error = np.sqrt(own + 2 / (k - 3) * factor**2 * weight * (typical + between) * away**2)
    return Shrinkage(values - factor * away, error, factor, float(centre), float(np.sqrt(between)))


def _between(values: Floats, variances: Floats) -> float:
    """The between-cell variance of Paule and Mandel, by bisection of a falling function."""

    def excess(between: float) -> float:
        weight = 1 / (variances + between)
        centre = (weight * values).sum() / weight.sum()
        return float((weight * (values - centre) ** 2).sum()) - (len(values) - 1)

    low, high = 0.0, float(((values - values.mean()) ** 2).sum())
    if excess(0.0) <= 0:
        return 0.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2
