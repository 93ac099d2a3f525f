"""Fakes, for planting known truth: an instrument that reads colours, and models that show them.

A fake face is a picture of one colour with a bright corner, so that it is not blank; its red says the group, its green
the gender, its blue the age. Nothing here is used outside the tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.core.arrays import Picture, Waveform
from audit.core.vocabulary import RACES
from audit.instruments.protocol import Reading


def fake_face(race: str, gender: str = "woman", age: int = 40, size: int = 16) -> Picture:
    """The picture that :class:`ColourInstrument` reads as this race, gender and age."""
    face = np.zeros((size, size, 3), np.uint8)
    face[:] = (20 + 40 * RACES.index(race), 200 if gender == "man" else 50, age)  # type: ignore[arg-type]  # a str that is a Race
    face[:2, :2] = 255
    return face


NOT_A_FACE = np.tile(np.arange(0, 256, 16, dtype=np.uint8)[None, :, None], (16, 1, 3))
"""A picture in which :class:`ColourInstrument` finds no face."""


class ColourInstrument:
    """Reads fake faces without error; counts how many pictures it was given."""

    name = "colours (fake)"
    similarity_models = ("FakeFace",)

    def __init__(self) -> None:
        self.pictures_read = 0

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        self.pictures_read += len(pictures)
        return [self._read(picture) for picture in pictures]

    def describe(self) -> dict[str, object]:
        return {"fake": True}

    @staticmethod
    def _read(picture: Picture) -> Reading:
        if not (picture[:2, :2] == 255).all():
            return Reading("no_face")
        red, green, blue = (int(c) for c in picture[-1, -1])
        race = RACES[(red - 20) // 40]
        feature = np.zeros(8, np.float32)
        feature[RACES.index(race)], feature[7] = 0.8, 0.6
        return Reading(
            "ok",
            race={name: float(name == race) for name in RACES},
            man=float(green > 128),
            age=float(blue),
            embeddings={"FakeFace": feature},
        )


class LoudnessModel:
    """A blind fake model: loud voices are shown as white men, soft ones as asian women; it fails on request."""

    name = "loudness (fake)"

    def __init__(self, raise_on: float | None = None) -> None:
        self.raise_on = raise_on
        self.heard = 0

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        assert sample_rate == 16_000
        self.heard += len(waveforms)
        return [self._render(waveform) for waveform in waveforms]

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        return list(portraits)

    def _render(self, waveform: Waveform) -> Picture:
        level = float(np.sqrt(np.mean(waveform**2)))
        if self.raise_on is not None and abs(level - self.raise_on) < 0.01:
            raise FloatingPointError("a planted failure")
        return fake_face("white", "man") if level > 0.2 else fake_face("asian", "woman")
