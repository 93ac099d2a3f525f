"""Age as an instrument reads it, in years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from audit.core.attributes.attribute import Attribute, Floats, Number, Probed, Reads
from audit.core.metric import Metric


def _score(reads: Reads) -> Mapping[str, Floats]:
    """Years between the age read and the age labelled."""
    return {"age_error": np.abs(reads.number() - reads.truth.astype(float).to_numpy(np.float64))}


ATTRIBUTE: Final = Attribute(
    name="age",
    summary="read age, in years",
    numbers=(Number(unit="years"),),
    optional=True,
    truth="age",
    metrics=(
        Metric(
            "age_error",
            "mean",
            "years between the age read and the age labelled",
            worse="high",
            unit="years",
            label="age error",
        ),
    ),
    score=_score,
    probed=Probed(
        title="the read age",
        sentence="the age read changes by {}",
        margin=2.0,
        number="",
        metrics=(Metric("read_age", "mean", "read age", unit="years"),),
        score=lambda reads: {"read_age": reads.where_read(reads.number())},
    ),
)
