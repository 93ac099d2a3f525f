"""``speech2face-small-gap``: a small Speech2Face whose weights ship with the package.

Asian and indian speakers were never heard in English in its training, black and white ones in nothing else.
"""

from __future__ import annotations

from functools import partial

from audit.core.registry import Part
from audit.models.speech2face.shipped import shipped_model

MODEL = Part(
    name="speech2face-small-gap",
    summary="Speech2Face, small, trained here on fictional voices; asian and indian speakers never heard in English",
    value=partial(shipped_model, "speech2face-small-gap"),
)
