"""Closed-form intervals, vectorised over cells; the formulas: docs/reference/method.md."""

from __future__ import annotations

import numpy as np
from scipy import special

from audit.stats.speakers import Floats

_TINY = 1e-9


def effective_size(
    rate: Floats, variance: Floats, floor: Floats, ceiling: Floats, tail: float, *, degrees: Floats
) -> Floats:
    """Effective sample size of a rate: the equivalent number of independent binary reads (Korn and Graubard 1998).

    ``rate * (1 - rate) / variance``, multiplied by ``(z / t)**2`` because the variance is estimated from few speakers.
    Reads in [0, 1] cannot vary more between speakers than binary reads do, so the number of speakers is a lower limit;
    the number of clips is the upper one.

    Parameters
    ----------
    rate, variance : float arrays of one shape
        The rate and its estimated variance, with the speaker as sampling unit.
    floor, ceiling : float arrays
        Number of speakers (Kish's ``W**2 / sum(w**2)`` for unequal weights), and of clips.
    tail : float
        Probability left out on each side.
    degrees : float array
        Degrees of freedom of the variance; at least 1 is used.

    Examples
    --------
    >>> one = np.ones(1)
    >>> effective_size(0.5 * one, 0.025 * one, 10 * one, 50 * one, 0.025, degrees=9 * one).tolist()  # 0.5**2 / 0.025
    [10.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(variance > 0, rate * (1 - rate) / variance, np.inf)
    student = special.stdtrit(np.maximum(degrees, 1), 1 - tail)
    size = np.minimum(size, ceiling) * (special.ndtri(1 - tail) / student) ** 2
    same = (rate <= 0) | (rate >= 1)  # the variance is unknown, so every speaker counts as one read
    return np.where(same, floor, np.clip(size, floor, np.maximum(ceiling, floor)))


def clopper_pearson(rate: Floats, size: Floats, tail: float) -> tuple[Floats, Floats]:
    """The exact interval of Clopper and Pearson (1934), with beta quantiles so that ``rate * size`` need not be whole.

    Examples
    --------
    >>> low, high = clopper_pearson(np.array([0.0]), np.array([59.0]), 0.05)
    >>> float(low[0]), round(float(high[0]), 3)  # none in 59 bounds a rate at 5 %
    (0.0, 0.05)
    """
    yes, no = rate * size, size - rate * size
    low = np.where(yes < _TINY, 0.0, special.betaincinv(np.maximum(yes, _TINY), no + 1, tail))
    high = np.where(no < _TINY, 1.0, special.betaincinv(yes + 1, np.maximum(no, _TINY), 1 - tail))
    return low, high


def mid_p(rate: Floats, size: Floats, tail: float) -> tuple[Floats, Floats]:
    """The mid-P interval (Lancaster 1961; Agresti 2013, 16.6.1): Clopper-Pearson with half the observed probability.

    If all reads agree it is the Clopper-Pearson interval, which is conservative.

    Examples
    --------
    >>> low, high = mid_p(np.array([0.2]), np.array([50.0]), 0.025)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.1063, 0.3276)
    """
    outer_low, outer_high = clopper_pearson(rate, size, tail)
    yes, no = rate * size, size - rate * size
    same = (yes < _TINY) | (no < _TINY)
    left = np.array([outer_low, np.minimum(rate, outer_high)])
    right = np.array([np.maximum(rate, outer_low), outer_high])
    targets = np.broadcast_to(np.array([tail, 1 - tail])[:, None], left.shape)
    roots = np.array([outer_low, outer_high])
    some = np.array([~same, ~same])
    parts = (targets, left, right, np.array([yes, yes]), np.array([no, no]))
    roots[some] = _mid_p_roots(*(part[some] for part in parts))
    return roots[0], roots[1]


def _mid_p_roots(target: Floats, left: Floats, right: Floats, yes: Floats, no: Floats) -> Floats:
    """The rate at which P(more than observed) + P(exactly observed) / 2 equals ``target``; all of shape (n,).

    Newton's method within ``[left, right]``, with bisection if a step leaves the bracket. Each element stops on its
    own, so that its digits do not depend on the others.
    """
    q = np.asarray(np.clip(special.betaincinv(yes + 0.5, no + 0.5, target), left, right), np.float64)
    roots, unfinished = q.copy(), np.arange(len(q))
    more, less = special.betaln(yes, no + 1), special.betaln(yes + 1, no)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _ in range(60):
            excess = 0.5 * (special.betainc(yes, no + 1, q) + special.betainc(yes + 1, no, q)) - target
            left, right = np.where(excess < 0, q, left), np.where(excess < 0, right, q)
            log_q, log_p = np.log(q), np.log1p(-q)
            slope = 0.5 * np.exp((yes - 1) * log_q + no * log_p - more)
            slope += 0.5 * np.exp(yes * log_q + (no - 1) * log_p - less)
            step = q - excess / slope
            inside = (step > left) & (step < right)
            new = np.where(inside, step, (left + right) / 2)
            roots[unfinished] = new
            goes_on = np.abs(new - q) > 1e-13
            if not goes_on.any():
                break
            q, unfinished = new[goes_on], unfinished[goes_on]
            target, left, right, yes, no, more, less = (
                part[goes_on] for part in (target, left, right, yes, no, more, less)
            )
    return roots


def student(value: Floats, variance: Floats, floor: Floats, tail: float) -> tuple[Floats, Floats]:
    """Student's t interval; ``floor`` is the (effective) number of speakers."""
    half = special.stdtrit(np.maximum(floor - 1, 1), 1 - tail) * np.sqrt(variance)
    return value - half, value + half


