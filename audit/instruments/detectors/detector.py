"""The declaration of a face detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.instruments import offline

Image = NDArray[np.uint8]
"""A picture in OpenCV's channel order: shape [H, W, 3], BGR."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """A face in a picture, in pixels: its box, the person's left and right eye where known, and the detector's score.

    The score is from 0 to 1, or 1 from a detector that gives none.
    """

    x: float
    y: float
    width: float
    height: float
    left_eye: Point | None = None
    right_eye: Point | None = None
    score: float = 1.0


@dataclass(frozen=True)
class Pass:
    """One search of a picture.

    ``side`` is the length in pixels that the picture's longer side is brought to, ``border`` a black border as a part
    of that, and ``score`` the least score of a face, for a detector that has scores.
    """

    side: int
    border: float = 0.0
    score: float = 0.0


@dataclass(frozen=True)
class Geometry:
    """How a detector's boxes lie in FairFace's pictures, as medians over its training pictures.

    A face is cut so that a picture cut as FairFace cuts them (aligned, margin 0.25) is left nearly as it is.

    Attributes
    ----------
    box_to_side : float
        The side of the picture over the height of the box.
    box_at : (float, float)
        Where the centre of the box is, as parts of the side.
    by_eyes : bool
        Whether the eyes, where they are known, refine place and scale and turn every face. For a detector with coarse
        boxes. Without it, the box alone counts, and only a head tilted by more than 15 degrees is turned.
    """

    box_to_side: float
    box_at: Point
    by_eyes: bool


Find = Callable[[Image, float], list[Face]]
"""All faces of a picture with at least a score, in any order, in the pixels of the picture that is given."""


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A face detector.

    Attributes
    ----------
    name : str
        Its name in plans.
    summary : str
        One line for ``audit list detectors``.
    passes : tuple of Pass
        The searches, in order, until one finds a face. One beyond 224 pixels is for larger pictures only.
    geometry : Geometry
        How its boxes lie in FairFace's pictures.
    reads : str
        Which face is read where there are several; :meth:`order` implements it.
    by_score : bool
        Whether the score counts in :meth:`order`.
    build : callable
        Takes whether DeepFace may download weights. Returns the function that finds faces, which one thread at a time
        calls, and the weight files by name.
    """

    name: str
    summary: str
    passes: tuple[Pass, ...]
    geometry: Geometry
    by_score: bool
    build: Callable[[bool], tuple[Find, Mapping[str, Path]]]

    @property
    def reads(self) -> str:
        """Which face is read where there are several."""
        return f"the face with the largest {'product of box area and detection score' if self.by_score else 'box'}"

    def order(self, face: Face) -> tuple[float, float, float]:
        """A key that sorts faces so that the one to be read is last; of equal ones, the upper, then the left one."""
        area = face.width * face.height
        return area * face.score if self.by_score else area, -face.y, -face.x


def deepface_find(name: str) -> Callable[[bool], tuple[Find, Mapping[str, Path]]]:
    """The ``build`` of one of DeepFace's own detectors, which gives whole pixels and no score."""

    def build(allow_download: bool) -> tuple[Find, Mapping[str, Path]]:
        client, weights = offline.build("face_detector", name, allow_download=allow_download)

        def find(picture: Image, score: float) -> list[Face]:
            return [
                Face(area.x, area.y, area.w, area.h, area.left_eye, area.right_eye)
                for area in client.detect_faces(picture)
            ]

        return find, weights

    return build
