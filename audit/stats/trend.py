"""Trends: how an outcome changes with a number, with a band and a test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from audit.stats.bands import weighted_quantiles
from audit.stats.regression import Floats, Ints, NotEstimable, Regression, degrees_of_freedom, regression
from audit.stats.settings import Kind, Settings

POINTS = 9
KNOTS = (0.1, 0.5, 0.9)
"""Quantiles at which a restricted cubic spline with three knots has them (Harrell 2015, table 2.3)."""
SPEAKERS_FOR_SPLINE = 30
SPEAKERS_FOR_LINE = 10


@dataclass(frozen=True)
class Point:
    """One point of a curve: pointwise interval, and simultaneous band over all points."""

    at: float
    value: float
    low: float
    high: float
    band_low: float
    band_high: float


@dataclass(frozen=True)
class Trend:
    """A fitted trend.

    Attributes
    ----------
    points : tuple of Point
        The curve at equal distances from the 5th to the 95th percentile; empty if it cannot be fitted.
    p : float or None
        P-value of the hypothesis that the outcome has no linear trend.
    n_speakers, n_clips, n_missing : int
        Numbers of speakers and clips with outcome and number, and of clips with the number whose outcome was not read.
    method : str
        How it was made, or why it is missing.
    """

    points: tuple[Point, ...]
    p: float | None
    n_speakers: int
    n_clips: int
    n_missing: int
    method: str


def trend(
    values: Floats,
    numbers: Floats,
    speakers: Ints,
    settings: Settings,
    kind: Kind,
    *,
    units: Ints | None = None,
    name: str = "",
) -> Trend:
    """Fit an outcome to a number by a restricted cubic spline with three knots.

    The regression is logistic or linear with working independence and a covariance robust to dependence within speakers
    (:func:`audit.stats.regression.regression`). Below 30 speakers the curve is a line; below 10 there is none. The
    simultaneous band is ``estimate -+ c * error`` on the scale of the linear predictor, with ``c`` the quantile of the
    maximum over the points of ``|t|``, from normal draws of the coefficients over chi (max-t; Hothorn, Bretz and
    Westfall 2008). The test for trend is Wald's of the slope in a regression with a linear term only, by Student's t.
    Degrees of freedom are those of :func:`audit.stats.regression.degrees_of_freedom`; the band has the harmonic
    mean of those of its points.

    Parameters
    ----------
    values : float array of shape (clips,)
        The outcome, NaN where it was not read.
    numbers : float array of shape (clips,)
        The number, NaN where unknown.
    speakers : int array of shape (clips,)
        Number of each clip's speaker.
    kind : {"rate", "mean"}
        Logistic or linear.
    units : int array of shape (clips,), optional
        Sampling units, where speakers are linked by clusters; default the speakers.
    name : str
        Seeds the draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> age = rng.uniform(20, 70, 200)
    >>> found = trend(0.1 * age + rng.normal(size=200), age, np.arange(200), Settings(), "mean")
    >>> found.p < 0.001, [round(found.points[i].value) for i in (0, 8)]
    (True, [2, 7])
    """
    units = speakers if units is None else units
    rows = ~np.isnan(values) & ~np.isnan(numbers)
    n_missing = int((np.isnan(values) & ~np.isnan(numbers)).sum())
    y, x, who = values[rows], numbers[rows], speakers[rows]
    of_unit = np.unique(units[rows], return_inverse=True)[1].astype(np.int64)
    counts = (len(np.unique(who)), len(y), n_missing)
    try:
        points, p, method = _fitted(y, x, who, of_unit, settings, kind, name)
    except NotEstimable as error:
        return Trend((), None, *counts, f"no trend: {error}")
    return Trend(points, p, *counts, method)


def _fitted(
    y: Floats, x: Floats, who: Ints, units: Ints, settings: Settings, kind: Kind, name: str
) -> tuple[tuple[Point, ...], float, str]:
    n = int(units.max(initial=-1)) + 1
    if n < SPEAKERS_FOR_LINE:
        raise NotEstimable(f"{n} independent speakers, fewer than {SPEAKERS_FOR_LINE}")
    if np.ptp(x) <= 0:
        raise NotEstimable("the number does not vary")
    if np.ptp(y) <= 0:
        raise NotEstimable("all outcomes are equal")
    for outcome, word in ((0.0, "above 0"), (1.0, "below 1")) if kind == "rate" else ():
        if (several := len(np.unique(units[y != outcome]))) < settings.min_speakers:
            raise NotEstimable(f"speakers with an outcome {word}: {several}, fewer than {settings.min_speakers}")
    weights = 1.0 / np.bincount(who)[who] if settings.estimand == "speaker" else np.ones(len(y))
    low, *knots, high = weighted_quantiles(x, who, np.array([0.05, *KNOTS, 0.95])).tolist()
    if low == high:
        low, high = float(x.min()), float(x.max())
    origin, scale = knots[1], high - low

    def basis(at: Floats, curved: bool) -> Floats:
        line = [np.ones(len(at)), (at - origin) / scale]
        return np.column_stack([*line, _third(at, knots)] if curved else line)

    straight = regression(y, basis(x, False), units, weights, kind)
    error = float(np.sqrt(straight.covariance[1, 1]))
    if not error > 0:
        raise NotEstimable("the outcome does not vary around the trend")
    freedom = degrees_of_freedom(straight, basis(x, False), units, weights, np.array([[0.0, 1.0]]))[0]
    p = float(2 * special.stdtr(freedom, -abs(straight.coefficients[1]) / error))
    found, curved = straight, n >= SPEAKERS_FOR_SPLINE and knots[0] < knots[1] < knots[2]
    if curved:
        try:
            found = regression(y, basis(x, True), units, weights, kind)
        except NotEstimable:
            curved = False
    grid = np.linspace(low, high, POINTS)
    freedoms = degrees_of_freedom(found, basis(x, curved), units, weights, basis(grid, curved))
    points = _points(grid, basis(grid, curved), found, freedoms, settings, name)
    model, shape = "logistic" if kind == "rate" else "linear", "spline" if curved else "line"
    what = "speakers" if n == len(np.unique(who)) else "independent clusters"
    return points, float(f"{p:.5g}"), f"{model} {shape} on {n} {what}"


def _third(at: Floats, knots: list[float]) -> Floats:
    """The nonlinear column of a restricted cubic spline with three knots (Harrell 2015, section 2.4.5)."""
    a, b, c = knots
    cubes = [np.maximum(at - knot, 0.0) ** 3 for knot in knots]
    column = cubes[0] - cubes[1] * (c - a) / (c - b) + cubes[2] * (b - a) / (c - b)
    return np.asarray(column / (c - a) ** 2 / (c - a))


def _points(
    grid: Floats, basis: Floats, found: Regression, freedoms: Floats, settings: Settings, name: str
) -> tuple[Point, ...]:
    linear = basis @ found.coefficients
    errors = np.sqrt(np.einsum("ij,jk,ik->i", basis, found.covariance, basis))
    if not errors.min() > 0:
        raise NotEstimable("the outcome does not vary around the trend")
    pointwise = special.stdtrit(freedoms, 1 - settings.tail)
    largest = _largest(basis, errors, found.covariance, 1 / float(np.mean(1 / freedoms)), settings, name)
    simultaneous = np.maximum(pointwise, largest)
    ends = (linear + factor * errors for factor in (0, -pointwise, pointwise, -simultaneous, simultaneous))
    columns = [grid, *(found.predicted(end) for end in ends)]
    return tuple(Point(*(float(f"{number:.5g}") for number in row)) for row in zip(*columns, strict=True))


def _largest(basis: Floats, errors: Floats, covariance: Floats, freedom: float, settings: Settings, name: str) -> float:
    """The quantile of the largest ``|t|`` over the points."""
    rng = settings.generator(f"trend {name}")
    scale = np.sqrt(np.diagonal(covariance))
    root = scale[:, None] * np.linalg.cholesky(covariance / (scale[:, None] * scale) + 1e-12 * np.eye(len(scale)))
    normal = rng.standard_normal((settings.resamples, len(scale)))
    chi = np.sqrt(rng.chisquare(freedom, settings.resamples) / freedom)
    # summed without BLAS, whose order of addition depends on the machine
    drawn = sum(np.multiply.outer(normal[:, i], column) for i, column in enumerate((basis @ root / errors[:, None]).T))
    return float(np.quantile(np.abs(drawn).max(axis=1) / chi, 1 - 2 * settings.tail))
