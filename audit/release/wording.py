"""Wording of rulings: intervals and bounds with their units, as in the report."""

from __future__ import annotations

from typing import Literal

from audit.checks.figure import Figure
from audit.core.units import digits_apart, unit_of, write_number, write_value
from audit.stats.verdict import Outcome

Side = Literal["at_most", "at_least", "within"]


def write_bound(side: Side, bound: float, unit: str, signed: bool) -> str:
    """What a rule requires of a figure, in words; the bound is written exactly.

    Examples
    --------
    >>> write_bound("at_most", 0.1, "share", signed=True), write_bound("within", 0.125, "share", signed=True)
    ('at most +10 points', 'within ±12.5 points')
    >>> write_bound("at_least", 0.6, "share", signed=False)
    'at least 60%'
    """
    return f"{side.replace('_', ' ')} {_bound(side, bound, unit, signed, digits_apart([], bound, unit))}"


def write_reason(figure: Figure, side: Side, bound: float, outcome: Outcome) -> str:
    """Why an interval gives an outcome, in words: ``shown`` is beyond the bound, ``not_shown`` within it.

    Numbers have as many decimal places as are needed to tell them from the bound.

    Examples
    --------
    >>> gap = Figure(0.25, 0.1004, 0.4, 8, 16, 0, "exact", unit="share", kind="difference")
    >>> write_reason(gap, "at_most", 0.1, "shown")
    'the interval from +10.04 to +40.00 points lies wholly above +10.00 points'
    >>> write_reason(gap, "within", 0.2, "inconclusive")
    'the interval from +10 to +40 points lies neither wholly within ±20 points nor wholly beyond it'
    """
    if figure.interval is None or outcome == "not_evaluable":
        return figure.method
    (low, high), own = figure.interval, figure.alone or figure.interval
    ends = (low, high, *own)
    digits = max(digits_apart(ends, each, figure.unit) for each in ({bound, -bound} if side == "within" else {bound}))
    edge = _bound(side, bound, figure.unit, figure.signed, digits)

    def span(ends: tuple[float, float]) -> str:
        first = write_number(ends[0], figure.unit, figure.signed, digits)
        return f"from {first} to {write_value(ends[1], figure.unit, figure.signed, digits)}"

    if outcome == "shown":
        above = side == "at_most" or (side == "within" and low > bound)
        passed = edge
        if side == "within":
            passed = write_value(bound if above else -bound, figure.unit, figure.signed, digits)
        return f"the interval {span((low, high))} lies wholly {'above' if above else 'below'} {passed}"
    if outcome == "not_shown":
        where = {"at_most": "at or below", "at_least": "at or above", "within": "within"}[side]
        whose = "the interval" if own == (low, high) else "its own interval,"
        comma = "" if own == (low, high) else ","
        return f"{whose} {span(own)}{comma} lies wholly {where} {edge}"
    if side == "within":
        return f"the interval {span((low, high))} lies neither wholly within {edge} nor wholly beyond it"
    return f"the interval {span((low, high))} contains {edge}"


def write_difference(value: float, unit: str) -> str:
    """A difference with its unit and, if it needs it, one decimal place more than the unit has.

    Examples
    --------
    >>> write_difference(0.025, "share"), write_difference(-0.01, "share"), write_difference(0.0, "share")
    ('+2.5 points', '−1 point', '0 points')
    """
    digits = min(digits_apart([], value, unit), unit_of(unit).digits + 1)
    return write_value(value, unit, signed=True, digits=digits)


def _bound(side: Side, bound: float, unit: str, signed: bool, digits: int) -> str:
    if side != "within":
        return write_value(bound, unit, signed, digits)
    return write_value(bound, unit, signed=True, digits=digits).replace("+", "±")
