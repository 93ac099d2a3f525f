"""Power: the minimum detectable effect of a number of speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from audit.stats.intervals import BoundedMean, mover
from audit.stats.settings import Settings
from audit.stats.speakers import Floats

Design = Literal["one", "paired", "unpaired"]


@dataclass(frozen=True)
class Detectable:
    """A minimum detectable effect (None if no possible effect would be detected), and its assumptions."""

    size: float | None
    method: str


def smallest_detectable(
    n_speakers: int,
    *,
    design: Design = "one",
    rate: float = 0.5,
    icc: float = 0.3,
    clips: float = 1,
    other_speakers: int | None = None,
    correlation: float = 0.0,
    margin: float = 0.0,
    power: float = 0.8,
    settings: Settings | None = None,
) -> Detectable:
    """Minimum detectable effect: the smallest difference whose interval lies beyond the margin with the given power.

    A speaker's mean over ``m`` clips of a rate ``p`` has variance ``s(p) = p * (1 - p) * (1 + (m - 1) * icc) / m``
    (Donner and Klar 2000, chapter 5). The result is the smallest ``d``, in steps of 0.001, for which the interval of
    an estimate at ``d - z * sqrt(v)``, by the rules of :func:`rate`, :func:`difference` and :func:`paired`, lies above
    the margin. ``z`` is the normal quantile at ``power``, and ``v`` is ``s(p + d) / n``, ``s(p) / n_other + s(p + d) /
    n``, or ``(s(p) + s(p + d) - 2 * correlation * sqrt(s(p) * s(p + d))) / n``. The measured power:
    docs/validation/intervals.md.

    Parameters
    ----------
    n_speakers, other_speakers : int
        Number of speakers, and of the other group if ``design`` is ``unpaired`` (default: the same number).
    design : {"one", "paired", "unpaired"}
        One rate against a fixed value; the same speakers twice; two groups.
    rate : float
        Expected rate, in [0, 1]; 0.5 is the worst case.
    icc : float
        Intra-class correlation of clips within a speaker, in [0, 1].
    clips : float
        Mean number of clips per speaker (per reading, if paired).
    correlation : float
        Correlation of a speaker's two readings, in [-1, 1]; 0 is conservative.
    margin : float
        As in :func:`verdict`.
    power : float
        In (0, 1).

    Returns
    -------
    Detectable
        ``size`` is None below ``min_speakers``, and if not even the largest possible difference would be detected.

    Raises
    ------
    ValueError
        If a number is out of its range or the design is unknown.

    Examples
    --------
    >>> smallest_detectable(50, rate=0.5).size, smallest_detectable(4).method
    (0.196, 'not estimable: 4 speakers, at least 5 needed')
    """
    settings = settings or Settings()
    ranges = {"rate": (rate, 0, 1), "icc": (icc, 0, 1), "correlation": (correlation, -1, 1), "margin": (margin, 0, 1)}
    for name, (value, least, most) in ranges.items():
        if not least <= value <= most:
            raise ValueError(f"{name} {value} lies outside [{least}, {most}]")
    if not 0 < power < 1 or clips < 1 or n_speakers < 0 or design not in ("one", "paired", "unpaired"):
        raise ValueError(f"power {power}, clips {clips}, n_speakers {n_speakers} or design {design!r} is not allowed")
    other = n_speakers if other_speakers is None else other_speakers
    fewest = min(n_speakers, other) if design == "unpaired" else n_speakers
    if fewest < settings.min_speakers:
        return Detectable(None, f"not estimable: {fewest} speakers, at least {settings.min_speakers} needed")
    method = f"power {power:g} at {settings.confidence:.0%} confidence, rate {rate:g}"
    method += f", {clips:g} {'clip' if clips == 1 else 'clips'} a speaker, icc {icc:g}"
    base = min(rate, 1 - rate)  # the direction that allows the larger difference
    sizes = np.arange(1, round(1000 * (1 - base)) + 1) / 1000
    factor = (1 + (clips - 1) * icc) / clips
    before, after = base * (1 - base) * factor, np.maximum((base + sizes) * (1 - base - sizes), 0) * factor
    z = special.ndtri(power)
    if design == "paired":
        method += f", correlation {correlation:g}"
        # gains and losses of two correlated reads of one clip
        both = base * (base + sizes) + correlation * np.sqrt(before * after) / factor
        both = np.clip(both, np.maximum(2 * base + sizes - 1, 0), base)
        gain, loss = base + sizes - both, base - both
        shortfall = z * np.sqrt(np.maximum(gain + loss - sizes**2, 0) * factor / n_speakers) / 2
        gain, loss = np.clip(gain - shortfall, 0, 1), np.clip(loss + shortfall, 0, 1)
        shared = -np.sqrt(gain * loss / np.maximum((1 - gain) * (1 - loss), 1e-12)).clip(0, 1)
        lost, gained = ((part, *_interval(part, n_speakers, factor, settings)) for part in (loss, gain))
        low = mover(lost, gained, shared)[1]
    else:
        variance = after / n_speakers + (before / other if design == "unpaired" else 0)
        seen = np.clip(base + sizes - z * np.sqrt(variance), 0, 1)
        ends = _interval(seen, n_speakers, factor, settings)
        low = ends[0] - base
        if design == "unpaired":
            fixed = np.array([base])
            low = mover((fixed, *_interval(fixed, other, factor, settings)), (seen, *ends))[1]
    found = np.flatnonzero(low > margin)
    if not len(found):
        return Detectable(None, f"no possible difference would be detected ({method})")
    return Detectable(float(sizes[found[0]]), method)


def _interval(seen: Floats, n_speakers: int, factor: float, settings: Settings) -> tuple[Floats, Floats]:
    """The interval of :func:`rate` for the observed rates ``seen``.

    The speakers' means have the moments of the beta distribution with mean ``seen`` and variance ``seen * (1 - seen) *
    factor``.
    """
    speakers = np.full_like(seen, n_speakers)
    both = 1 / factor - 1  # the sum of the two parameters

    def power_sums(mean: Floats) -> Floats:
        second = mean * (mean * both + 1) / (both + 1)
        third = second * (mean * both + 2) / (both + 2)
        return np.array([speakers * mean, speakers * second, speakers * third])

    return BoundedMean.of(power_sums(seen), power_sums(1 - seen), speakers).interval(settings.tail)
