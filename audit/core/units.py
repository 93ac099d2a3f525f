"""Units and formatting of values, differences and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NO_INTERVAL: Final = "no interval"


@dataclass(frozen=True)
class Unit:
    """Formatting of the numbers of a unit.

    Attributes
    ----------
    name : str
        The unit's name in audit.json and in tables, such as ``share`` or ``years``.
    digits : int
        Decimal places.
    scale : float
        Factor before writing; 100 for shares.
    suffix, change_suffix : str
        After a value and after a difference: ``%`` and `` points`` for shares.
    largest : float
        Largest possible absolute value; limits and margins may not exceed it.
    """

    name: str
    digits: int = 2
    scale: float = 1
    suffix: str = ""
    change_suffix: str = ""
    largest: float = float("inf")


UNITS: Final[dict[str, Unit]] = {
    unit.name: unit
    for unit in (
        Unit("share", 0, 100, "%", " points", largest=1),
        Unit("years", 1, 1, " years", " years", largest=100),
        Unit("cosine", largest=1),
        Unit("degrees", 1, 1, " degrees", " degrees", largest=180),
        Unit("distance"),
        Unit("clips", 0),
        Unit("seconds", 1, 1, " s", " s"),
        Unit("dB", 1, 1, " dB", " dB"),
        Unit("LUFS", 1, 1, " LUFS", " LU"),
        Unit("Hz", 0, 1, " Hz", " Hz"),
    )
}
"""The units of the package's own metrics."""


def unit_of(name: str) -> Unit:
    """The unit of that name; one that the package does not know is written with two decimal places and its name.

    Examples
    --------
    >>> unit_of("share").suffix, unit_of("decibels").suffix
    ('%', ' decibels')
    """
    suffix = f" {name}" if name else ""
    return UNITS.get(name) or Unit(name, suffix=suffix, change_suffix=suffix)


def is_signed(kind: str) -> bool:
    """Whether figures of a kind are written with their sign, as differences are."""
    return kind == "difference"


def digits_apart(values: Iterable[float], bound: float, unit: str) -> int:
    """The decimal places that write a bound exactly, and no other value as the bound.

    At most three more than the unit has.

    Examples
    --------
    >>> digits_apart([0.333, 0.642], 0.1, "share"), digits_apart([0.0967, 0.1004], 0.1, "share")
    (0, 2)
    >>> digits_apart([], 0.125, "share"), digits_apart([1.96], 2.0, "years")
    (1, 2)
    """
    found = unit_of(unit)
    most, scaled = found.digits + 3, found.scale * bound
    others = [found.scale * value for value in values if not math.isclose(value, bound, rel_tol=1e-9, abs_tol=1e-12)]
    for digits in range(found.digits, most):
        exact = math.isclose(round(scaled, digits), scaled, rel_tol=1e-9, abs_tol=1e-9)
        if exact and all(round(other, digits) != round(scaled, digits) for other in others):
            return digits
    return most


def write_number(value: float, unit: str, signed: bool = False, digits: int | None = None) -> str:
    """A number without its unit: shares in per cent, differences with their sign.

    ``digits`` are the decimal places; by default those of the unit.

    Examples
    --------
    >>> write_number(0.62, "share"), write_number(-0.061, "share", signed=True), write_number(5.26, "years")
    ('62', '−6', '5.3')
    >>> write_number(0.004, "share"), write_number(0.998, "share"), write_number(0.0, "share", signed=True)
    ('<1', '>99', '0')
    """
    found = unit_of(unit)
    digits = found.digits if digits is None else digits
    if unit == "share" and not signed and digits == 0:
        if 0 < value < 0.005:
            return "<1"
        if 0.995 < value < 1:
            return ">99"
    scaled = found.scale * value
    text = f"{abs(scaled):.{digits}f}"
    if float(text) == 0:
        return text
    if scaled < 0:
        return "\N{MINUS SIGN}" + text
    return f"+{text}" if signed else text


def write_value(value: float, unit: str, signed: bool = False, digits: int | None = None) -> str:
    """A number with its unit; ``digits`` as in :func:`write_number`.

    Examples
    --------
    >>> write_value(0.62, "share"), write_value(0.62, "share", True), write_value(5.26, "years")
    ('62%', '+62 points', '5.3 years')
    >>> write_value(45.75, "degrees"), write_value(0.18, "distance"), write_value(0.01, "share", True)
    ('45.8 degrees', '0.18', '+1 point')
    """
    number, found = write_number(value, unit, signed, digits), unit_of(unit)
    suffix = found.change_suffix if signed else found.suffix
    if suffix == " points" and number.strip("+\N{MINUS SIGN}") == "1":
        suffix = " point"
    return number + suffix


def write_margin(margin: float, unit: str) -> str:
    """A margin with its unit and without a sign; margins of shares are in points.

    Examples
    --------
    >>> write_margin(0.1, "share"), write_margin(2.0, "years"), write_margin(-5.0, "degrees")
    ('10 points', '2.0 years', '5.0 degrees')
    """
    return write_value(abs(margin), unit, signed=unit == "share").removeprefix("+")


def write_interval(low: float | None, high: float | None, unit: str, signed: bool = False) -> str:
    """An interval in brackets, or that there is none.

    Examples
    --------
    >>> write_interval(0.48, 0.741, "share"), write_interval(None, None, "share")
    ('[48, 74]', 'no interval')
    """
    if low is None or high is None:
        return NO_INTERVAL
    return f"[{write_number(low, unit, signed)}, {write_number(high, unit, signed)}]"


def write_p(value: float) -> str:
    """A p-value.

    Examples
    --------
    >>> write_p(0.0304), write_p(3e-7)
    ('0.030', '< 0.001')
    """
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def write_estimate(value: float | None, low: float | None, high: float | None, unit: str, signed: bool = False) -> str:
    """A value with its unit and interval.

    Examples
    --------
    >>> write_estimate(0.5, 0.25, 0.75, "share"), write_estimate(0.25, -0.1, 0.4, "share", signed=True)
    ('50% [25, 75]', '+25 points [−10, +40]')
    >>> write_estimate(-0.125, None, None, "cosine", signed=True), write_estimate(None, None, None, "years")
    ('−0.12 [no interval]', 'not estimable')
    """
    if value is None:
        return "not estimable"
    interval = write_interval(low, high, unit, signed)
    return f"{write_value(value, unit, signed)} {interval if low is not None and high is not None else f'[{interval}]'}"


def write_size(n_bytes: float) -> str:
    """A number of bytes in kB, MB or GB (powers of 1000).

    Examples
    --------
    >>> write_size(0), write_size(1_234), write_size(2_340_000_000)
    ('0.0 kB', '1.2 kB', '2.3 GB')
    """
    factor, unit = (1e9, "GB") if n_bytes >= 1e9 else (1e6, "MB") if n_bytes >= 1e6 else (1e3, "kB")
    return f"{n_bytes / factor:.1f} {unit}"
