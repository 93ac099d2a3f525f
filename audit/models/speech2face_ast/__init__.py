"""Kacper-Pietkun/Speech-to-face with its published weights; see docs/guide/models/speech2face-ast.md."""

from __future__ import annotations

from audit.core.registry import Part
from audit.models.speech2face_ast.model import Speech2FaceAst

MODEL = Part(
    name="speech2face-ast",
    summary="Kacper-Pietkun/Speech-to-face with its two published checkpoints (--weights FOLDER)",
    value=Speech2FaceAst,
)
