"""The embedded models as models of DeepFace, through DeepFace's extension point.

After :func:`register`, ``DeepFace.represent`` and ``DeepFace.verify`` take ``model_name="FaceRes"`` on any machine,
without a download. ``DeepFace.analyze`` knows its attributes by fixed names only, so it keeps to DeepFace's own models.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from deepface.config import threshold
from deepface.models.Demography import Demography
from deepface.modules import modeling
from numpy.typing import NDArray

from audit.instruments import similarity
from audit.instruments.network import NetworkReading, deepface_pictures, network
from audit.instruments.similarity import SimilarityModel, similarity_models

ATTRIBUTES: Final = {"race": "FaceRes-Race", "gender": "FaceRes-Gender", "age": "FaceRes-Age"}
"""The names under which DeepFace knows the embedded models; none is a name of DeepFace's own."""


class _FaceResAttribute(Demography):  # type: ignore[misc]  # DeepFace is untyped
    """One attribute, read by the network."""

    def __init__(self) -> None:
        self.model = network()

    def _value(self, reading: NetworkReading) -> Any:
        raise NotImplementedError

    def predict(self, img: Any) -> Any:
        """As DeepFace's own models: one result for one picture, an array of results for several."""
        readings = [self.model.read(picture) for picture in deepface_pictures(img)]
        values = [self._value(reading) for reading in readings]
        return values[0] if len(values) == 1 else np.asarray(values)


class FaceResRace(_FaceResAttribute):
    """Race in DeepFace's six labels, in its order: shape [6] for one picture, [n, 6] for several."""

    model_name = ATTRIBUTES["race"]

    def _value(self, reading: NetworkReading) -> NDArray[np.float64]:
        return reading.race


class FaceResGender(_FaceResAttribute):
    """Gender as [Woman, Man]: shape [2] for one picture, [n, 2] for several."""

    model_name = ATTRIBUTES["gender"]

    def _value(self, reading: NetworkReading) -> NDArray[np.float64]:
        return np.array([1 - reading.man, reading.man])


class FaceResAge(_FaceResAttribute):
    """Age in years: a number for one picture, shape [n] for several."""

    model_name = ATTRIBUTES["age"]

    def _value(self, reading: NetworkReading) -> np.float64:
        return np.float64(reading.age)


def register() -> None:
    """Make the embedded models known to DeepFace under names of their own; again changes nothing."""
    classes = {"race": FaceResRace, "gender": FaceResGender, "age": FaceResAge}
    for attribute, name in ATTRIBUTES.items():
        modeling.AVAILABLE_MODELS["facial_attribute"][name] = {"any": f"{__name__}.{classes[attribute].__name__}"}
    for model in similarity_models(list(similarity.REGISTRY.shipped)):
        register_similarity(model)


def register_similarity(model: SimilarityModel) -> None:
    """Make a similarity model known to DeepFace; one of DeepFace's own is left as it is."""
    if model.deepface_class:
        modeling.AVAILABLE_MODELS["facial_recognition"][model.name] = {"any": model.deepface_class}
        threshold.thresholds[model.name] = dict(model.thresholds)
