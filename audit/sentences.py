"""Figures in plain words, the same way everywhere."""

from __future__ import annotations

from audit.stats import Estimate


def percent(estimate: Estimate) -> str:
    """A rate with its interval.

    Examples
    --------
    >>> percent(Estimate(0.5, 0.25, 0.75, 8, 16, 0, "exact"))
    '50 % [25, 75]'
    """
    if estimate.value is None:
        return "not estimable"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.0f} % [no interval]"
    return f"{100 * estimate.value:.0f} % [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def points(estimate: Estimate) -> str:
    """A difference of rates in percentage points, with its sign and interval.

    Examples
    --------
    >>> points(Estimate(0.25, 0.1, 0.4, 8, 16, 0, "bootstrap"))
    '+25 points [+10, +40]'
    """
    if estimate.value is None:
        return "not estimable"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:+.0f} points [no interval]"
    return f"{100 * estimate.value:+.0f} points [{100 * estimate.low:+.0f}, {100 * estimate.high:+.0f}]"


def amount(estimate: Estimate, digits: int = 2) -> str:
    """A difference of real numbers, with its sign and interval.

    Examples
    --------
    >>> amount(Estimate(-0.125, -0.2, -0.05, 8, 16, 0, "bootstrap"))
    '-0.12 [-0.20, -0.05]'
    """
    if estimate.value is None:
        return "not estimable"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.{digits}f} [no interval]"
    return f"{estimate.value:+.{digits}f} [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"


def group_words(group: str) -> str:
    """A group's label as it is read aloud.

    Examples
    --------
    >>> group_words("asian|indian"), group_words("latino_hispanic")
    ('asian or indian', 'latino hispanic')
    """
    return group.replace("|", " or ").replace("_", " ")


def listing(words: list[str]) -> str:
    """Words in a row.

    Examples
    --------
    >>> listing(["asian", "black", "white"])
    'asian, black and white'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"
