"""``speech2face-small-full``: trained with every group in every language."""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.models.speech2face.shipped import shipped_model

MODEL = Part(
    name="speech2face-small-full",
    summary="Speech2Face, small, trained here on fictional voices; every group covered in every language",
    value=partial(shipped_model, "speech2face-small-full"),
)
