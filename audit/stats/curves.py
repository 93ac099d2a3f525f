"""One figure at every confidence, and the p-value that its intervals imply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit.stats.estimate import Estimate
from audit.stats.verdict import Direction, verdict

_LEAST = 1e-9
_STEPS = 14


@dataclass(frozen=True)
class Curve:
    """A figure's interval at every confidence, made from one reading of the data (Birnbaum 1961: confidence curve).

    Attributes
    ----------
    at : callable
        The Estimate at a confidence in (0, 1).
    least : float
        The smallest error probability that the intervals can tell: a bootstrap's is one in its resamples plus one.

    Examples
    --------
    >>> wide = Curve(lambda confidence: Estimate(0.5, 0.5 - confidence / 2, 0.5 + confidence / 2, 9, 9, 0, "made up"))
    >>> wide.at(0.5).interval
    (0.25, 0.75)
    """

    at: Callable[[float], Estimate]
    least: float = _LEAST

    def together(self, number: int) -> Curve:
        """The same figure as one of so many that are to be right together: intervals at the Bonferroni level."""
        return Curve(lambda confidence: self.at(1 - (1 - confidence) / number), min(1.0, self.least * number))


def p_value(curve: Curve, margin: float, direction: Direction, confidence: float, beat: float = 1.0) -> float:
    """The smallest error probability ``1 - confidence`` at which the intervals still show a figure beyond its margin.

    It belongs to the two-sided interval, whatever the direction: a check is ``shown`` at a confidence of 95 % if and
    only if ``p <= 0.05``; where only one direction is looked for, the chance of a false ``shown`` is half of it. Found
    by bisection to a thousandth of itself.

    Parameters
    ----------
    curve : Curve
        The figure.
    margin, direction
        As :func:`audit.stats.verdict`.
    confidence : float
        Of the audit; the p-value agrees with the verdict made at it.
    beat : float
        Where the p-value is not smaller than this, this is returned, for the price of one interval.

    Returns
    -------
    float
        In [least, 1]; 1 where no interval shows it, or there is none.

    Examples
    --------
    >>> wide = Curve(lambda confidence: Estimate(0.5, 0.5 - confidence / 2, 0.5 + confidence / 2, 9, 9, 0, "made up"))
    >>> round(p_value(wide, 0.1, "greater", 0.95), 2)  # low = confidence: beyond .1 up to a confidence of .8
    0.2
    """

    def shown(error: float) -> bool:
        return verdict(curve.at(1 - error), margin, direction).outcome == "shown"

    error, most = 1 - confidence, min(beat, 0.999)
    if most <= curve.least or not shown(most):
        return beat if beat < 1 else 1.0
    low, high = curve.least, most
    if error < most:
        low, high = (low, error) if shown(error) else (error, most)
    if low == curve.least and shown(low):
        return low
    for _ in range(_STEPS):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
