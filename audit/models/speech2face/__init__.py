"""Speech2Face (Oh et al., CVPR 2019) in torch: a voice encoder, a face encoder, and a decoder for both.

Importing this package imports torch; :func:`audit.model` imports it only for a model that needs it.
"""

from __future__ import annotations

from audit.core.registry import Part
from audit.models.speech2face.checkpoint import load_checkpoint, save_checkpoint
from audit.models.speech2face.config import PAPER, SMALL, Configuration
from audit.models.speech2face.model import Speech2Face, speech2face
from audit.models.speech2face.shipped import weights_of

__all__ = [
    "PAPER",
    "SMALL",
    "Configuration",
    "Speech2Face",
    "load_checkpoint",
    "save_checkpoint",
    "weights_of",
]

MODEL = Part(
    name="speech2face",
    summary="Speech2Face with your own weights (--weights FILE)",
    value=speech2face,
)
