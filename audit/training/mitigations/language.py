"""Estimation of the language from the voice feature, for mitigations at inference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from audit.core.errors import CohortError
from audit.training.mitigations.protocol import Features, TrainingVoices


def one_hot_languages(voices: TrainingVoices) -> tuple[list[str], NDArray[np.float64]]:
    """The languages, sorted, and for each clip the indicators of its language: [n, K].

    Raises
    ------
    CohortError
        If there are fewer than two languages.
    """
    known, codes = np.unique(voices.languages, return_inverse=True)
    if len(known) < 2:
        raise CohortError(
            [f"The training voices have the languages: {', '.join(known) or 'none'}."],
            "at least two languages, so that the language can be estimated from the voice",
        )
    return known.tolist(), np.eye(len(known))[codes]


def language_posterior(voices: TrainingVoices) -> Callable[[Features], Features]:
    """The posterior of the languages given the voice feature: maps features [n, D] to probabilities [n, K].

    Multinomial logistic regression on standardised features; the penalty is scikit-learn's default (C = 1). With fewer
    clips than dimensions it classifies the training clips better than new voices.

    Examples
    --------
    >>> features = np.repeat([[0.0, 5.0], [5.0, 0.0]], 20, axis=0)
    >>> voices = TrainingVoices(features, np.repeat(["en", "zh"], 20), np.arange(40).astype(str))
    >>> language_posterior(voices)(np.array([[0.0, 5.0]])).round(1).tolist()
    [[1.0, 0.0]]
    """
    centre, scale = voices.features.mean(0), voices.features.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = LogisticRegression(max_iter=2000).fit((voices.features - centre) / scale, voices.languages)
    weights, bias = fitted.coef_.T, fitted.intercept_
    if len(fitted.classes_) == 2:
        weights, bias = np.hstack([0 * weights, weights]), np.array([0.0, bias[0]])
    weights = weights / scale[:, None]
    bias = bias - centre @ weights

    def posterior(features: Features) -> Features:
        scores = features @ weights + bias
        odds = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True), np.float64)

    return posterior
