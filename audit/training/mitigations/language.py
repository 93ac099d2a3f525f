"""Estimation of the language from the voice feature, for mitigations at inference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from audit.core.errors import CohortError
from audit.training.mitigations.protocol import Features


@dataclass(frozen=True)
class LanguageGuess:
    """Multinomial logistic regression of the language on the voice feature.

    Attributes
    ----------
    languages : tuple of str
        K languages, sorted.
    weights, bias : ndarray
        [D, K] and [K], for features that are not standardised.
    """

    languages: tuple[str, ...]
    weights: Features
    bias: Features

    def posterior(self, features: Features) -> Features:
        """The probability of each language: [n, K], rows sum to 1."""
        scores = features @ self.weights + self.bias
        odds = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True), np.float64)


def guess_language(features: Features, languages: NDArray[np.str_]) -> LanguageGuess:
    """Fit the regression of the language on the voice feature.

    Features are standardised; the penalty is scikit-learn's default (C = 1). With fewer clips than dimensions it
    classifies the training clips better than new voices.

    Parameters
    ----------
    features : ndarray
        [n, D].
    languages : ndarray of str
        [n].

    Raises
    ------
    CohortError
        If there are fewer than two languages.

    Examples
    --------
    >>> features = np.repeat([[0.0, 5.0], [5.0, 0.0]], 20, axis=0)
    >>> guess = guess_language(features, np.repeat(["en", "zh"], 20))
    >>> guess.posterior(np.array([[0.0, 5.0]])).round(1).tolist()
    [[1.0, 0.0]]
    """
    known, codes = numbered(languages)
    centre, scale = features.mean(0), features.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    fitted = LogisticRegression(max_iter=2000).fit((features - centre) / scale, codes)
    weights, bias = fitted.coef_.T, fitted.intercept_
    if len(known) == 2:
        weights, bias = np.hstack([0 * weights, weights]), np.array([0.0, bias[0]])
    weights = weights / scale[:, None]
    return LanguageGuess(known, weights, bias - centre @ weights)


def numbered(languages: NDArray[np.str_]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The languages, sorted, and the index of each clip's language.

    Raises
    ------
    CohortError
        If there are fewer than two.
    """
    known, codes = np.unique(languages, return_inverse=True)
    if len(known) < 2:
        raise CohortError(
            [f"The training voices have the languages: {', '.join(known) or 'none'}."],
            "at least two languages, so that the language can be estimated from the voice",
        )
    return tuple(map(str, known)), codes


def indicators(codes: NDArray[np.intp], count: int) -> Features:
    """One-hot encoding of the languages.

    Examples
    --------
    >>> indicators(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.eye(count)[codes]
