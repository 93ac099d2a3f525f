"""FaceRes: the feature of the package's own trunk, of unit length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from deepface.models.FacialRecognition import FacialRecognition
from numpy.typing import NDArray

from audit.instruments.similarity.model import Embed, FoundFace, SimilarityModel
from audit.instruments.trunk import FEATURES, TRUNK_FILE, deepface_pictures, trunk, unit_length

NAME: Final = "FaceRes"


class FaceResEmbedding(FacialRecognition):  # type: ignore[misc]  # DeepFace is untyped
    """The trunk's feature, of unit length, for DeepFace's represent and verify."""

    def __init__(self) -> None:
        self.model = trunk()
        self.model_name = NAME
        self.input_shape = (224, 224)
        self.output_shape = FEATURES

    def forward(self, img: NDArray[Any]) -> list[float] | list[list[float]]:
        """One feature for one picture, a list of features for several."""
        features = [unit_length(self.model.feature(picture)).tolist() for picture in deepface_pictures(img)]
        return features[0] if len(features) == 1 else features


def _embed(faces: Sequence[FoundFace]) -> list[NDArray[np.float32]]:
    return [unit_length(face.feature) for face in faces]


def _build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    return _embed, {TRUNK_FILE.name: TRUNK_FILE}


SIMILARITY: Final = SimilarityModel(
    name=NAME,
    summary="the feature of the embedded FaceRes network",
    dimension=FEATURES,
    takes_cut=False,
    build=_build,
    deepface_class=f"{__name__}.{FaceResEmbedding.__name__}",
    # .997 right on DeepFace's own 300 labelled pairs by cosine; the others are the same bound in their own units, for
    # the features have unit length
    thresholds={"cosine": 0.40, "euclidean": 0.894, "euclidean_l2": 0.894, "angular": 0.295},
)
