"""What a mitigation of the voice feature is: fitted once on training voices, then a step between voice and face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
"""Voice features, shape [n, D]."""


@dataclass(frozen=True)
class TrainingVoices:
    """What a mitigation is fitted on: voices of training speakers, and what is known of them in training.

    Attributes
    ----------
    features : ndarray
        [n, D], float64: the model's voice feature of each clip, as earlier steps left it.
    languages, speakers : ndarray of str
        [n]: the language that each clip is labelled with, and who speaks.
    """

    features: Features
    languages: NDArray[np.str_]
    speakers: NDArray[np.str_]


def unchanged(features: Features) -> Features:
    """The features as they are."""
    return features


def all_kept(features: Features) -> NDArray[np.bool_]:
    """Every row is kept."""
    return np.ones(len(features), bool)


@dataclass(frozen=True)
class FittedStep:
    """A fitted mitigation. It is given features and nothing else: no language, no group, no speaker.

    Attributes
    ----------
    change : callable
        Features [n, D] to features [n, D].
    keeps : callable
        Features [n, D] to whether each is to become a face: [n], bool.
    found : mapping
        What the fit found, for the manifest: JSON types only.
    """

    change: Callable[[Features], Features] = unchanged
    keeps: Callable[[Features], NDArray[np.bool_]] = all_kept
    found: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class FeatureMitigation(Protocol):
    """A mitigation of the voice feature, with its options set but not yet fitted."""

    @property
    def name(self) -> str:
        """What it is called in every run and report."""
        ...

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """The step that these voices teach."""
        ...
