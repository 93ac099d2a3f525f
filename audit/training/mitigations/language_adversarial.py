"""An adversarial language classifier, whose gradient is reversed before the voice encoder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from audit.core.errors import PlanError
from audit.training.mitigations.registry import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup


class Reversal(torch.autograd.Function):
    """The identity in the forward pass; multiplies the gradient by ``-strength`` in the backward pass."""

    @staticmethod
    def forward(context: Any, features: Tensor, strength: float) -> Tensor:
        """The unchanged features."""
        context.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The gradient, reversed."""
        return -context.strength * gradients[0], None


class LanguageAdversary(TrainingMitigation):
    r"""Gradient reversal against the language (Ganin & Lempitsky 2015).

    "Unsupervised domain adaptation by backpropagation", with the language as the domain: a classifier of two layers
    learns the language from the voice feature, and the encoder receives its gradient times :math:`-\lambda`. As in the
    paper, :math:`\lambda` grows with the finished share p of the training: :math:`w \, (2 / (1 + e^{-10 p}) - 1)`.

    Raises
    ------
    PlanError
        If there are fewer than two languages.
    """

    step: Tensor

    def __init__(self, setup: TrainingSetup) -> None:
        super().__init__(setup)
        known, codes = np.unique(setup.clips["language"].to_numpy(str), return_inverse=True)
        if len(known) < 2:
            raise PlanError(
                f"language_adversarial: the training clips are only in {', '.join(known)}.", "at least two languages"
            )
        options = setup.plan.language_adversarial
        self.steps, self.weight, self._languages = setup.steps, options.weight, torch.from_numpy(codes)
        self.classifier = nn.Sequential(
            nn.Linear(setup.feature, options.hidden), nn.ReLU(), nn.Linear(options.hidden, len(known))
        )
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def strength(self) -> float:
        """The current factor of the reversed gradient, from 0 up to the weight."""
        return self.weight * (2 / (1 + math.exp(-10 * int(self.step) / self.steps)) - 1)

    def penalty(self, features: Tensor, rows: Tensor) -> Tensor:
        """The classifier's cross-entropy, in nats, with reversed gradient for the encoder."""
        reversed_features = Reversal.apply(features.float(), self.strength())  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.step += 1
        wanted = self._languages[rows].to(features.device)
        return functional.cross_entropy(self.classifier(reversed_features), wanted)


MITIGATION = Mitigation(
    name="language_adversarial",
    kind="training",
    summary="reverse the gradient of a language classifier (Ganin & Lempitsky 2015)",
    value=LanguageAdversary,
)
