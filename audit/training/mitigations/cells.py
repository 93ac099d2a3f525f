"""Balanced sampling and reweighting: both by how many clips each group has in each language."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from audit.training.mitigations.training import TrainingMitigation, numbered_cells


def cells_of(clips: pd.DataFrame) -> tuple[list[object], Tensor]:
    """The cells, group x language, and the cell of each clip."""
    return numbered_cells(list(zip(clips["group"], clips["language"], strict=True)))


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


class Reweighted(TrainingMitigation):
    r"""Losses weighted so that group and language are independent, as far as cells exist.

    Kamiran & Calders 2012, "Data preprocessing techniques for classification without discrimination", section 4.2:
    :math:`W(g, l) = P(g) P(l) / P(g, l)`, with the language in the place of the class: inverse to the cell's own
    frequency. Scaled to a mean of 1 over the clips. A cell without clips stays without weight.

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
        """The weight of each clip drawn, [B]."""
        return self._weights[rows]
