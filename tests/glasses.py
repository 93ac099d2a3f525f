"""A third-party attribute, as a package outside ``audit`` would declare it, and a fake instrument that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audit.core.arrays import Picture
from audit.core.attributes import Attribute, Number, Probed, Read, Reads
from audit.core.metric import Metric
from audit.instruments.protocol import Reading
from tests.fakes import ColourInstrument

LABELS = ("without", "with")


def wear_glasses(face: Picture) -> Picture:
    """The face with what :class:`GlassesInstrument` reads as glasses: its green is odd."""
    worn = face.copy()
    worn[2:, 2:, 1] |= 1
    return worn


def _measure(picture: Picture, landmarks: np.ndarray) -> Read:
    return float(picture[-1, -1, 1] % 2)


def _score(reads: Reads) -> Mapping[str, np.ndarray]:
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
    score=_score,
    measure=_measure,
    probed=Probed("the read glasses", "glasses come or go in {}", 0.10),
)


class GlassesInstrument(ColourInstrument):
    """Reads what :class:`ColourInstrument` reads, and glasses."""

    name = "colours and glasses (fake)"
    attributes = ("race", "gender", "age", "glasses")

    def describe(self) -> dict[str, object]:
        return {"fake": True, "cache_key": "glasses"}

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        readings = super().read(pictures)
        return [
            Reading(
                reading.status,
                embeddings=reading.embeddings,
                attributes=reading.attributes | {"glasses": _measure(picture, np.zeros((68, 2)))},
            )
            if reading.status == "ok"
            else reading
            for reading, picture in zip(readings, pictures, strict=True)
        ]
