"""fairlearn's CorrelationRemover on the voice feature, with the language as the voice itself tells it."""

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
    r"""The feature less its linear regression on the language.

    fairlearn's ``CorrelationRemover``: :math:`z^* = z - (s - \bar s) B`, with B by least squares on the training
    voices, where s are the indicators of all languages but the first as they are labelled. When a face is made the
    label is not to be had: there s is the posterior of :class:`audit.training.mitigations.language.LanguageGuess`.

    Parameters
    ----------
    alpha : float
        How much is removed: 1 all, 0 nothing.

    Raises
    ------
    PlanError
        If alpha lies outside [0, 1].
    """

    alpha: float = 1.0
    name: ClassVar[str] = "correlation_remover"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise PlanError(f"correlation_remover: alpha is {self.alpha}.", "a number in [0, 1]")

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """The removing step.

        Raises
        ------
        CohortError
            If there are fewer than two languages.
        """
        known, codes = numbered(voices.languages)
        guess = guess_language(voices.features, voices.languages)
        told = indicators(codes, len(known))[:, 1:]
        remover = CorrelationRemover(sensitive_feature_ids=list(range(told.shape[1])), alpha=self.alpha)
        remover.fit(np.hstack([told, voices.features]))

        def change(features: Features) -> Features:
            told = guess.posterior(features)[:, 1:]
            return np.asarray(remover.transform(np.hstack([told, features])), np.float64)

        return FittedStep(change, found={"languages": list(known)})


MITIGATION = Mitigation(
    name="correlation_remover",
    kind="representation",
    summary="the feature without its regression on the estimated language (fairlearn's CorrelationRemover)",
    value=CorrelationRemoval,
)
