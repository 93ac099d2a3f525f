"""Statistical settings of an audit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

Estimand = Literal["speaker", "clip"]
Kind = Literal["rate", "mean"]
IntervalRule = Literal["auto", "percentile", "bca"]

MANY = 500
"""From this many speakers on, a mean gets the skewness-corrected interval instead of the bootstrap."""

LARGE = 30
"""From this many speakers on, a mean gets a bootstrap interval instead of Student's t, and settings may ask for one."""


@dataclass(frozen=True)
class Settings:
    """Statistical settings, shared by every estimate of an audit.

    Attributes
    ----------
    confidence : float
        Nominal coverage of intervals, in (0, 1).
    resamples : int
        Number of bootstrap resamples, and of random permutations if they are too many to enumerate.
    seed : int
        Seed of all random numbers, together with the name of the estimate.
    min_speakers : int
        Minimum number of speakers for an interval.
    estimand : {"speaker", "clip"}
        ``speaker`` (macro average): every speaker has the same weight. ``clip`` (micro average): every clip has. The
        sampling unit is the speaker in both.
    interval : {"auto", "percentile", "bca"}
        ``auto`` follows the rules of docs/reference/method.md. The others use a bootstrap over
        speakers if there are at least 30 of them and their values differ.

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
        """Random generator of the estimate ``name``; depends only on name and seed, on every platform."""
        digest = hashlib.sha256(f"{self.seed}\0{name}".encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
