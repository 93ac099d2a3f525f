"""``speech2face-small-gap``: trained with asian and indian speakers only in other languages, others only in English."""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.models.speech2face.shipped import shipped_model

MODEL = Part(
    name="speech2face-small-gap",
    summary="Speech2Face, small, trained here on fictional voices; asian and indian speakers not covered in English",
    value=partial(shipped_model, "speech2face-small-gap"),
)
