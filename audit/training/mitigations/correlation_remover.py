"""fairlearn's CorrelationRemover on the voice feature, with the language estimated from the voice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from fairlearn.preprocessing import CorrelationRemover

from audit.core.errors import PlanError
from audit.training.mitigations.language import language_posterior, one_hot_languages
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices
from audit.training.mitigations.registry import Mitigation


@dataclass(frozen=True)
class CorrelationRemoval:
    r"""Subtract from the feature its linear regression on the language.

    fairlearn's ``CorrelationRemover``: :math:`z^* = z - (s - \bar s) B`, with B fitted by least squares on the training
    voices, where s are indicators of the labelled languages except the first. At inference there is no label, and s is
    the posterior of :func:`.language_posterior`.

    ``alpha`` is the removed share, from 0 (nothing) to 1 (all); PlanError if it is outside.
    """

    alpha: float = 1.0
    name: ClassVar[str] = "correlation_remover"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise PlanError(f"correlation_remover: alpha is {self.alpha}.", "a number in [0, 1]")

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the regression; CohortError if there are fewer than two languages."""
        known, labels = one_hot_languages(voices)
        posterior = language_posterior(voices)
        remover = CorrelationRemover(sensitive_feature_ids=list(range(len(known) - 1)), alpha=self.alpha)
        remover.fit(np.hstack([labels[:, 1:], voices.features]))

        def change(features: Features) -> Features:
            return np.asarray(remover.transform(np.hstack([posterior(features)[:, 1:], features])), np.float64)

        return FittedStep(change, found={"languages": known})


MITIGATION = Mitigation(
    name="correlation_remover",
    kind="representation",
    summary="the feature without its regression on the estimated language (fairlearn's CorrelationRemover)",
    value=CorrelationRemoval,
)
