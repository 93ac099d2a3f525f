"""The size of the largest of several differences, whatever its sign, and its change between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.stats import Curve, Estimate


def largest_size(curves: Sequence[Curve], number: int) -> Curve:
    """The size of the largest of some differences, whatever its sign, simultaneous over ``number`` comparisons.

    It lies above a margin if and only if an adjusted interval lies beyond it on either side. The curve without
    adjustment has the differences' own intervals, and lies within a margin if and only if all of them do.

    Examples
    --------
    >>> one = Curve(lambda confidence: Estimate(-0.4, -0.6, -0.3, 9, 9, 0, "x"))
    >>> other = Curve(lambda confidence: Estimate(0.1, -0.1, 0.2, 9, 9, 0, "x"))
    >>> largest_size([one, other], 1).at(0.95).interval
    (0.3, 0.6)
    """

    def of(each: Sequence[Curve], alone: Curve | None = None) -> Curve:
        def at(confidence: float) -> Estimate:
            found = [curve.at(confidence) for curve in each]
            own = max(found, key=lambda one: abs(one.value or 0.0))
            value = None if own.value is None else abs(own.value)
            low, high = _sizes(found) or (None, None)
            without = "" if high is not None else next(f": {one.method}" for one in found if one.interval is None)
            method = f"size of the largest of {len(each)} differences{without or f': {own.method}'}"
            return replace(own, value=value, low=low, high=high, method=method)

        return Curve(at, max(curve.least for curve in each), alone)

    return of([curve.together(number) for curve in curves], of([curve.alone for curve in curves]))


def change_of_size(baseline: Sequence[Curve], candidate: Sequence[Curve], changes: Sequence[Curve]) -> Curve:
    """The change of :func:`largest_size` between two runs, from the differences in each and their changes.

    The size cannot change by more than the largest of the changes does, nor by more than the two sizes allow. The
    intervals of all differences and changes are simultaneous (Bonferroni), so that both bounds hold together.
    """
    number = sum(map(len, (baseline, candidate, changes)))

    def at(confidence: float) -> Estimate:
        adjusted = 1 - (1 - confidence) / number
        first, second, moved = ([curve.at(adjusted) for curve in each] for each in (baseline, candidate, changes))
        own = max(moved, key=lambda one: abs(one.value or 0.0))
        ends = [_sizes(each) for each in (first, second, moved)]
        if any(one.value is None for one in (*first, *second)):
            return replace(own, value=None, low=None, high=None)
        value = max(abs(one.value or 0.0) for one in second) - max(abs(one.value or 0.0) for one in first)
        if ends[0] is None or ends[1] is None or ends[2] is None:
            lacking = next(one.method for one in (*first, *second, *moved) if one.interval is None)
            return replace(own, value=value, low=None, high=None, method=f"no interval: {lacking}")
        low = max(ends[1][0] - ends[0][1], -ends[2][1])
        high = min(ends[1][1] - ends[0][0], ends[2][1])
        method = f"change of the size of the largest of {len(changes)} differences: {own.method}"
        return replace(own, value=value, low=min(low, value), high=max(high, value), method=method)

    return Curve(at, max(curve.least for curve in changes) * number)


def _sizes(found: Sequence[Estimate]) -> tuple[float, float] | None:
    """The least and the greatest size of the largest of some differences; ``None`` where one has no interval."""
    ends = [one.interval for one in found if one.interval is not None]
    if len(ends) < len(found):
        return None
    return max(max(low, -high, 0.0) for low, high in ends), max(max(-low, high) for low, high in ends)
