"""The language as a voice itself tells it: what a mitigation may know of the language when it makes a face."""

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
        [D, K] and [K], for features as they are.
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
    """Learn to tell the language by the voice feature, from training voices.

    Features are standardised; the penalty is scikit-learn's default (C = 1). With fewer clips than dimensions it tells
    the training clips' languages better than those of new voices.

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
    centre, spread = features.mean(0), features.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    learnt = LogisticRegression(max_iter=2000).fit((features - centre) / spread, codes)
    weights, bias = learnt.coef_.T, learnt.intercept_
    if len(known) == 2:
        weights, bias = np.hstack([0 * weights, weights]), np.array([0.0, bias[0]])
    weights = weights / spread[:, None]
    return LanguageGuess(known, weights, bias - centre @ weights)


def numbered(languages: NDArray[np.str_]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The languages, sorted, and the place of each clip's own among them.

    Raises
    ------
    CohortError
        If there are fewer than two.
    """
    known, codes = np.unique(languages, return_inverse=True)
    if len(known) < 2:
        raise CohortError(
            [f"Of the training voices that are heard, all speak {', '.join(known) or 'nothing'}."],
            "at least two languages, since nothing of one alone can be told from a voice",
        )
    return tuple(map(str, known)), codes


def indicators(codes: NDArray[np.intp], count: int) -> Features:
    """One column a language: 1 where a clip is in it, else 0.

    Examples
    --------
    >>> indicators(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    return np.eye(count)[codes]
