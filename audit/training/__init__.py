"""Training Speech2Face: the decoder, then the voice encoder against it. Sees training and validation speakers only."""

from __future__ import annotations

from audit.training.plan import TrainPlan
from audit.training.training import Trained, train

__all__ = ["TrainPlan", "Trained", "train"]
