"""Differences between two groups of different speakers."""

from __future__ import annotations

import numpy as np

from audit.stats.curves import Curve
from audit.stats.estimate import Estimate
from audit.stats.intervals import mover
from audit.stats.rates import shortened


def difference(first: Estimate, second: Estimate) -> Estimate:
    """``second - first`` for two groups of different speakers, from their intervals (MOVER; Zou and Donner 2008).

    Returns
    -------
    Estimate
        Counts are summed. The value is None if either value is missing, the interval if either interval is missing;
        the method says which.

    Examples
    --------
    >>> men, women = Estimate(0.5, 0.2, 0.8, 10, 10, 0, "exact"), Estimate(0.9, 0.5, 1.0, 10, 10, 2, "exact")
    >>> found = difference(men, women)
    >>> found.value, round(found.low, 3), round(found.high, 3), found.n_speakers, found.n_missing
    (0.4, -0.1, 0.716, 20, 2)
    """
    counts = (first.n_speakers + second.n_speakers, first.n_clips + second.n_clips, first.n_missing + second.n_missing)
    value = None if first.value is None or second.value is None else shortened(second.value - first.value)
    for name, each in (("first", first), ("second", second)):
        if each.interval is None and (value is not None or each.value is None):
            return Estimate(value, None, None, *counts, f"{name}: {each.method}")
    a, b = (tuple(np.array([x]) for x in (each.value, each.low, each.high)) for each in (first, second))
    value, low, high = (shortened(part[0]) for part in mover(a, b))  # type: ignore[arg-type]  # three ends each
    methods = first.method if first.method == second.method else f"{first.method}; {second.method}"
    return Estimate(value, low, high, *counts, f"MOVER ({methods})")


def difference_curve(first: Curve, second: Curve) -> Curve:
    """:func:`difference` at every confidence, and also without adjustment if either curve has one."""

    def of(one: Curve, other: Curve, alone: Curve | None = None) -> Curve:
        at = max(one.least, other.least)
        return Curve(lambda confidence: difference(one.at(confidence), other.at(confidence)), at, alone)

    if first.unadjusted is None and second.unadjusted is None:
        return of(first, second)
    return of(first, second, of(first.alone, second.alone))
