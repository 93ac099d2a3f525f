"""Standardised means of groups: mean predictions over the covariates of all speakers, with their influences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.stats.regression import Floats, Ints, NotEstimable, regression
from audit.stats.settings import Kind

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Contrast:
    """A difference with its standard error and degrees of freedom."""

    value: float
    error: float
    freedom: float


@dataclass(frozen=True)
class Standardised:
    """Standardised means of groups.

    Attributes
    ----------
    means : float array of shape (groups,)
        The means.
    influence : float array of shape (units, groups)
        Influence of each sampling unit on the means.
    constant : bool array of shape (groups,)
        Groups whose outcomes are all 0 or all 1.
    unseen : float array of shape (groups,)
        Variance of the means of constant groups, which have no influence.
    weight : float array of shape (units, groups)
        Sum of the weights of each unit in each group.
    n_slopes : int
        Number of columns of covariates.
    """

    means: Floats
    influence: Floats
    constant: Mask
    unseen: Floats
    weight: Floats
    n_slopes: int

    def difference(self, group: int) -> Contrast:
        """The mean of a group minus that of all others, weighted by their shares."""
        own, others = self.influence[:, group], self._influence_of_others(group)
        mean, _ = self._others(group)
        variance = self.unseen[group] + self._unseen_of_others(group)
        return self._contrast(float(self.means[group] - mean), own - others, variance, group)

    def log_ratio(self, group: int, of_complement: bool = False) -> Contrast:
        """Logarithm of the ratio of a group's rate to that of all others; of 1 minus the rates ``of_complement``.

        Raises
        ------
        NotEstimable
            If a rate is 0.
        """
        mean, sign = self._others(group)[0], -1.0 if of_complement else 1.0
        own, others = (float(1 - x if of_complement else x) for x in (self.means[group], mean))
        if min(own, others) <= 0:
            raise NotEstimable("a rate is 0")
        influence = sign * (self.influence[:, group] / own - self._influence_of_others(group) / others)
        variance = self.unseen[group] / own**2 + self._unseen_of_others(group) / others**2
        return self._contrast(float(np.log(own / others)), influence, variance, group)

    def _others(self, group: int) -> tuple[float, Floats]:
        """The mean of all other groups, and their shares; 0 for the group."""
        share = self.weight.sum(axis=0)
        share[group] = 0.0
        share /= share.sum()
        return float(share @ self.means), share

    def _influence_of_others(self, group: int) -> Floats:
        """The influence on the mean of all others: on their means, and on their shares."""
        mean, share = self._others(group)
        others = np.arange(len(share)) != group
        total = self.weight[:, others].sum()
        return np.asarray(self.influence @ share + self.weight @ np.where(others, self.means - mean, 0.0) / total)

    def _unseen_of_others(self, group: int) -> float:
        return float(self._others(group)[1] ** 2 @ self.unseen)

    def _contrast(self, value: float, influence: Floats, unseen: float, group: int) -> Contrast:
        """The standard error, with the degrees of freedom of Welch and Satterthwaite."""
        own = self.weight[:, group] > 0
        parts = np.array([np.sum(influence[own] ** 2), np.sum(influence[~own] ** 2)])
        freedom = np.maximum(np.array([own.sum(), (~own).sum() - self.n_slopes]) - 1.0, 1.0)
        squares = float(np.sum(parts**2 / freedom))
        every = len(influence) - len(self.means) - self.n_slopes
        found = float(parts.sum() ** 2 / squares) if squares > 0 else every
        return Contrast(value, float(np.sqrt(parts.sum() + unseen)), max(1.0, min(found, every)))


def standardised(
    values: Floats, group: Ints, n_groups: int, units: Ints, weights: Floats, columns: Floats, kind: Kind
) -> Standardised:
    """Standardised means by a regression on indicators of all groups and on covariates (g-formula).

    The influence of a sampling unit on the mean of group h has two parts, that of the coefficients ``b`` of the
    regression and that of the covariates drawn, with the weights ``w`` and their sum ``W``:

        ``psi_i = (d m_h / d b) psi_i(b) + sum_(j in i) w_j (prediction_hj - m_h) / W``.

    Parameters
    ----------
    values, weights : float arrays of shape (rows,)
        Outcomes without NaN, and weights.
    group, units : int arrays of shape (rows,)
        Group of each row, all of them present, and its sampling unit, from 0.
    n_groups : int
        Number of groups.
    columns : float array of shape (rows, columns)
        The covariates; with none the means are the groups' own.
    kind : {"rate", "mean"}
        Logistic or linear.

    Raises
    ------
    NotEstimable
        If the regression is not estimable; see :func:`audit.stats.regression.regression`.

    Examples
    --------
    >>> ones, group = np.ones(8), np.repeat([0, 1], 4)
    >>> values = np.array([0.0, 1, 1, 2, 2, 3, 3, 4])
    >>> found = standardised(values, group, 2, np.arange(8), ones, np.empty((8, 0)), "mean").difference(1)
    >>> found.value, round(found.error, 4), found.freedom
    (2.0, 0.6667, 6.0)
    """
    units = np.unique(units, return_inverse=True)[1].astype(np.int64)
    n_units, n_slopes = int(units.max(initial=-1)) + 1, columns.shape[1]
    total = np.bincount(group, weights, n_groups)
    means = np.bincount(group, weights * values, n_groups) / total
    constant = (kind == "rate") & ((means <= 0) | (means >= 1))
    weight = np.zeros((n_units, n_groups))
    np.add.at(weight, (units, group), weights)
    n_of = (weight > 0).sum(axis=0)
    likely = (n_of * means + 2) / (n_of + 4)
    unseen = np.where(constant, likely * (1 - likely) / n_of, 0.0)
    influence = np.zeros((n_units, n_groups))
    if constant.all():
        return Standardised(means, influence, constant, unseen, weight, n_slopes)
    if not n_slopes:  # the means are the groups' own; the influence is that of the regression, without solving it
        residual = np.zeros((n_units, n_groups))
        np.add.at(residual, (units, group), weights * (values - means[group]))
        remaining = total - weight
        if ((remaining <= 0) & (residual != 0)).any():
            raise NotEstimable("one speaker alone determines a mean")
        influence = residual / np.where(remaining > 0, remaining, 1.0)
        return Standardised(means, np.where(constant, 0.0, influence), constant, unseen, weight, n_slopes)
    varied = np.flatnonzero(~constant)
    used = ~constant[group]
    indicators = (group[used, None] == varied).astype(np.float64)
    found = regression(
        values[used], np.hstack([indicators, columns[used]]), units[used], weights[used], kind, n_clusters=n_units
    )
    sum_of_weights = float(weights.sum())
    linear = columns @ found.coefficients[len(varied) :]
    for place, h in enumerate(varied.tolist()):
        predicted = found.predicted(found.coefficients[place] + linear)
        slope = weights * found.slope(predicted) / sum_of_weights
        means[h] = weights @ predicted / sum_of_weights
        gradient = np.zeros(found.influence.shape[1])
        gradient[place], gradient[len(varied) :] = slope.sum(), slope @ columns
        drawn = np.bincount(units, weights * (predicted - means[h]), n_units) / sum_of_weights
        influence[:, h] = found.influence @ gradient + drawn
    return Standardised(means, influence, constant, unseen, weight, n_slopes)
