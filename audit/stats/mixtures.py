"""Least squares for the shares of a mixture of known rows."""

from __future__ import annotations

import numpy as np

from audit.stats.speakers import Floats


def nearest_shares(rows: Floats, observed: Floats) -> Floats:
    """The shares ``p >= 0``, ``sum p = 1``, whose mixture ``p @ rows`` is nearest to the observed one.

    Exact: the least squares solution ``x >= 0`` of ``(rows - observed)' x = 0, sum x = 1`` has, up to its scale, the
    same Karush-Kuhn-Tucker conditions, and is found by Lawson and Hanson's algorithm (1974, chapter 23).

    Examples
    --------
    >>> rows = np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> nearest_shares(rows, np.array([0.55, 0.45])).round(12).tolist()
    [0.5, 0.5]
    >>> nearest_shares(rows, np.array([0.1, 0.9])).tolist()  # beyond what the rows can explain
    [0.0, 1.0]
    """
    system, target = np.vstack([(rows - observed).T, np.ones(len(rows))]), np.r_[np.zeros(len(observed)), 1.0]
    x = np.linalg.lstsq(system, target, rcond=None)[0]
    if x.min() < 1e-9:  # otherwise no share is at its bound
        from scipy.optimize import nnls  # imported late: it takes a quarter of a second

        x = nnls(system, target)[0]
    return np.asarray(x / x.sum())


def solving_maps(rows: Floats) -> Floats:
    """Linear maps from observed shares to mixture shares under ``sum p = 1`` alone, for many problems at once.

    ``p = S q`` minimises ``sum_k (q_k - sum_t p_t rows_tk)**2`` (Lagrange) for any ``q`` that sums to 1.

    Parameters
    ----------
    rows : float array of shape (classes, reads, problems)
        Linearly independent rows that sum to 1.

    Returns
    -------
    float array of shape (classes, reads, problems)

    Examples
    --------
    >>> maps = solving_maps(np.array([[0.9, 0.1], [0.2, 0.8]])[:, :, None])
    >>> (maps[:, :, 0] @ [0.55, 0.45]).round(12).tolist(), (maps[:, :, 0] @ [0.1, 0.9]).round(4).tolist()
    ([0.5, 0.5], [-0.1429, 1.1429])
    """
    n, k, problems = rows.shape
    system = np.empty((n, n + k + 1, problems))
    system[:, :n] = 0.0
    for read in range(k):
        system[:, :n] += rows[:, None, read] * rows[None, :, read]
    system[:, n : n + k], system[:, n + k] = rows, 1.0
    for i in range(n):  # Gauss-Jordan without BLAS; products of independent rows need no pivoting
        system[i, i + 1 :] /= system[i, i]
        for j in range(n):
            if j != i:
                system[j, i + 1 :] -= system[j, i] * system[i, i + 1 :]
    free, per_unit = system[:, n : n + k], system[:, n + k]
    return np.asarray(free + (per_unit / per_unit.sum(axis=0))[:, None] * (1 - free.sum(axis=0)))
