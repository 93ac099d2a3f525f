"""fairlearn's CorrelationRemover on the voice feature, with the language estimated from the voice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from fairlearn.preprocessing import CorrelationRemover

from audit.core.errors import PlanError
from audit.training.mitigations import Mitigation
from audit.training.mitigations.language import guess_language, indicators, numbered
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices


@dataclass(frozen=True)
class CorrelationRemoval:
    r"""Subtract from the feature its linear regression on the language.

    fairlearn's ``CorrelationRemover``: :math:`z^* = z - (s - \bar s) B`, with B fitted by least squares on the training
    voices, where s are indicators of the labelled languages except the first. At inference there is no label, and s is
    the posterior of :class:`audit.training.mitigations.language.LanguageGuess`.

    Parameters
    ----------
    alpha : float
        The removed share: 1 all, 0 nothing.

    Raises
    ------
    PlanError
        If alpha is outside [0, 1].
    """

    alpha: float = 1.0
    name: ClassVar[str] = "correlation_remover"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise PlanError(f"correlation_remover: alpha is {self.alpha}.", "a number in [0, 1]")

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the regression.

        Raises
        ------
        CohortError
            If there are fewer than two languages.
        """
        known, codes = numbered(voices.languages)
        guess = guess_language(voices.features, voices.languages)
        labels = indicators(codes, len(known))[:, 1:]
        remover = CorrelationRemover(sensitive_feature_ids=list(range(labels.shape[1])), alpha=self.alpha)
        remover.fit(np.hstack([labels, voices.features]))

        def change(features: Features) -> Features:
            posterior = guess.posterior(features)[:, 1:]
            return np.asarray(remover.transform(np.hstack([posterior, features])), np.float64)

        return FittedStep(change, found={"languages": list(known)})


MITIGATION = Mitigation(
    name="correlation_remover",
    kind="representation",
    summary="the feature without its regression on the estimated language (fairlearn's CorrelationRemover)",
    value=CorrelationRemoval,
)
