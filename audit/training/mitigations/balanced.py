"""Balanced sampling over group and language."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from audit.training.mitigations import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup, cells_of


class Balanced(TrainingMitigation):
    """Every cell, group x language, is drawn equally often, and every clip in it.

    With K cells and n clips in a clip's own cell its chance is 1 / (K n). A cell without clips is not drawn: there is
    nothing to draw.

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
        """The chance of each clip, [clips]; they sum to 1."""
        return self._chances


def create(setup: TrainingSetup) -> Balanced:
    """The mitigation of one training."""
    return Balanced(setup.clips)


MITIGATION = Mitigation(
    name="balanced",
    kind="data",
    summary="every group in every language is drawn equally often (balanced sampling)",
    value=create,
)
