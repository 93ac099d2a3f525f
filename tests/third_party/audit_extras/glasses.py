"""Glasses: whether a face is read with glasses. In this package a face wears them if its green is odd."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audit.core.arrays import Picture
from audit.core.attributes import Attribute, Number, Probed, Read, Reads
from audit.core.metric import Metric

LABELS = ("without", "with")


def measure(picture: Picture, landmarks: np.ndarray) -> Read:
    """1 if the face wears glasses, else 0."""
    return float(picture[-1, -1, 1] % 2)


def score(reads: Reads) -> Mapping[str, np.ndarray]:
    """Which faces are read with glasses, and which as labelled."""
    worn = reads.label == LABELS.index("with")
    right = np.where(reads.truth.notna(), reads.label == reads.places(reads.attribute.truth, LABELS), np.nan)
    return {"glasses_read": reads.where_read(worn), "glasses_right": reads.where_read(right)}


ATTRIBUTE = Attribute(
    name="glasses",
    summary="whether glasses are read",
    labels=LABELS,
    numbers=(Number("with", low=0, high=1),),
    truth="glasses",
    metrics=(
        Metric("glasses_read", "rate", "read with glasses"),
        Metric("glasses_right", "rate", "glasses read as labelled", worse="low"),
    ),
    score=score,
    measure=measure,
    probed=Probed("the read glasses", "glasses come or go in {}", 0.10),
)
