"""Colour: two faces are similar if their mean colours are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from audit.instruments.similarity import Embed, FoundFace, SimilarityModel


def embed(faces: Sequence[FoundFace]) -> list[np.ndarray]:
    """The mean colour of each face, of unit length."""
    means = [face.cut.mean(axis=(0, 1)) for face in faces if face.cut is not None]
    return [(mean / np.linalg.norm(mean)).astype(np.float32) for mean in means]


def build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    """The function that embeds, which has no weights."""
    return embed, {}


SIMILARITY = SimilarityModel(name="Colour", summary="the mean colour", dimension=3, takes="cut", build=build)
