"""``auto``: an instrument that reads faces by DeepFace."""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.instruments.sources import build

INSTRUMENT = Part(
    name="auto",
    summary="DeepFace's own weights for each attribute where they are on this machine, else the embedded models",
    value=partial(build, "auto"),
)
