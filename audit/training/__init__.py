"""Training Speech2Face on the training and validation speakers: the decoder, then the voice encoder against it."""

from __future__ import annotations

from audit.training.plan import TrainPlan
from audit.training.training import Trained, train

__all__ = ["TrainPlan", "Trained", "train"]
