"""What a number of speakers can show, before anything is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from audit.stats.settings import Settings

Design = Literal["one", "paired", "unpaired"]


@dataclass(frozen=True)
class Detectable:
    """The smallest difference that a check would find, or None where it would find none; and on what assumptions."""

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
    """The smallest difference whose interval would lie beyond the margin with the given power.

    ``margin + (t + z) * sqrt(v)``, ``t`` and ``z`` being the quantiles of Student's t at ``1 - (1 - confidence) / 2``
    and of the normal distribution at ``power``, and ``v`` the variance of the estimate. A speaker's mean over ``m``
    clips has variance ``s = rate * (1 - rate) * (1 + (m - 1) * icc) / m``; then ``v = s / n`` for one rate against a
    fixed value, ``s / n + s / n_other`` for two groups, ``2 * s * (1 - correlation) / n`` for the same speakers
    twice. (Normal approximation with a design effect: Donner and Klar 2000, chapter 5.) Exact intervals on few
    speakers are wider, so real power is below the stated one there: docs/method.md has the figures.

    Parameters
    ----------
    n_speakers, other_speakers : int
        Speakers, and those of the other group where ``design`` is ``unpaired`` (as many, if left out).
    design : {"one", "paired", "unpaired"}
        One rate against a fixed value; the same speakers twice; two groups.
    rate : float
        The rate that is expected, in [0, 1]; 0.5 is the worst case.
    icc : float
        Intra-class correlation of clips within a speaker, in [0, 1].
    clips : float
        Clips a speaker (of each reading, where paired); a mean number may be fractional.
    correlation : float
        Between a speaker's two readings, in [-1, 1]; 0 is cautious.
    margin : float
        As in :func:`verdict`.
    power : float
        In (0, 1).

    Returns
    -------
    Detectable
        ``size`` is None below ``min_speakers``, and where not even the greatest possible difference would be found.

    Raises
    ------
    ValueError
        For a number out of its range or an unknown design.

    Examples
    --------
    >>> found = smallest_detectable(100, design="paired", rate=0.5, correlation=0.5)
    >>> round(found.size, 3)  # (1.984 + 0.842) * sqrt(2 * 0.25 * 0.5 / 100)
    0.141
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
    spread = rate * (1 - rate) * (1 + (clips - 1) * icc) / clips
    variance, freedom = {
        "one": (spread / n_speakers, n_speakers - 1),
        "paired": (2 * spread * (1 - correlation) / n_speakers, n_speakers - 1),
        "unpaired": (spread / n_speakers + spread / max(other, 1), n_speakers + other - 2),
    }[design]
    quantiles = special.stdtrit(freedom, 1 - settings.tail) + special.ndtri(power)
    size = float(f"{margin + quantiles * np.sqrt(variance):.12g}")
    told = f"power {power:g} at {settings.confidence:.0%} confidence, rate {rate:g}"
    told += f", {clips:g} clips a speaker, icc {icc:g}"
    if design == "paired":
        told += f", correlation {correlation:g}"
    if size > max(rate, 1 - rate):
        return Detectable(None, f"no difference that can occur would be found ({told})")
    return Detectable(size, told)
