"""How the statistics are to be made: one frozen object that travels with every call and into every report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

Estimand = Literal["speaker", "clip"]
Kind = Literal["rate", "mean"]
IntervalRule = Literal["auto", "percentile", "bca"]

MANY = 500
"""From this many speakers on, a mean's bootstrap gives way to the expansion that it comes to (docs/method.md)."""

LARGE = 30
"""From this many speakers on, approximate methods take over from exact ones (docs/method.md shows why here)."""


@dataclass(frozen=True)
class Settings:
    """What every estimate of an audit has in common.

    Attributes
    ----------
    confidence : float
        Coverage that intervals aim at, in (0, 1).
    resamples : int
        Bootstrap resamples, and random draws of a permutation test that is too large to enumerate.
    seed : int
        With the name of an estimate it decides every random number, whatever else is estimated beside it.
    min_speakers : int
        Below this many speakers a figure gets no interval.
    estimand : {"speaker", "clip"}
        ``speaker``: every speaker weighs the same, however many clips they have. ``clip``: every clip does. The
        sampling unit, which decides the uncertainty, is the speaker in both.
    interval : {"auto", "percentile", "bca"}
        ``auto`` follows the rules of docs/method.md, which the coverage study chose. The others ask for a bootstrap
        over speakers wherever there are at least 30 of them and their values differ.

    Raises
    ------
    ValueError
        If a number is out of its range or a choice is unknown.

    Examples
    --------
    >>> Settings(confidence=0.9).tail
    0.05
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    min_speakers: int = 5
    estimand: Estimand = "speaker"
    interval: IntervalRule = "auto"

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence {self.confidence}: must lie between 0 and 1")
        if self.resamples < 1 or self.min_speakers < 2:
            raise ValueError(f"resamples {self.resamples} is below 1 or min_speakers {self.min_speakers} below 2")
        if self.estimand not in ("speaker", "clip") or self.interval not in ("auto", "percentile", "bca"):
            raise ValueError(f"estimand {self.estimand!r} or interval {self.interval!r} is unknown")

    @property
    def tail(self) -> float:
        """The probability that an interval leaves out on each side."""
        return round((1 - self.confidence) / 2, 12)

    def generator(self, name: str) -> np.random.Generator:
        """Random numbers for the estimate called ``name``: the same for the same seed, on every platform."""
        digest = hashlib.sha256(f"{self.seed}\0{name}".encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
