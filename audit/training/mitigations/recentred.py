"""Recentring: shift the mean feature of every language to the overall mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from audit.training.mitigations import Mitigation
from audit.training.mitigations.language import guess_language, numbered
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices


@dataclass(frozen=True)
class Recentred:
    r"""Per-language recentring with an estimated language.

    .. math:: r(x) = x - \sum_l p(l \mid x) \mu_l + \mu

    with the mean :math:`\mu_l` of the training clips of a language and the mean :math:`\mu` of all of them. The
    posterior p is that of :class:`.LanguageGuess`, since there is no label at inference. If the estimate is certain,
    every language gets the overall mean. This is the location part of the batch adjustment of Johnson et al. 2007,
    without its shrinkage and scale.

    Examples
    --------
    >>> x = np.repeat([[0.0, 9.0], [9.0, 0.0]], 500, axis=0)
    >>> step = Recentred().fit(TrainingVoices(x, np.repeat(["en", "zh"], 500), np.arange(1000).astype(str)))
    >>> step.change(x[:1]).round(1).tolist()
    [[4.5, 4.5]]
    """

    name: ClassVar[str] = "recentred"

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the means.

        Raises
        ------
        CohortError
            If there are fewer than two languages.
        """
        known, codes = numbered(voices.languages)
        guess = guess_language(voices.features, voices.languages)
        mean = voices.features.mean(0)
        moves = mean - np.stack([voices.features[codes == code].mean(0) for code in range(len(known))])

        def change(features: Features) -> Features:
            moved: Features = features + guess.posterior(features) @ moves
            return moved

        return FittedStep(change, found={"languages": list(known)})


MITIGATION = Mitigation(
    name="recentred",
    kind="representation",
    summary="shift the mean feature of each estimated language to the overall mean",
    value=Recentred,
)
