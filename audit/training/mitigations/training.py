"""Mitigations in a training step: sampling of the clips, weights of their losses, and penalties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from audit.training.mitigations import MITIGATIONS
from audit.training.mitigations.plan import MitigationPlan


class TrainingMitigation(nn.Module):
    """The base class of mitigations in training; its parameters are trained with the encoder's.

    All state must be in parameters and buffers, so that a stopped training can be resumed.
    """

    def chances(self) -> Tensor | None:
        """The sampling probability of each clip, [clips]; ``None`` for uniform."""
        return None

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor | None:
        """The weight of the loss of each drawn clip, [B]; ``None`` for uniform.

        Parameters
        ----------
        losses : Tensor
            [B], the loss of each clip, without gradient.
        rows : Tensor
            [B], the rows of the clips.
        """
        return None

    def penalty(self, features: Tensor, rows: Tensor) -> Tensor | None:
        """The penalty added to the loss, from the voice features [B, D]; ``None`` for none."""
        return None


@dataclass(frozen=True)
class TrainingSetup:
    """The input of a mitigation in training.

    Attributes
    ----------
    plan : MitigationPlan
        Names and options.
    clips : DataFrame
        One row per training clip, with ``group`` and ``language``.
    feature, steps : int
        Length of the voice feature, and steps of the training.
    """

    plan: MitigationPlan
    clips: pd.DataFrame
    feature: int
    steps: int


class Mitigations(nn.Module):
    """The combined mitigations of a training, by name: probabilities and weights are multiplied, penalties added."""

    def __init__(self, parts: Mapping[str, TrainingMitigation]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)

    def drawn(self, batch: int, clips: int) -> Tensor:
        """The rows of the clips of one step: [batch], with replacement."""
        chances = [some for part in self._each() if (some := part.chances()) is not None]
        if not chances:
            return torch.randint(clips, (batch,))
        return torch.multinomial(torch.stack(chances).prod(0), batch, replacement=True)

    def applied(self, losses: Mapping[str, Tensor], features: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The terms of one step, and ``loss``, weighted and with every penalty.

        Parameters
        ----------
        losses : mapping
            [B] each: the terms of every drawn clip, and their weighted sum ``loss``.
        features, rows : Tensor
            [B, D] and [B]: the voice features, and the rows of their clips.
        """
        terms = {name: value.mean() for name, value in losses.items()}
        weighed = losses["loss"]
        for part in self._each():
            weights = part.weights(losses["loss"].detach(), rows)
            weighed = weighed if weights is None else weighed * weights.to(weighed)
        total = weighed.mean()
        for name, part in zip(self.parts, self._each(), strict=True):
            penalty = part.penalty(features, rows)
            if penalty is not None:
                terms[name] = penalty
                total = total + penalty
        return terms | {"loss": total}

    def _each(self) -> list[TrainingMitigation]:
        return [part for part in self.parts.values() if isinstance(part, TrainingMitigation)]


def mitigations_of(plan: MitigationPlan, clips: pd.DataFrame, feature: int, steps: int, seed: int) -> Mitigations:
    """Create the mitigations of a plan; ``seed`` initialises their weights. See :class:`TrainingSetup`.

    Raises
    ------
    PlanError
        If the clips do not suit a mitigation: an adversary needs two languages.
    """
    setup = TrainingSetup(plan, clips, feature, steps)
    parts: dict[str, TrainingMitigation] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in plan.names:
            made = MITIGATIONS.factory(name)(setup)
            assert isinstance(made, TrainingMitigation)  # validated by MitigationPlan
            parts[name] = made
    return Mitigations(parts)


def numbered_cells(keys: Sequence[object]) -> tuple[list[object], Tensor]:
    """The distinct keys, sorted, and the index of each key: [n].

    Examples
    --------
    >>> numbered_cells(["zh", "en", "zh"])
    (['en', 'zh'], tensor([1, 0, 1]))
    """
    known = sorted(set(keys), key=str)
    place = {key: i for i, key in enumerate(known)}
    return known, torch.tensor([place[key] for key in keys])


def cells_of(clips: pd.DataFrame) -> tuple[list[object], Tensor]:
    """The cells of group and language, and the cell of each clip."""
    return numbered_cells(list(zip(clips["group"], clips["language"], strict=True)))
