"""``embedded``: an instrument that reads faces by DeepFace."""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.instruments.sources import build

INSTRUMENT = Part(
    name="embedded",
    summary="the models in this package, registered with DeepFace: no download, the same reads on every machine",
    value=partial(build, "embedded"),
)
