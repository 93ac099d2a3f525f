"""Mitigations in a training step: sampling of the clips, weights of their losses, and penalties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor, nn

from audit.training.mitigations.plan import MitigationPlan
from audit.training.mitigations.registry import MITIGATIONS


@dataclass(frozen=True)
class TrainingSetup:
    """The input of a mitigation in training.

    Attributes
    ----------
    clips : DataFrame
        One row per training clip, with ``group`` and ``language``.
    feature, steps : int
        Length of the voice feature, and steps of the training.
    plan : MitigationPlan
        Names and options.
    """

    clips: pd.DataFrame
    feature: int
    steps: int
    plan: MitigationPlan = field(default_factory=MitigationPlan)


class TrainingMitigation(nn.Module):
    """The base class of mitigations in training; by itself it changes nothing.

    Its parameters are trained with the encoder's. All state must be in parameters and buffers, so that a stopped
    training can be resumed.
    """

    def __init__(self, setup: TrainingSetup) -> None:
        super().__init__()

    def chances(self) -> Tensor | None:
        """The sampling probability of each clip, [clips]; ``None`` for uniform."""
        return None

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor | None:
        """The weight of the loss of each drawn clip, [B]; ``None`` for uniform.

        ``losses`` are those of the clips, [B], without gradient; ``rows`` are the rows of the clips, [B].
        """
        return None

    def penalty(self, features: Tensor, rows: Tensor) -> Tensor | None:
        """The penalty added to the loss, from the voice features [B, D]; ``None`` for none."""
        return None


class Mitigations(nn.Module):
    """The combined mitigations of a training, by name: probabilities and weights are multiplied, penalties added."""

    def __init__(self, parts: Mapping[str, TrainingMitigation]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)

    def drawn(self, batch: int, clips: int) -> Tensor:
        """The rows of the clips of one step: [batch], with replacement."""
        chances = [some for part in self._each().values() if (some := part.chances()) is not None]
        if not chances:
            return torch.randint(clips, (batch,))
        return torch.multinomial(torch.stack(chances).prod(0), batch, replacement=True)

    def applied(self, losses: Mapping[str, Tensor], features: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The terms of one step, and ``loss``, weighted and with every penalty.

        ``losses`` are the terms of every drawn clip and their weighted sum ``loss``, [B] each; ``features`` are its
        voice features, [B, D], and ``rows`` its rows, [B].
        """
        terms = {name: value.mean() for name, value in losses.items()}
        weighed, penalties = losses["loss"], {}
        for name, part in self._each().items():
            if (weights := part.weights(losses["loss"].detach(), rows)) is not None:
                weighed = weighed * weights.to(weighed)
            if (penalty := part.penalty(features, rows)) is not None:
                penalties[name] = penalty
        return terms | penalties | {"loss": sum(penalties.values(), weighed.mean())}

    def _each(self) -> dict[str, TrainingMitigation]:
        return {name: part for name, part in self.parts.items() if isinstance(part, TrainingMitigation)}


def mitigations_of(setup: TrainingSetup, seed: int) -> Mitigations:
    """Create the mitigations of a plan; ``seed`` initialises their weights.

    Raises
    ------
    PlanError
        If the clips do not suit a mitigation: an adversary needs two languages.
    """
    parts: dict[str, TrainingMitigation] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in setup.plan.names:
            made = MITIGATIONS.factory(name)(setup)
            assert isinstance(made, TrainingMitigation)  # validated by MitigationPlan
            parts[name] = made
    return Mitigations(parts)
