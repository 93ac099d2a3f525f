"""Gender as an instrument reads it: woman or man."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from audit.core.attributes.attribute import Attribute, Floats, Number, Probed, Reads
from audit.core.metric import Metric
from audit.core.vocabulary import GENDERS


def _score(reads: Reads) -> Mapping[str, Floats]:
    """Whether the gender was read as labelled; NaN where the label is neither woman nor man."""
    known = reads.truth.isin(GENDERS).to_numpy()
    right = reads.label == reads.places(reads.attribute.truth, GENDERS)
    return {"gender_right": np.where(reads.read & known, right, np.nan)}


def _woman(reads: Reads) -> Mapping[str, Floats]:
    return {"read_woman": reads.where_read(reads.label == GENDERS.index("woman"))}


ATTRIBUTE: Final = Attribute(
    name="gender",
    summary="read gender: the probability that a face is read as a man's",
    labels=GENDERS,
    numbers=(Number("man", low=0, high=1),),
    truth="gender",
    metrics=(Metric("gender_right", "rate", "gender read as labelled", worse="low"),),
    score=_score,
    probed=Probed(
        title="the read gender",
        sentence="the face is read as another gender in {}",
        margin=0.10,
        columns={"man": "man"},
        metrics=(Metric("read_woman", "rate", "read as a woman"),),
        score=_woman,
    ),
)
