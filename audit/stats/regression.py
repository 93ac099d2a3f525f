"""Regression over speakers: linear and logistic generalised estimating equations with working independence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.stats.settings import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_STEPS = 40
_TOLERANCE = 1e-10
_LONGEST = 5.0
"""The longest step of a linear predictor, in logits."""
_SINGULAR = 1e-8
_ALONE = "one speaker alone determines a coefficient of the regression"
_AT_ONCE = 8_000_000
"""The number of floats of the matrices that are held at a time."""


class NotEstimable(ValueError):
    """A regression that the data do not determine; the text says why."""


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    kind : {"rate", "mean"}
        ``rate`` has a logistic link, ``mean`` the identity.
    coefficients : float array of shape (p,)
        The coefficients.
    influence : float array of shape (clusters, p)
        Influence of each cluster on the coefficients. Their covariance is ``influence.T @ influence``.
    """

    kind: Kind
    coefficients: Floats
    influence: Floats

    @property
    def covariance(self) -> Floats:
        """Covariance of the coefficients: the cluster-robust sandwich, as a float array of shape (p, p)."""
        return self.influence.T @ self.influence

    def predicted(self, linear: Floats) -> Floats:
        """The outcome of a linear predictor."""
        return np.asarray(special.expit(linear)) if self.kind == "rate" else linear

    def slope(self, predicted: Floats) -> Floats:
        """The derivative of :meth:`predicted` by the linear predictor, where the outcome is ``predicted``."""
        return predicted * (1 - predicted) if self.kind == "rate" else np.ones_like(predicted)


def regression(
    values: Floats,
    design: Floats,
    clusters: Ints,
    weights: Floats,
    kind: Kind,
    *,
    n_clusters: int | None = None,
    corrected: bool = True,
) -> Regression:
    """Fit a regression by generalised estimating equations with working independence (Liang and Zeger 1986).

    The covariance is robust to any dependence within clusters. Its correction for few clusters is that of Mancl and
    DeRouen (2001): the residuals of a cluster are multiplied by the inverse of ``I - H``, with its leverage ``H``. With
    ``B = X' W X`` and the parts ``S_i`` of ``B`` and ``s_i`` of the score of cluster i, its influence is then ``(B -
    S_i)^-1 s_i``, the change of the coefficients when it is left out (one step of Newton's method).

    Parameters
    ----------
    values : float array of shape (rows,)
        Outcomes, without NaN; for ``rate`` in [0, 1].
    design : float array of shape (rows, p)
        The design matrix, including a constant where there is one.
    clusters : int array of shape (rows,)
        Number of each row's cluster, from 0.
    weights : float array of shape (rows,)
        Weight of each row, above 0.
    kind : {"rate", "mean"}
        Logistic or linear.
    n_clusters : int, optional
        Number of clusters, if some have no row; their influence is 0.
    corrected : bool
        Whether to correct for few clusters; otherwise the influence is ``B^-1 s_i``.

    Raises
    ------
    NotEstimable
        If there are no more clusters than coefficients, columns of the design are collinear, outcomes are separated
        (Albert and Anderson 1984) so that the fit does not converge, or one cluster alone determines a coefficient.

    Examples
    --------
    The mean of four speakers. Each deviation is divided by the 3 other speakers, so the variance is 14 / 9:

    >>> ones = np.ones(4)
    >>> found = regression(np.array([1.0, 2, 3, 6]), ones[:, None], np.arange(4), ones, "mean")
    >>> round(float(found.coefficients[0]), 6), round(float(found.covariance[0, 0]), 6)
    (3.0, 1.555556)
    """
    n_clusters = int(clusters.max(initial=-1)) + 1 if n_clusters is None else n_clusters
    n_filled, p = len(np.unique(clusters)), design.shape[1]
    if n_filled <= p:
        raise NotEstimable(f"too few speakers ({n_filled}) for a regression with {p} coefficients")
    coefficients, predicted, slope, information = fitted(values, design, weights, kind)
    influence = _influence(design, weights * (values - predicted), weights * slope, information, clusters, corrected)
    placed = np.zeros((n_clusters, p))
    placed[np.unique(clusters)] = influence
    return Regression(kind, coefficients, placed)


def degrees_of_freedom(
    found: Regression, design: Floats, clusters: Ints, weights: Floats, directions: Floats
) -> Floats:
    """Degrees of freedom of the variance of combinations of coefficients, as a float array of shape (directions,).

    By Satterthwaite's (1946) approximation with the expected share ``h_i = c' B^-1 X_i' W^2 V X_i B^-1 c`` of each
    cluster in the variance: ``(sum h)^2 / sum h^2 (n - p) / n``, as in Bell and McCaffrey (2002) for independent
    clusters. A few clusters with extreme values determine the ends of a curve, where the degrees are few.

    Parameters
    ----------
    design, clusters, weights : arrays
        As the regression was fitted.
    directions : float array of shape (directions, p)
        The combinations ``c``.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> mean = regression(np.array([1.0, 2, 3, 6]), ones[:, None], np.arange(4), ones, "mean")
    >>> degrees_of_freedom(mean, ones[:, None], np.arange(4), ones, np.array([[1.0]])).tolist()
    [3.0]
    """
    slope = found.slope(found.predicted(design @ found.coefficients))
    information = design.T @ (design * (weights * slope)[:, None])
    projected = design @ np.linalg.solve(information, directions.T)
    parts = weights[:, None] ** 2 * slope[:, None] * projected**2
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(clusters[order]) != 0))
    share = np.add.reduceat(parts[order], starts)
    n, p = len(starts), design.shape[1]
    return np.asarray(np.maximum(share.sum(axis=0) ** 2 / (share**2).sum(axis=0) * (n - p) / n, 1.0))


