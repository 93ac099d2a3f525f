"""The protocol of mitigations of the voice feature: fitted on training voices, then applied between voice and face."""

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
    """The training data of a mitigation.

    Attributes
    ----------
    features : ndarray
        [n, D], float64: the model's voice feature of each clip, after earlier steps.
    languages, speakers : ndarray of str
        [n]: the labelled language and the speaker of each clip.
    """

    features: Features
    languages: NDArray[np.str_]
    speakers: NDArray[np.str_]


def unchanged(features: Features) -> Features:
    """Return the features."""
    return features


def all_kept(features: Features) -> NDArray[np.bool_]:
    """Keep every row."""
    return np.ones(len(features), bool)


@dataclass(frozen=True)
class FittedStep:
    """A fitted mitigation. It gets features only: no language, group or speaker.

    Attributes
    ----------
    change : callable
        Maps features [n, D] to features [n, D].
    keeps : callable
        Maps features [n, D] to whether each gets a face: [n], bool.
    found : mapping
        Findings of the fit, for the manifest: JSON types only.
    """

    change: Callable[[Features], Features] = unchanged
    keeps: Callable[[Features], NDArray[np.bool_]] = all_kept
    found: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class FeatureMitigation(Protocol):
    """A mitigation of the voice feature, with its options set but not yet fitted."""

    @property
    def name(self) -> str:
        """The name in runs and reports."""
        ...

    def fit(self, voices: TrainingVoices) -> FittedStep:
        """Fit the mitigation on training voices."""
        ...
