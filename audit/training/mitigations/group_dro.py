"""Group DRO: the cell with the largest loss gets the largest weight."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.training.mitigations.registry import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup


class GroupDroWeights(TrainingMitigation):
    r"""Online exponentiated weights over group x language.

    Sagawa et al. 2020, "Distributionally robust neural networks for group shifts", algorithm 1: the weight of each cell
    g in the batch with mean loss :math:`\ell_g` is multiplied by :math:`\exp(\eta \ell_g)`, then all are scaled to sum
    to 1, and :math:`\sum_g q_g \ell_g` is minimised. As in the authors' code, a batch has several cells, and a cell
    that is not in it keeps its weight before the scaling. The authors recommend strong regularisation with it.

    Attributes
    ----------
    known : list of tuple
        The K cells.
    shares : Tensor
        [K], the weights q, float64; a buffer, so that they are saved with the training.
    """

    shares: Tensor

    def __init__(self, setup: TrainingSetup) -> None:
        super().__init__(setup)
        cells = setup.clips.groupby(["group", "language"])
        self.rate, self.known = setup.plan.group_dro.rate, list(cells.size().index)
        self._cells = torch.tensor(cells.ngroup().tolist())
        self.register_buffer("shares", torch.full((len(self.known),), 1 / len(self.known), dtype=torch.float64))

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor:
        """The weight of each drawn clip, [B], after updating the shares with these losses."""
        cells = self._cells[rows]
        counts = torch.bincount(cells, minlength=len(self.known))
        sums = torch.zeros(len(self.known), dtype=torch.float64).index_add(0, cells, losses.double().cpu())
        moved = self.shares.cpu() * torch.exp(self.rate * sums / counts.clamp(min=1))
        self.shares.copy_(moved / moved.sum())
        return (self.shares.cpu()[cells] * len(rows) / counts[cells]).float()


MITIGATION = Mitigation(
    name="group_dro",
    kind="training",
    summary="give the group and language with the largest loss the largest weight (Sagawa et al. 2020)",
    value=GroupDroWeights,
)
