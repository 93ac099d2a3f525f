"""The trained checkpoints in the package; see docs/reference/speech2face.md and their cards."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audit.core.errors import ModelError
from audit.models.speech2face.checkpoint import load_checkpoint
from audit.models.speech2face.model import Speech2Face

SHIPPED: Final = ("speech2face-small-gap", "speech2face-small-full")


def weights_of(name: str) -> Path:
    """The file of a shipped checkpoint; ModelError if there is no such checkpoint."""
    if name not in SHIPPED:
        raise ModelError(f"No checkpoint {name!r} is shipped.", ", ".join(SHIPPED))
    return Path(__file__).parent / "weights" / f"{name}.safetensors"


def shipped_model(name: str, *, device: str | None = None, batch: int = 8, seconds: float | None = None) -> Speech2Face:
    """The model of a shipped checkpoint; the options are those of :class:`Speech2Face`."""
    return Speech2Face(load_checkpoint(weights_of(name)), device=device, batch=batch, seconds=seconds)
