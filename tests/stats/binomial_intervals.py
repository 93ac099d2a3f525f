"""Intervals of binomial reads by a search for the root of their equations, independent of the package's formulas."""

from scipy import optimize
from scipy import stats as scipy_stats

from audit.stats.intervals import FAR


def binomial_interval(k: int, n: int, tail: float = 0.025) -> tuple[float, float]:
    """The ends at which ``FAR * P(as extreme or more) + (1 - FAR) * P(more extreme)`` is ``tail``."""

    def below(rate: float) -> float:
        of = scipy_stats.binom(n, rate)
        return FAR * of.sf(k - 1) + (1 - FAR) * of.sf(k) - tail

    def above(rate: float) -> float:
        of = scipy_stats.binom(n, rate)
        return FAR * of.cdf(k) + (1 - FAR) * of.cdf(k - 1) - tail

    low = 0.0 if k == 0 else float(optimize.brentq(below, 1e-12, 1 - 1e-12, xtol=1e-14))
    high = 1.0 if k == n else float(optimize.brentq(above, 1e-12, 1 - 1e-12, xtol=1e-14))
    return low, high
