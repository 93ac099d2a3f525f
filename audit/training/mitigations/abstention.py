"""Abstention: no face for voices that are far from all training voices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from audit.core.errors import CohortError, PlanError
from audit.training.mitigations.protocol import Features, FittedStep, TrainingVoices
from audit.training.mitigations.registry import Mitigation


@dataclass(frozen=True)
class Abstention:
    """A face only for voices near enough to the k-th nearest training voice.

    Sun et al. 2022, "Out-of-distribution detection with deep nearest neighbors": features are scaled to unit length,
    and the score is the Euclidean distance to the k-th nearest training feature, 0 to 2. The threshold is the smallest
    that keeps the given share of the training clips, each scored against the clips of *other* training speakers. If the
    encoder was trained on these speakers, fewer clips of new speakers are kept. Clips that are not kept have no face
    and the status ``no_face``.

    Parameters
    ----------
    coverage : float
        The share of the training clips that keep a face, in (0, 1].
    neighbours : int
        k.

    Raises
    ------
    PlanError
        If an option is out of range.
    """

    coverage: float = 0.9
    neighbours: int = 10
    name: ClassVar[str] = "abstention"

    def __post_init__(self) -> None:
        if not 0 < self.coverage <= 1:
            raise PlanError(f"abstention: coverage is {self.coverage}.", "a share above 0 and at most 1")
        if self.neighbours < 1:
            raise PlanError(f"abstention: neighbours is {self.neighbours}.", "at least 1")

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the threshold; CohortError if there are fewer than k clips of the other speakers."""
        known = _unit_length(voices.features)
        pairs = zip(known, voices.speakers, strict=True)
        scores = np.array([self._score(row, known[voices.speakers != speaker]) for row, speaker in pairs])
        threshold = float(np.sort(scores)[math.ceil(self.coverage * len(scores)) - 1])

        def keeps(features: Features) -> NDArray[np.bool_]:
            return np.array([self._score(row, known) <= threshold for row in _unit_length(features)], bool)

        kept = round(float((scores <= threshold).mean()), 6)
        return FittedStep(keeps=keeps, found={"threshold": round(threshold, 6), "training_clips_kept": kept})

    def _score(self, row: Features, others: Features) -> float:
        if len(others) < self.neighbours:
            raise CohortError(
                [f"Abstention needs {self.neighbours} clips of other speakers; there are {len(others)}."],
                "a larger training cohort, or fewer neighbours",
            )
        squares = ((others - row) ** 2).sum(1)
        return float(np.sqrt(np.partition(squares, self.neighbours - 1)[self.neighbours - 1]))


def _unit_length(features: Features) -> Features:
    """The rows normalized to unit length; rows of zeros stay zero."""
    lengths = np.sqrt((features**2).sum(1, keepdims=True))
    return features / np.where(lengths > 0, lengths, 1.0)


MITIGATION = Mitigation(
    name="abstention",
    kind="output",
    summary="no face for voices far from all training voices (nearest neighbours, Sun et al. 2022)",
    value=Abstention,
)
