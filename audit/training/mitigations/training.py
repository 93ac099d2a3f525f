"""What mitigations change in a step of training: which clips are drawn, how their losses weigh, and what is added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from audit.training.mitigations import MITIGATIONS
from audit.training.mitigations.plan import MitigationPlan


class TrainingMitigation(nn.Module):
    """One mitigation in training, which by itself changes nothing; its parameters are trained with the encoder's.

    All that it must remember lies in its parameters and buffers, so that a training that was stopped goes on alike.
    """

    def chances(self) -> Tensor | None:
        """The chance of each clip to be drawn, [clips]; ``None`` for all alike."""
        return None

    def weights(self, losses: Tensor, rows: Tensor) -> Tensor | None:
        """What the loss of each clip drawn counts, [B]; ``None`` for all alike.

        Parameters
        ----------
        losses : Tensor
            [B], the loss of each clip; no gradient.
        rows : Tensor
            [B], which clips they are.
        """
        return None

    def penalty(self, features: Tensor, rows: Tensor) -> Tensor | None:
        """What is added to the loss; ``None`` for nothing. ``features`` are [B, D], the voice features."""
        return None


@dataclass(frozen=True)
class TrainingSetup:
    """What a mitigation in training is made from.

    Attributes
    ----------
    plan : MitigationPlan
        Names and options.
    clips : DataFrame
        One row a clip that is heard, with ``group`` and ``language``.
    feature, steps : int
        Length of the voice feature, and steps of the training.
    """

    plan: MitigationPlan
    clips: pd.DataFrame
    feature: int
    steps: int


class Mitigations(nn.Module):
    """The mitigations of one training, together: chances and weights are multiplied, penalties added.

    Parameters
    ----------
    parts : mapping of str to TrainingMitigation
        By name.
    """

    def __init__(self, parts: Mapping[str, TrainingMitigation]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)

    def drawn(self, batch: int, clips: int) -> Tensor:
        """The clips of one step: [batch], with replacement."""
        chances = [some for part in self._each() if (some := part.chances()) is not None]
        if not chances:
            return torch.randint(clips, (batch,))
        return torch.multinomial(torch.stack(chances).prod(0), batch, replacement=True)

    def applied(self, losses: Mapping[str, Tensor], features: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The terms of one step, and ``loss``, weighted and with every penalty.

        Parameters
        ----------
        losses : mapping
            [B] each: the terms of every clip drawn, and their weighted sum ``loss``.
        features, rows : Tensor
            [B, D] and [B]: the voice features, and which clips they are of.
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
    """The mitigations that a plan names, made for the clips that its training hears.

    Parameters
    ----------
    plan : MitigationPlan
        Names and options.
    clips : DataFrame
        One row a clip that is heard, with ``group`` and ``language``.
    feature, steps, seed : int
        Length of the voice feature, steps of the training, and the seed of first weights.

    Raises
    ------
    PlanError
        If the clips do not allow it: an adversary needs two languages.
    """
    setup = TrainingSetup(plan, clips, feature, steps)
    parts: dict[str, TrainingMitigation] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in plan.names:
            made = MITIGATIONS.factory(name)(setup)
            assert isinstance(made, TrainingMitigation)  # MitigationPlan admits no others
            parts[name] = made
    return Mitigations(parts)


def numbered_cells(keys: Sequence[object]) -> tuple[list[object], Tensor]:
    """The different keys, sorted, and the place of each among them: [n].

    Examples
    --------
    >>> numbered_cells(["zh", "en", "zh"])
    (['en', 'zh'], tensor([1, 0, 1]))
    """
    known = sorted(set(keys), key=str)
    place = {key: i for i, key in enumerate(known)}
    return known, torch.tensor([place[key] for key in keys])


def cells_of(clips: pd.DataFrame) -> tuple[list[object], Tensor]:
    """The cells, group x language, and the cell of each clip."""
    return numbered_cells(list(zip(clips["group"], clips["language"], strict=True)))
