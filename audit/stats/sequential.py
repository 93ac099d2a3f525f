"""Repeated looks: the part of alpha at which each look at the same hypothesis is decided."""

from __future__ import annotations


def share_of_look(look: int, planned: int | None = None) -> float:
    """The share of alpha at which the ``look``-th look is decided.

    ``1 / planned`` for each of the planned looks and 0 beyond them; without a plan ``1 / (look * (look + 1))``. Either
    way the shares of all looks add up to at most 1, so that all looks together pass a model at or beyond the limit no
    more often than one look at alpha may (alpha spending by Bonferroni's inequality). This holds for every figure and
    interval, and however the looks depend on each other: by speakers added to a cohort, or on other cohorts. The plan
    must be made before the first look.

    Parameters
    ----------
    look : int
        The number of the look, from 1.
    planned : int, optional
        How many looks are planned in all, at least 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> [round(0.025 * share_of_look(look), 4) for look in (1, 2, 3)]
    [0.0125, 0.0042, 0.0021]
    >>> [0.025 * share_of_look(look, planned=4) for look in (1, 4, 5)]
    [0.00625, 0.00625, 0.0]
    """
    if look < 1 or (planned is not None and planned < 1):
        raise ValueError(f"look {look} of {planned} planned: both are counted from 1")
    if planned is None:
        return 1 / (look * (look + 1))
    return 1 / planned if look <= planned else 0.0
