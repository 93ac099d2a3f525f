"""A fake instrument that reads glasses, the attribute of the third-party package in tests/third_party."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.core.arrays import Picture
from audit.instruments.protocol import Reading
from tests.fakes import ColourInstrument
from tests.third_party.audit_extras.glasses import ATTRIBUTE, measure

__all__ = ["ATTRIBUTE", "GlassesInstrument", "wear_glasses"]


def wear_glasses(face: Picture) -> Picture:
    """The face with what :class:`GlassesInstrument` reads as glasses: its green is odd."""
    worn = face.copy()
    worn[2:, 2:, 1] |= 1
    return worn


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
                attributes=reading.attributes | {"glasses": measure(picture, np.zeros((68, 2)))},
            )
            if reading.status == "ok"
            else reading
            for reading, picture in zip(readings, pictures, strict=True)
        ]
