"""E-values: how strong an unmeasured confounder would have to be to explain a difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

PER_DEVIATION = 0.91
"""Logarithm of the risk ratio that corresponds to a difference of one standard deviation."""


@dataclass(frozen=True)
class EValue:
    """E-values of a risk ratio and of its interval.

    Attributes
    ----------
    point : float
        The E-value of the estimate, at least 1.
    end : float or None
        That of the end of the interval nearer to 1; 1 if the interval contains 1, ``None`` without an interval.
    """

    point: float
    end: float | None


def e_value(ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """E-value of a risk ratio (VanderWeele and Ding 2017): ``RR + sqrt(RR (RR - 1))``, of ``1 / RR`` if it is below 1.

    An unmeasured confounder that is associated with both group and outcome by risk ratios of at least this size each,
    beyond the measured covariates, could explain the difference; a weaker one could not.

    Parameters
    ----------
    ratio : float
        The risk ratio, above 0.
    low, high : float, optional
        Its interval.

    Raises
    ------
    ValueError
        If the ratio is not a positive finite number.

    Examples
    --------
    The example of the paper: 3.9 with the interval from 1.8 to 8.7.

    >>> found = e_value(3.9, 1.8, 8.7)
    >>> round(found.point, 2), round(found.end, 2)
    (7.26, 3.0)
    """
    if not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(f"a risk ratio of {ratio} has no E-value: a positive finite number is needed")
    if low is None or high is None:
        return EValue(_strength(ratio), None)
    crosses = low <= 1 <= high
    return EValue(_strength(ratio), 1.0 if crosses else _strength(low if low > 1 else high))


def e_value_of_means(
    difference: float, deviation: float, low: float | None = None, high: float | None = None
) -> EValue:
    """Approximate E-value of a difference of means: that of the risk ratio ``exp(0.91 d)``.

    ``d`` is the difference over the standard deviation of the outcome within groups (VanderWeele and Ding 2017, table
    2); the ends of the interval are converted in the same way.

    Raises
    ------
    ValueError
        If the standard deviation is not positive.

    Examples
    --------
    >>> round(e_value_of_means(2.0, 4.0).point, 3)  # exp(0.455) = 1.576
    2.529
    """
    if not deviation > 0:
        raise ValueError(f"a standard deviation of {deviation} is not allowed: a positive number is needed")
    ratio, lowest, highest = (
        None if number is None else math.exp(max(-300.0, min(300.0, PER_DEVIATION * number / deviation)))
        for number in (difference, low, high)
    )
    assert ratio is not None
    return e_value(ratio, lowest, highest)


def _strength(ratio: float) -> float:
    """The E-value of one risk ratio; that of 0 is infinite."""
    if ratio <= 0:
        return math.inf
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))
