"""The embedded models as models of DeepFace, through DeepFace's extension point.

After :func:`register`, ``DeepFace.represent`` and ``DeepFace.verify`` take ``model_name="FaceRes"`` on any machine,
without a download. ``DeepFace.analyze`` knows its attributes by fixed names only, so it keeps to DeepFace's own models.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from deepface.config import threshold
from deepface.models.Demography import Demography
from deepface.models.FacialRecognition import FacialRecognition
from deepface.modules import modeling
from numpy.typing import NDArray

from audit.instruments.heads import HeadReading, heads
from audit.instruments.trunk import FEATURES, trunk, unit_length

SIMILARITY: Final = "FaceRes"
ATTRIBUTES: Final = {"race": "FaceRes-Race", "gender": "FaceRes-Gender", "age": "FaceRes-Age"}
"""The names under which DeepFace knows the embedded models; none is a name of DeepFace's own."""

THRESHOLDS: Final = {"cosine": 0.40, "euclidean": 0.894, "euclidean_l2": 0.894, "angular": 0.295}
"""Distances below which two faces count as one person: .997 right on DeepFace's own 300 labelled pairs by cosine; the
others are the same bound in their own units, for the features have unit length."""


def _pictures(images: Any) -> list[NDArray[np.float32]]:
    """DeepFace hands over one picture or many, BGR in [0, 1]."""
    batch = np.asarray(images, dtype=np.float32)
    return list((batch[None] if batch.ndim == 3 else batch) * 255)


class _FaceResAttribute(Demography):  # type: ignore[misc]  # DeepFace is untyped
    """One attribute, read by the trunk and its head."""

    def __init__(self) -> None:
        self.model = trunk()

    def _read(self, images: Any) -> list[HeadReading]:
        return [heads().read(self.model.feature(picture)) for picture in _pictures(images)]

    def value(self, reading: HeadReading) -> Any:
        """The attribute, in the shape in which DeepFace wants it."""
        raise NotImplementedError

    def predict(self, img: Any) -> Any:
        """As DeepFace's own models: one result for one picture, an array of results for several."""
        values = [self.value(reading) for reading in self._read(img)]
        return values[0] if len(values) == 1 else np.asarray(values)


class FaceResRace(_FaceResAttribute):
    """Race in DeepFace's six labels: shape [6] for one picture, [n, 6] for several."""

    model_name = ATTRIBUTES["race"]

    def value(self, reading: HeadReading) -> NDArray[np.float64]:
        """Probabilities in DeepFace's own order, which is the vocabulary's."""
        return reading.race


class FaceResGender(_FaceResAttribute):
    """Gender as [Woman, Man]: shape [2] for one picture, [n, 2] for several."""

    model_name = ATTRIBUTES["gender"]

    def value(self, reading: HeadReading) -> NDArray[np.float64]:
        """Probabilities of Woman and Man."""
        return np.array([1 - reading.man, reading.man])


class FaceResAge(_FaceResAttribute):
    """Age in years: a number for one picture, shape [n] for several."""

    model_name = ATTRIBUTES["age"]

    def value(self, reading: HeadReading) -> np.float64:
        """Years."""
        return np.float64(reading.age)


class FaceResEmbedding(FacialRecognition):  # type: ignore[misc]  # DeepFace is untyped
    """The trunk's feature, of unit length, for DeepFace's represent and verify."""

    def __init__(self) -> None:
        self.model = trunk()
        self.model_name = SIMILARITY
        self.input_shape = (224, 224)
        self.output_shape = FEATURES

    def forward(self, img: NDArray[Any]) -> list[float] | list[list[float]]:
        """One feature for one picture, a list of features for several."""
        features = [unit_length(self.model.feature(picture)).tolist() for picture in _pictures(img)]
        return features[0] if len(features) == 1 else features


def register() -> None:
    """Make the embedded models known to DeepFace under names of their own; again changes nothing."""
    classes = {"race": FaceResRace, "gender": FaceResGender, "age": FaceResAge}
    for attribute, name in ATTRIBUTES.items():
        modeling.AVAILABLE_MODELS["facial_attribute"][name] = {"any": f"{__name__}.{classes[attribute].__name__}"}
    modeling.AVAILABLE_MODELS["facial_recognition"][SIMILARITY] = {"any": f"{__name__}.{FaceResEmbedding.__name__}"}
    threshold.thresholds[SIMILARITY] = dict(THRESHOLDS)
