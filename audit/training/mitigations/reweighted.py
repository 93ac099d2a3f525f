"""Reweighting that makes group and language independent."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.training.mitigations.registry import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup


class Reweighted(TrainingMitigation):
    r"""Weights of the losses that make group and language independent, as far as cells exist.

    Kamiran & Calders 2012, "Data preprocessing techniques for classification without discrimination", section 4.2:
    :math:`W(g, l) = P(g) P(l) / P(g, l)`, with the language as the class, scaled to a mean of 1 over the clips.

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({"group": ["asian", "white", "white", "white"], "language": ["en", "en", "en", "zh"]})
    >>> Reweighted(TrainingSetup(clips, feature=2, steps=1)).weights(torch.zeros(4), torch.arange(4))
    tensor([0.8000, 1.2000, 1.2000, 0.8000])
    """

    def __init__(self, setup: TrainingSetup) -> None:
        super().__init__(setup)
        groups, languages, cells = (
            torch.tensor(setup.clips.groupby(keys)["group"].transform("size").tolist()).double()
            for keys in (["group"], ["language"], ["group", "language"])
        )
        weights = groups * languages / cells
        self._weights = (weights / weights.mean()).float()

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor:
        """The weight of each drawn clip, [B]."""
        return self._weights[rows]


MITIGATION = Mitigation(
    name="reweighted",
    kind="data",
    summary="weight the losses so that group and language are independent (Kamiran & Calders 2012)",
    value=Reweighted,
)
