"""Closed-form intervals, vectorised over cells; the formulas: docs/reference/method.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.stats.speakers import Floats

FAR: Final = 0.6
"""Probability that the pseudo observation of :class:`BoundedMean` lies at the far end of the range.

1 is Gaffke's bound, which is exact for binary values and conservative; 0.5 is the mid-P interval. With 0.6 the error of
either end is at most ``tail / 0.6`` where all values agree, which is its worst case (docs/validation/intervals.md).
"""


@dataclass(frozen=True)
class BoundedMean:
    """The mean of values in [0, 1], with intervals valid for any distribution of them (Gaffke 2005); by :meth:`of`.

    The upper limit is the quantile at ``1 - tail`` of the values' mean with random weights, uniform on the simplex, in
    which one pseudo observation is added at the far end of the range, 1 (for the lower limit: 0). It accounts for
    values that are possible but were not drawn, such as a few speakers who are always misread. For binary values it is
    the interval of Clopper and Pearson (1934). As in the mid-P interval (Lancaster 1961), the pseudo observation lies
    at the near end instead with probability ``1 - FAR``.

    The weighted mean has a distribution on ``[0, L]``, measured from the limit's own end; it is approximated by the
    scaled beta distribution with the same first three moments, which is exact for binary values and for equal ones, or
    the beta distribution on [0, 1] with the same first two where there is none.

    Examples
    --------
    >>> none, three = np.zeros((3, 1)), np.full((3, 1), 3.0)
    >>> low, high = BoundedMean.of(none, 59 + none, np.array([59.0])).interval(0.05 * FAR)
    >>> float(low[0]), round(float(high[0]), 3)  # none in 59 bounds a rate at 5 %
    (0.0, 0.05)
    >>> low, high = BoundedMean.of(three, 7 + none, np.array([10.0])).interval(0.025)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)  # Clopper-Pearson: 0.067, 0.652; mid-P: 0.083, 0.62
    (0.078, 0.628)
    """

    from_ends: _Beta
    from_others: _Beta

    @classmethod
    def of(cls, below: Floats, above: Floats, size: Floats) -> BoundedMean:
        """The mean of values that are given by sums.

        Parameters
        ----------
        below, above : float arrays of shape (3, cells)
            Sums of the first three powers of the values' distances from 0, and from 1.
        size : float array of shape (cells,)
            Number of values; smaller than that of the addends, with sums reduced in proportion, where they are
            dependent.
        """
        n = len(size)
        both = _Beta.of(np.concatenate([below, above], axis=1), np.concatenate([size, size]))
        return cls(both, both.only(np.r_[n : 2 * n, :n]))

    def interval(self, tail: float) -> tuple[Floats, Floats]:
        """Low and high, arrays of shape (cells,); ``tail`` is left out on each side, below ``FAR``."""
        distance = _quantile(self.from_ends, self.from_others, tail)
        n = len(distance) // 2
        return distance[:n], 1 - distance[n:]


def _quantile(far: _Beta, other: _Beta, tail: float) -> Floats:
    """The ``tail`` quantile of the distance from one end; ``other`` is the distance from the other end."""
    # the mixture lies between the far distribution, which is the smaller one, and FAR times it
    left, right = far.quantile(tail), far.quantile(tail / FAR)
    roots, unfinished = right.copy(), np.flatnonzero(right > left)
    if len(unfinished) < len(roots):
        far, other, left, right = far.only(unfinished), other.only(unfinished), left[unfinished], right[unfinished]
    x = right
    for _ in range(60):
        if not len(unfinished):
            break
        excess = FAR * far.cdf(x) + (1 - FAR) * other.survival(1 - x) - tail
        left, right = np.where(excess < 0, x, left), np.where(excess < 0, right, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = x - excess / (FAR * far.density(x) + (1 - FAR) * other.density(1 - x))
        new = np.where((step > left) & (step < right), step, (left + right) / 2)
        # each cell stops on its own, so that its digits do not depend on the others
        on = (np.abs(step - x) > 1e-13) & (np.abs(new - x) > 1e-13)
        roots[unfinished] = np.where(on, new, x)
        x = new
        if not on.all():
            unfinished, x, left, right = unfinished[on], x[on], left[on], right[on]
            far, other = far.only(on), other.only(on)
    return roots


@dataclass(frozen=True)
class _Beta:
    """Beta distributions on ``[0, length]``; where ``certain``, all probability lies at 0."""

    a: Floats
    b: Floats
    length: Floats
    certain: NDArray[np.bool_]

    @classmethod
    def of(cls, sums: Floats, size: Floats) -> _Beta:
        """Match the moments of ``sum(g * y)``, ``g`` Dirichlet with ones for each y and for a pseudo observation at 0.

        ``E[M] = S1 / N``, ``E[M**2] = (S1**2 + S2) / (N (N + 1))`` and ``E[M**3] = (S1**3 + 3 S1 S2 + 2 S3) / (N (N +
        1) (N + 2))`` with ``N = size + 1``. The ratios of successive moments of a beta distribution on ``[0, L]``,
        ``L (a + k) / (a + b + k)``, give its parameters in closed form.
        """
        (s1, s2, s3), n = sums, size + 1
        m1, m2 = s1 / n, (s1**2 + s2) / (n * (n + 1))
        m3 = (s1**3 + 3 * s1 * s2 + 2 * s3) / (n * (n + 1) * (n + 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            r2, r3 = m2 / m1, m3 / m2
            bend = r3 - 2 * r2 + m1
            total = 2 * (r2 - r3) / bend
            length = r2 * (total + 1) - m1 * total
            a = m1 * total / length
            three = (bend < -1e-12) & (a > 0) & (total > a) & (length > 0) & (length <= 1 + 1e-9)
            two = m1 * (1 - m1) / (m2 - m1**2) - 1
        certain = m1 <= 0
        length = np.where(certain, 0.0, np.where(three, np.minimum(length, 1), 1.0))
        a = np.where(certain, 1.0, np.where(three, a, m1 * two))
        b = np.where(certain, 1.0, np.where(three, total - a, (1 - m1) * two))
        return cls(a, b, length, certain)

    def only(self, of: NDArray[Any]) -> _Beta:
        """The chosen distributions."""
        return _Beta(self.a[of], self.b[of], self.length[of], self.certain[of])

    def quantile(self, share: float) -> Floats:
        return np.where(self.certain, 0.0, self.length * special.betaincinv(self.a, self.b, share))

    def cdf(self, x: Floats) -> Floats:
        return np.where(self.certain, 1.0, special.betainc(self.a, self.b, self._within(x)))

    def survival(self, x: Floats) -> Floats:
        """Probability of at least ``x``."""
        beyond = special.betaincc(self.a, self.b, self._within(x))
        return np.where(self.certain, x <= 0, beyond)

    def density(self, x: Floats) -> Floats:
        u = self._within(x)
        log = special.xlogy(self.a - 1, u) + special.xlog1py(self.b - 1, -u) - special.betaln(self.a, self.b)
        return np.where(self.certain, 0.0, np.exp(log) / np.where(self.certain, 1.0, self.length))

    def _within(self, x: Floats) -> Floats:
        return np.clip(x / np.where(self.certain, 1.0, self.length), 0.0, 1.0)


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
