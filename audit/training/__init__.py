"""Training Speech2Face on the training and validation speakers: the decoder, then the voice encoder against it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from audit.training.plan import TrainPlan

if TYPE_CHECKING:
    from audit.training.training import Trained, train

__all__ = ["TrainPlan", "Trained", "train"]


def __getattr__(name: str) -> Any:
    if name in ("Trained", "train"):  # loads no torch until something is trained
        return getattr(importlib.import_module("audit.training.training"), name)
    raise AttributeError(f"module 'audit.training' has no attribute {name!r}")
