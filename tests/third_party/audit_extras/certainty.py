"""The metric ``certainty``: the probability of the likeliest race, and its gap between groups (XTR002)."""

from __future__ import annotations

import numpy as np

from audit.checks import CustomMetric, Readings
from audit.core.vocabulary import RACES


def certainty(readings: Readings) -> object:
    """The largest of the probabilities of the races."""
    return np.max([readings.read[f"race_{race}"] for race in RACES], axis=0)


METRIC = CustomMetric(
    "certainty",
    "rate",
    "probability of the likeliest race",
    worse="low",
    label="certainty of the race read",
    score=certainty,
    code="XTR002",
    margin=0.1,
)
