"""FaceRes: the feature of the package's own network, of unit length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from deepface.models.FacialRecognition import FacialRecognition
from numpy.typing import NDArray

from audit.instruments.network import FEATURES, NETWORK_FILE, deepface_pictures, network
from audit.instruments.similarity.model import Embed, FoundFace, SimilarityModel

NAME: Final = "FaceRes"


class FaceResEmbedding(FacialRecognition):  # type: ignore[misc]  # DeepFace is untyped
    """The network's feature for DeepFace's represent and verify."""

    def __init__(self) -> None:
        self.model = network()
        self.model_name = NAME
        self.input_shape = (224, 224)
        self.output_shape = FEATURES

    def forward(self, img: NDArray[Any]) -> list[float] | list[list[float]]:
        """One feature for one picture, a list of features for several."""
        features = [self.model.read(picture).feature.tolist() for picture in deepface_pictures(img)]
        return features[0] if len(features) == 1 else features


def _embed(faces: Sequence[FoundFace]) -> list[NDArray[np.float32]]:
    return [face.feature for face in faces]


def _build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    return _embed, {NETWORK_FILE.name: NETWORK_FILE}


SIMILARITY: Final = SimilarityModel(
    name=NAME,
    summary="the feature of the embedded FaceRes network",
    dimension=FEATURES,
    takes="feature",
    build=_build,
    deepface_class=f"{__name__}.{FaceResEmbedding.__name__}",
    # balanced accuracy .934 by cosine (scripts/verification_thresholds.py); the others are the same bound in their own
    # units, for the features have unit length
    thresholds={"cosine": 0.37, "euclidean": 0.860, "euclidean_l2": 0.860, "angular": 0.283},
)
