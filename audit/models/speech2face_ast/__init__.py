"""Speech2Face with an Audio Spectrogram Transformer as voice encoder, by Kacper Pietkun: published weights.

See docs/guide/models/speech2face-ast.md. Importing this package imports torch.
"""

from __future__ import annotations

from audit.core.registry import Part
from audit.models.speech2face_ast.model import Speech2FaceAst, speech2face_ast

__all__ = ["Speech2FaceAst"]

MODEL = Part(
    name="speech2face-ast",
    summary="Kacper-Pietkun/Speech-to-face with its two published checkpoints (--weights FOLDER)",
    value=speech2face_ast,
)
