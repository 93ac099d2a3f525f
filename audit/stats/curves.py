"""An estimate at every confidence level, and the p-value that its intervals imply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from audit.stats.estimate import Estimate
from audit.stats.verdict import Direction, verdict

LEAST: Final = 1e-9
"""The smallest error probability that closed-form intervals resolve."""
_STEPS = 14


@dataclass(frozen=True)
class Curve:
    """A confidence curve (Birnbaum 1961): an estimate's interval at every confidence level.

    Attributes
    ----------
    at : callable
        The Estimate at a confidence in (0, 1).
    least : float
        The smallest error probability that the intervals can resolve: ``1 / (resamples + 1)`` for a bootstrap.
    unadjusted : Curve or None
        The curve without adjustment for simultaneous comparisons; ``None`` if this one is not adjusted.

    Examples
    --------
    >>> wide = Curve(lambda confidence: Estimate(0.5, 0.5 - confidence / 2, 0.5 + confidence / 2, 9, 9, 0, "made up"))
    >>> wide.at(0.5).interval
    (0.25, 0.75)
    """

    at: Callable[[float], Estimate]
    least: float = LEAST
    unadjusted: Curve | None = None

    def __post_init__(self) -> None:
        """Compute the estimate at each confidence once."""
        object.__setattr__(self, "at", cache(self.at))

    def together(self, number: int) -> Curve:
        """Adjust for ``number`` simultaneous comparisons (Bonferroni).

        Only claims about any one of them need the adjustment. A claim about all of them is an intersection-union test,
        which is valid with the unadjusted intervals (Berger 1982): :attr:`alone`.
        """

        def at(confidence: float) -> Estimate:
            return self.at(1 - (1 - confidence) / number)

        return Curve(at, min(1.0, self.least * number), self.alone)

    @property
    def alone(self) -> Curve:
        """The curve without adjustment for simultaneous comparisons."""
        return self if self.unadjusted is None else self.unadjusted


def p_value(curve: Curve, margin: float, direction: Direction, confidence: float, beat: float = 1.0) -> float:
    """The smallest error probability ``1 - confidence`` at which the verdict is still ``shown``.

    It refers to the two-sided interval in every direction: a check is ``shown`` at a confidence of 95 % if and only if
    ``p <= 0.05``. For a one-sided direction the probability of a false ``shown`` is half of that. Found by bisection to
    a relative precision of 0.001.

    Parameters
    ----------
    curve : Curve
        The confidence curve of the estimate.
    margin, direction
        As :func:`audit.stats.verdict`.
    confidence : float
        Confidence of the audit. The p-value agrees with the verdict at this confidence.
    beat : float
        Returned if the p-value is not smaller; this costs only one interval.

    Returns
    -------
    float
        In [least, 1]; 1 if no interval shows it, or there is none.

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