def fitted(
    values: Floats, design: Floats, weights: Floats, kind: Kind, ridge: float = 0.0
) -> tuple[Floats, Floats, Floats, Floats]:
    """Coefficients by Newton's method, predicted outcomes, their slopes, and the information ``X' W X``.

    The parameters and errors are those of :func:`regression`. ``ridge`` is a penalty on the squares of all coefficients
    but the first, as if each had a normal prior with the variance ``1 / ridge``.
    """
    penalty = np.append(0.0, np.full(design.shape[1] - 1, ridge))
    _check_rank(design.T @ (design * weights[:, None]) + np.diag(penalty), "two of its variables cannot be told apart")
    coefficients = np.zeros(design.shape[1])
    for _ in range(MOST_STEPS):
        linear = design @ coefficients
        predicted = np.asarray(special.expit(linear)) if kind == "rate" else linear
        slope = predicted * (1 - predicted) if kind == "rate" else np.ones(len(values))
        information = design.T @ (design * (weights * slope)[:, None]) + np.diag(penalty)
        _check_rank(information, "the outcome is separated by the variables")
        step = np.linalg.solve(information, design.T @ (weights * (values - predicted)) - penalty * coefficients)
        if float(np.abs(step).max()) <= _TOLERANCE * (1 + float(np.abs(coefficients).max())):
            return coefficients, predicted, slope, information
        # far from the solution a step of Newton's method may overshoot
        reach = float(np.abs(design @ step).max()) if kind == "rate" else 0.0
        coefficients = coefficients + step * min(1.0, _LONGEST / max(reach, _LONGEST))
    raise NotEstimable("the outcome is separated by the variables, or nearly so")


def _influence(
    design: Floats, residuals: Floats, slopes: Floats, information: Floats, clusters: Ints, corrected: bool
) -> Floats:
    """The influence of each cluster with rows, in the order of their numbers."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(clusters[order]) != 0))
    scores = np.add.reduceat(design[order] * residuals[order, None], starts)
    if not corrected:
        return np.asarray(np.linalg.solve(information, scores.T).T, np.float64)
    influence = np.empty_like(scores)
    sizes = np.diff(np.append(starts, len(order)))
    for size in np.unique(sizes).tolist():
        same = np.flatnonzero(sizes == size)
        at_once = max(1, _AT_ONCE // (design.shape[1] * max(size, design.shape[1])))
        for first in range(0, len(same), at_once):
            chosen = same[first : first + at_once]
            rows = order[starts[chosen, None] + np.arange(size)]
            scaled = design[rows] * np.sqrt(slopes[rows])[:, :, None]
            influence[chosen] = _left_out(scaled, scores[chosen], information)
    return influence


def _left_out(scaled: Floats, scores: Floats, information: Floats) -> Floats:
    """``(B - Z' Z)^-1 s`` of clusters of one size, with their rows Z, of shape (clusters, rows, p), and scores s.

    With fewer rows than coefficients by Woodbury's formula ``B^-1 (s + Z' (I - H)^-1 Z B^-1 s)``, ``H = Z B^-1 Z'``.
    """
    size, p = scaled.shape[1:]
    if size > p:
        without = information - scaled.transpose(0, 2, 1) @ scaled
        scale = np.sqrt(np.diagonal(information))
        if np.linalg.eigvalsh(without / (scale[:, None] * scale))[:, 0].min() < _SINGULAR:
            raise NotEstimable(_ALONE)
        return np.asarray(np.linalg.solve(without, scores[:, :, None])[:, :, 0])
    inverse = np.linalg.inv(information)
    spread = scaled @ inverse
    remaining = np.eye(size) - spread @ scaled.transpose(0, 2, 1)
    if np.linalg.eigvalsh(remaining)[:, 0].min() < _SINGULAR:
        raise NotEstimable(_ALONE)
    direct = scores @ inverse
    solved = np.linalg.solve(remaining, scaled @ direct[:, :, None])
    return np.asarray(direct + (spread.transpose(0, 2, 1) @ solved)[:, :, 0])


def _check_rank(matrix: Floats, reason: str) -> None:
    """Raise NotEstimable if a matrix of cross-products, scaled to a diagonal of ones, is singular."""
    scale = np.sqrt(np.diagonal(matrix))
    if not (np.isfinite(scale).all() and scale.min(initial=1.0) > 0):
        raise NotEstimable(reason)
    if float(np.linalg.eigvalsh(matrix / (scale[:, None] * scale))[0]) < _SINGULAR:
        raise NotEstimable(reason)