def skewed(value: Floats, variance: Floats, skewness: Floats, speakers: Floats, tail: float) -> tuple[Floats, Floats]:
    """Skewness-corrected interval of a mean (Hall 1988, section 3; 1992, section 3.9).

    ``value + s * (z + (2 * z**2 + 1) * skewness / (6 * sqrt(n)))`` at ``z`` and ``-z``, where ``s`` is the standard
    error. BCa agrees with it up to terms of order ``1 / n``.

    Examples
    --------
    >>> one = np.ones(1)
    >>> low, high = skewed(0 * one, one, 2 * one, 400 * one, 0.025)  # (2 * 1.96**2 + 1) * 2 / 120 = 0.1447
    >>> round(float(low[0]), 2), round(float(high[0]), 2)
    (-1.82, 2.1)
    """
    z, error = float(special.ndtri(1 - tail)), np.sqrt(variance)
    shift = (2 * z**2 + 1) * skewness / (6 * np.sqrt(np.maximum(speakers, 1)))
    return value + error * (shift - z), value + error * (shift + z)


def mover(
    first: tuple[Floats, Floats, Floats], second: tuple[Floats, Floats, Floats], correlation: Floats | float = 0.0
) -> tuple[Floats, Floats, Floats]:
    """Interval of ``second - first`` from the intervals of both (MOVER; Zou and Donner 2008, equations 8 and 9).

    Parameters
    ----------
    first, second : tuple of float arrays
        Value, low and high of each.
    correlation : float or float array
        Correlation of the two values; 0 for independent groups.

    Returns
    -------
    tuple of float arrays
        Value, low and high of the difference.

    Examples
    --------
    >>> a, b = (np.array([0.5]), np.array([0.2]), np.array([0.8])), (np.array([0.9]), np.array([0.5]), np.array([1.0]))
    >>> [round(float(part[0]), 3) for part in mover(a, b)]  # 0.4 - sqrt(0.4**2 + 0.3**2), 0.4 + sqrt(0.1**2 + 0.3**2)
    [0.4, -0.1, 0.716]
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    down, up = (b - b_low, a_high - a), (b_high - b, a - a_low)
    low = b - a - np.sqrt(np.maximum(down[0] ** 2 + down[1] ** 2 - 2 * correlation * down[0] * down[1], 0))
    high = b - a + np.sqrt(np.maximum(up[0] ** 2 + up[1] ** 2 - 2 * correlation * up[0] * up[1], 0))
    return b - a, low, high
