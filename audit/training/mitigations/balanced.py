"""Balanced sampling over group and language."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.training.mitigations.registry import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup


class Balanced(TrainingMitigation):
    """Every cell of group and language is drawn with the same probability.

    With K cells, and n clips in a clip's cell, the probability of the clip is 1 / (K n).

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({"group": ["asian", "asian", "white"], "language": ["en", "en", "en"]})
    >>> Balanced(TrainingSetup(clips, feature=2, steps=1)).chances()
    tensor([0.2500, 0.2500, 0.5000])
    """

    def __init__(self, setup: TrainingSetup) -> None:
        super().__init__(setup)
        cells = setup.clips.groupby(["group", "language"])["group"]
        self._chances = 1.0 / (cells.ngroups * torch.tensor(cells.transform("size").tolist()))

    def chances(self) -> Tensor:
        """The probability of each clip, [clips]; they sum to 1."""
        return self._chances


MITIGATION = Mitigation(
    name="balanced",
    kind="data",
    summary="draw every group and language equally often (balanced sampling)",
    value=Balanced,
)
