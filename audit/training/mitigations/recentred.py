"""Recentring: shift the mean feature of every language to the overall mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from audit.training.mitigations.language import language_posterior, one_hot_languages
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices
from audit.training.mitigations.registry import Mitigation


@dataclass(frozen=True)
class Recentred:
    r"""Per-language recentring with an estimated language.

    .. math:: r(x) = x - \sum_l p(l \mid x) \mu_l + \mu

    with the mean :math:`\mu_l` of the training clips of a language and the mean :math:`\mu` of all of them. The
    posterior p is that of :func:`.language_posterior`, since there is no label at inference. If it is certain, every
    language gets the overall mean. This is the location part of the batch adjustment of Johnson et al. 2007, without
    its shrinkage and scale.

    Examples
    --------
    >>> x = np.repeat([[0.0, 9.0], [9.0, 0.0]], 500, axis=0)
    >>> step = Recentred().fit(TrainingVoices(x, np.repeat(["en", "zh"], 500), np.arange(1000).astype(str)))
    >>> step.change(x[:1]).round(1).tolist()
    [[4.5, 4.5]]
    """

    name: ClassVar[str] = "recentred"

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the means; CohortError if there are fewer than two languages."""
        known, labels = one_hot_languages(voices)
        posterior = language_posterior(voices)
        moves = voices.features.mean(0) - np.stack([voices.features[own == 1].mean(0) for own in labels.T])

        def change(features: Features) -> Features:
            moved: Features = features + posterior(features) @ moves
            return moved

        return FittedStep(change, found={"languages": known})


MITIGATION = Mitigation(
    name="recentred",
    kind="representation",
    summary="shift the mean feature of each estimated language to the overall mean",
    value=Recentred,
)
