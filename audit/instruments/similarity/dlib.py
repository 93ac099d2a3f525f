"""Dlib: DeepFace's model of dlib's face feature."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.instruments import offline
from audit.instruments.faces import deepface_input
from audit.instruments.network import unit_length
from audit.instruments.similarity.model import Embed, FoundFace, SimilarityModel

NAME: Final = "Dlib"
_SIDE: Final = 150


def _build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    model, weights = offline.build("facial_recognition", NAME, allow_download=allow_download)
    one_at_a_time = threading.Lock()

    def embed(faces: Sequence[FoundFace]) -> list[NDArray[np.float32]]:
        features = []
        for face in faces:
            with one_at_a_time:
                feature = model.forward(deepface_input([face.cut] if face.cut is not None else [], _SIDE))
            features.append(unit_length(np.asarray(feature, dtype=np.float32)))
        return features

    return embed, weights


SIMILARITY: Final = SimilarityModel(name=NAME, summary="DeepFace's Dlib", dimension=128, takes="cut", build=_build)
