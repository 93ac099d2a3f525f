"""LEACE: least-squares erasure of the language from the voice feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.covariance import ledoit_wolf

from audit.training.mitigations.language import one_hot_languages
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices
from audit.training.mitigations.registry import Mitigation

TINY = 1e-9
"""Singular values and eigenvalues below this share of the largest are treated as rounding errors."""


@dataclass(frozen=True)
class Leace:
    r"""Least-squares concept erasure in closed form.

    Belrose et al. 2023, "LEACE: Perfect linear concept erasure in closed form", theorem 4.3 and equation 1:

    .. math:: r(x) = x - W^+ P W (x - E[x])

    with the whitening :math:`W = (\Sigma_{xx}^{1/2})^+` and the orthogonal projection :math:`P` onto the columns of
    :math:`W \Sigma_{xz}`, where z indicates the language. Then the covariance of r(x) with z is zero on the training
    voices, and no linear classifier of the language is better there than one without the voice. This is true for any
    invertible W; the one above changes the feature least. The covariance is shrunk (Ledoit & Wolf 2004), since there
    may be fewer clips than dimensions. With K languages, K - 1 directions are erased. No language is needed at
    inference.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [-1.0, 1.0]])
    >>> step = Leace().fit(TrainingVoices(x, np.array(["en", "en", "zh", "zh"]), np.array(["a", "b", "c", "d"])))
    >>> (step.change(x).round(6) + 0.0).tolist()
    [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    """

    name: ClassVar[str] = "leace"

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the projection; CohortError if there are fewer than two languages."""
        known, z = one_hot_languages(voices)
        mean = voices.features.mean(0)
        centred = voices.features - mean
        crossed = centred.T @ (z - z.mean(0)) / len(z)
        covariance, shrinkage = ledoit_wolf(centred, assume_centered=True)
        values, axes = np.linalg.eigh(covariance)
        real = values > TINY * max(values[-1], TINY)
        axes, roots = axes[:, real], np.sqrt(values[real])
        columns, sizes, _ = np.linalg.svd(axes @ (axes.T @ crossed / roots[:, None]), full_matrices=False)
        columns = columns[:, sizes > TINY * max(sizes[0], TINY)]
        back = axes @ (axes.T @ columns * roots[:, None])
        forth = axes @ (axes.T @ columns / roots[:, None])

        def change(features: Features) -> Features:
            erased: Features = features - (features - mean) @ forth @ back.T
            return erased

        found = {"languages": known, "rank": columns.shape[1], "shrinkage": round(float(shrinkage), 6)}
        return FittedStep(change, found=found)


MITIGATION = Mitigation(
    name="leace",
    kind="representation",
    summary="least-squares erasure of the language from the feature (Belrose et al. 2023)",
    value=Leace,
)
