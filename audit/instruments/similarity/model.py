"""The declaration of a similarity model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FoundFace:
    """A face as similarity models receive it.

    Attributes
    ----------
    feature : ndarray
        The feature of the package's own network: shape [1024], float32, unit length.
    cut : ndarray or None
        DeepFace's own cut: BGR, uint8, shape [H, W, 3]; ``None`` if no model takes it.
    aligned : ndarray or None
        The face with eyes, nose and mouth at ArcFace's places: BGR, uint8, shape [112, 112, 3]; ``None`` if no model
        takes it.
    """

    feature: NDArray[np.float32]
    cut: NDArray[np.uint8] | None
    aligned: NDArray[np.uint8] | None


Embed = Callable[[Sequence[FoundFace]], list[NDArray[np.float32]]]
"""The feature of each face: shape [dimension], float32, unit length. No feature may depend on the other faces.

Several threads may call it at once, each with a part of the faces.
"""


@dataclass(frozen=True, kw_only=True)
class SimilarityModel:
    """A model of face features.

    Attributes
    ----------
    name : str
        Its name in plans; in lower case, part of the names of columns and metrics.
    summary : str
        One line for ``audit list similarity``.
    dimension : int
        Length of its features.
    takes : {"feature", "cut", "aligned"}
        Which part of :class:`FoundFace` it needs.
    build : callable
        Takes whether DeepFace may download weights. Returns the function that embeds, and the weight files by name.
    deepface_class : str
        The class, as ``module.Class``, that is registered with DeepFace under the name; empty for DeepFace's own model.
    thresholds : mapping of str to float
        Registered with DeepFace: distances below which two faces count as one person.
    """

    name: str
    summary: str
    dimension: int
    takes: Literal["feature", "cut", "aligned"]
    build: Callable[[bool], tuple[Embed, Mapping[str, Path]]]
    deepface_class: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
