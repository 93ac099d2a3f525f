"""``deepface``: an instrument that reads faces by DeepFace."""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.instruments.sources import build

INSTRUMENT = Part(
    name="deepface",
    summary="DeepFace's own weights for race, gender and age; an error where one is missing",
    value=partial(build, "deepface"),
)
