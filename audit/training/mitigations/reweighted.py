"""Reweighting that makes group and language independent."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from audit.training.mitigations import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup, cells_of, numbered_cells


class Reweighted(TrainingMitigation):
    r"""Weights of the losses that make group and language independent, as far as cells exist.

    Kamiran & Calders 2012, "Data preprocessing techniques for classification without discrimination", section 4.2:
    :math:`W(g, l) = P(g) P(l) / P(g, l)`, with the language as the class, scaled to a mean of 1 over the clips.

    Examples
    --------
    >>> clips = pd.DataFrame({"group": ["asian", "white", "white", "white"], "language": ["en", "en", "en", "zh"]})
    >>> Reweighted(clips).weights(torch.zeros(4), torch.arange(4))
    tensor([0.8000, 1.2000, 1.2000, 0.8000])
    """

    def __init__(self, clips: pd.DataFrame) -> None:
        super().__init__()
        counts = [
            torch.bincount(places)[places].double()
            for _, places in (
                numbered_cells(clips["group"].tolist()), numbered_cells(clips["language"].tolist()), cells_of(clips)
            )
        ]  # fmt: skip
        weights = counts[0] * counts[1] / counts[2]
        self._weights = (weights / weights.mean()).float()

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor:
        """The weight of each drawn clip, [B]."""
        return self._weights[rows]


def create(setup: TrainingSetup) -> Reweighted:
    """Create the mitigation for a training."""
    return Reweighted(setup.clips)


MITIGATION = Mitigation(
    name="reweighted",
    kind="data",
    summary="weight the losses so that group and language are independent (Kamiran & Calders 2012)",
    value=create,
)
