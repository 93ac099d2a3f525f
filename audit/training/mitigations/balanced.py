"""Balanced sampling over group and language."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from audit.training.mitigations import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup, cells_of


class Balanced(TrainingMitigation):
    """Every cell of group and language is drawn with the same probability.

    With K cells, and n clips in a clip's cell, the probability of the clip is 1 / (K n).

    Examples
    --------
    >>> clips = pd.DataFrame({"group": ["asian", "asian", "white"], "language": ["en", "en", "en"]})
    >>> Balanced(clips).chances()
    tensor([0.2500, 0.2500, 0.5000])
    """

    def __init__(self, clips: pd.DataFrame) -> None:
        super().__init__()
        known, cells = cells_of(clips)
        counts = torch.bincount(cells)
        self._chances = 1.0 / (len(known) * counts[cells])

    def chances(self) -> Tensor:
        """The probability of each clip, [clips]; they sum to 1."""
        return self._chances


def create(setup: TrainingSetup) -> Balanced:
    """Create the mitigation for a training."""
    return Balanced(setup.clips)


MITIGATION = Mitigation(
    name="balanced",
    kind="data",
    summary="draw every group and language equally often (balanced sampling)",
    value=create,
)
