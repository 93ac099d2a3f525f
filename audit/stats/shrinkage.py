"""Empirical-Bayes estimates of many cells, which borrow strength from one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from audit.stats.rates import moments, shortened
from audit.stats.settings import Kind, Settings
from audit.stats.speakers import Floats, SpeakerSums

FEWEST: Final = 4
"""The fewest cells of an empirical-Bayes estimate."""


@dataclass(frozen=True)
class Shrunk:
    """The empirical-Bayes estimate of one cell; never shown instead of the raw value.

    Attributes
    ----------
    raw : float or None
        The cell's own value; ``None`` without speakers.
    value, low, high : float or None
        The value shrunk toward the centre, with an interval; ``None`` if there is no estimate.
    factor : float or None
        The share of the way from the raw value to the centre, in [0, 1].
    centre, between : float or None
        Mean and standard deviation of the cells' true values.
    method : str
        How the estimate was made, or why there is none.
    """

    raw: float | None
    value: float | None
    low: float | None
    high: float | None
    factor: float | None
    centre: float | None
    between: float | None
    method: str


@dataclass(frozen=True)
class Shrinkage:
    """Shrunk values of cells with known sampling variances; float arrays of shape (cells,), and two numbers.

    ``value`` with standard error ``error``, and ``factor`` as in :class:`Shrunk`.
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
        At least four; variances are positive.

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


def shrunken(sums: SpeakerSums, kind: Kind, settings: Settings) -> list[Shrunk]:
    """The empirical-Bayes estimate of every cell, for showing next to the raw ones (Lum, Zhang & Bower 2022).

    The sampling variance of a cell with ``n`` speakers is ``s**2 / n``, where ``s**2`` is the variance between
    speakers, pooled over all cells. A cell's own variance would depend on its value: a cell whose few speakers agree
    would count as certain. For rates, ``s**2`` includes one further speaker with the variance ``p (1 - p)`` of the mean
    rate ``p``. Intervals are normal, and those of rates stay within [0, 1].

    Parameters
    ----------
    sums : SpeakerSums
        The sums of each speaker in each cell. Cells should have different speakers.
    kind : {"rate", "mean"}
        Kind of the values.
    settings : Settings
        Estimand and confidence.

    Returns
    -------
    list of Shrunk
        One for each cell; without an estimate for cells without speakers, below four cells with speakers, and where
        all speakers have the same value.

    Examples
    --------
    >>> from audit.stats.speakers import speaker_sums
    >>> values, cells = np.repeat([1.0, 0, 1, 0, 1, 0, 1, 0], [6, 0, 4, 2, 3, 3, 1, 5]), np.repeat(np.arange(4), 6)
    >>> found = shrunken(speaker_sums(values, np.arange(24), cells, 4), "rate", Settings())
    >>> [(round(each.raw, 2), round(each.value, 2), round(each.factor, 2)) for each in found]
    [(1.0, 0.96, 0.09), (0.67, 0.66, 0.09), (0.5, 0.51, 0.09), (0.17, 0.2, 0.09)]
    """
    m = moments(sums, settings)
    there = np.flatnonzero(m.speakers > 0)
    raw = [shortened(value) for value in m.value]

    def without(why: str) -> list[Shrunk]:
        return [Shrunk(value, None, None, None, None, None, None, f"not shrunk: {why}") for value in raw]

    if len(there) < FEWEST:
        return without(f"{len(there)} cells, at least {FEWEST} needed")
    value, size = m.value[there], m.size[there]
    free, spread = np.maximum(size - 1, 0), np.nan_to_num(m.variance[there]) * size
    mean = (size * value).sum() / size.sum()
    further = (mean * (1 - mean), 1.0) if kind == "rate" else (0.0, 0.0)
    total = free.sum() + further[1]
    pooled = ((free * spread).sum() + further[0]) / total if total > 0 else 0.0
    if pooled < 1e-15:
        return without("the variance within cells is not known")
    found = shrink(value, pooled / size)
    half = special.ndtri(1 - settings.tail) * found.error
    low, high = found.value - half, found.value + half
    if kind == "rate":
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    made = without("no speaker was read")
    for place, i in enumerate(there.tolist()):
        made[i] = Shrunk(
            raw[i],
            value=shortened(found.value[place]),
            low=shortened(low[place]),
            high=shortened(high[place]),
            factor=shortened(found.factor[place]),
            centre=shortened(found.centre),
            between=shortened(found.between),
            method=f"empirical Bayes over {len(there)} cells",
        )
    return made
