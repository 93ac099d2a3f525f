"""Finding the faces of a picture with a detector, and cutting them as in the training of the attribute network.

The same functions serve reading and training (``scripts/train_network.py``): a tight crop alone would cost the gender
reads .11 of their accuracy.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.instruments.detectors import Detector, Face, Find, Geometry, Pass, detector
from audit.instruments.detectors.detector import Image, Point
from audit.instruments.registry import DETECTOR

SIDE: Final = 224
"""Height and width of a cut-out face in pixels."""

_EYES_TO_SIDE: Final = 2.8
_EYES_AT: Final = (0.487, 0.308)
# Medians over FairFace's training pictures: its side over the distance of the eyes, and the place between the eyes.
_LEVEL: Final = math.radians(15)

ALIGNED_SIDE: Final = 112
_ALIGNED_AT: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# ArcFace's places of the right eye, left eye, nose and mouth corners (Deng et al. 2019), which SFace was trained with.


class FaceFinder:
    """Finds the faces in pictures with a detector, by its name. Threads may share one.

    Raises ModelError if there is no such detector, or it cannot be built.
    """

    def __init__(self, name: str = DETECTOR, *, allow_download: bool = False) -> None:
        self.detector: Detector = detector(name)
        self._allow_download = allow_download
        self._local = threading.local()
        self.weights: Mapping[str, Path]
        self._local.find, self.weights = self.detector.build(allow_download)

    def _find(self) -> Find:
        # No detector may be shared by threads.
        if not hasattr(self._local, "find"):
            self._local.find, _ = self.detector.build(self._allow_download)
        found: Find = self._local.find
        return found

    def faces(self, picture: Image) -> list[Face]:
        """The faces that the first successful search finds, the one to be read first. ``picture`` is BGR, uint8."""
        longer = max(picture.shape[:2])
        for search in self.detector.passes:
            if search.side > SIDE >= longer:
                continue
            found = [face for face in self._search(picture, search) if _centre_is_inside(face, picture)]
            if found:
                return sorted(found, key=self.detector.order, reverse=True)
        return []

    def _search(self, picture: Image, search: Pass) -> list[Face]:
        scale = search.side / max(picture.shape[:2])
        if search.side > SIDE:
            scale = min(1.0, scale)
        height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = (
            picture if scale == 1 else np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
        )
        edge = int(search.border * max(height, width))
        if edge:
            seen = np.pad(seen, ((edge, edge), (edge, edge), (0, 0)))

        def point(place: Point | None) -> Point | None:
            return None if place is None else ((place[0] - edge) / scale, (place[1] - edge) / scale)

        return [
            Face(
                (face.x - edge) / scale,
                (face.y - edge) / scale,
                face.width / scale,
                face.height / scale,
                point(face.left_eye),
                point(face.right_eye),
                face.score,
            )
            for face in self._find()(seen, search.score)
            if face.width > 0 and face.height > 0
        ]


def _centre_is_inside(face: Face, picture: Image) -> bool:
    """Whether the centre of the box lies in the picture: in a narrow strip a network may find a face beside it."""
    height, width = picture.shape[:2]
    return bool(0 <= face.x + face.width / 2 <= width and 0 <= face.y + face.height / 2 <= height)


def cut_face(picture: Image, face: Face, geometry: Geometry) -> Image:
    """The face with FairFace's margins: shape [224, 224, 3], BGR; beyond the picture its edge is repeated."""
    side = geometry.box_to_side * face.height
    place, target = (face.x + face.width / 2, face.y + face.height / 2), geometry.box_at
    angle = 0.0
    if face.left_eye is not None and face.right_eye is not None:
        across, down = face.left_eye[0] - face.right_eye[0], face.left_eye[1] - face.right_eye[1]
        distance = math.hypot(across, down)
        if not geometry.by_eyes:
            tilt = math.atan2(down, across)
            angle = tilt if abs(tilt) > _LEVEL else 0.0
        elif distance > 0.2 * face.width and across > 0:
            # The geometric mean of both scales: boxes come in coarse steps, and a turned head's eyes are close.
            side = math.sqrt(side * _EYES_TO_SIDE * distance)
            angle = math.atan2(down, across)
            place = ((face.left_eye[0] + face.right_eye[0]) / 2, (face.left_eye[1] + face.right_eye[1]) / 2)
            target = _EYES_AT
    if side > 1.5 * SIDE:
        # Shrink by areas first: bilinear sampling of a much larger picture would alias.
        shrink = SIDE / side
        size = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
        place = (place[0] * size[0] / picture.shape[1], place[1] * size[1] / picture.shape[0])
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        side = float(SIDE)
    scale = SIDE / side
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array(
        [
            [cosine, sine, target[0] * SIDE - cosine * place[0] - sine * place[1]],
            [-sine, cosine, target[1] * SIDE + sine * place[0] - cosine * place[1]],
        ]
    )
    cut = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.uint8)


def align_face(picture: Image, landmarks: NDArray[np.float32]) -> Image:
    """The face with its eyes, nose and mouth at ArcFace's places: shape [112, 112, 3], BGR.

    The transform of the five points is a similarity, by least squares (Umeyama 1991, equations 38 to 42). The points
    come from the 68 landmarks, shape [68, 2].
    """
    eyes = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    points = np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]], np.float64)
    middle, aim = points.mean(axis=0), _ALIGNED_AT.mean(axis=0)
    centred = points - middle
    u, spread, vt = np.linalg.svd((_ALIGNED_AT - aim).T @ centred / len(points))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    linear = (spread * sign).sum() / centred.var(axis=0).sum() * (u * sign) @ vt
    matrix = np.column_stack([linear, aim - linear @ middle])
    return np.asarray(cv2.warpAffine(picture, matrix, (ALIGNED_SIDE, ALIGNED_SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def cut_as_deepface(picture: Image, face: Face, name: str) -> Image | None:
    """The face as DeepFace itself cuts and turns it (no margin): BGR, of any size; ``None`` if nothing is left."""
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules import detection

    def whole(place: Point | None) -> tuple[int, int] | None:
        return None if place is None else (round(place[0]), round(place[1]))

    # DeepFace cuts by slices, for which a box must not begin outside of the picture.
    left, top = max(0, round(face.x)), max(0, round(face.y))
    area = FacialAreaRegion(
        x=left,
        y=top,
        w=round(face.x + face.width) - left,
        h=round(face.y + face.height) - top,
        left_eye=whole(face.left_eye),
        right_eye=whole(face.right_eye),
    )
    found = detection.extract_face(
        facial_area=area,
        img=picture,
        align=True,
        expand_percentage=0,
        width_border=0,
        height_border=0,
        detector_backend=name,
    )
    cut = np.asarray(found.img, dtype=np.uint8)
    return cut if cut.shape[0] and cut.shape[1] else None


def deepface_input(cuts: Sequence[Image], side: int) -> NDArray[np.float32]:
    """DeepFace's own preparation of its own cuts: shape [n, side, side, 3], BGR in [0, 1]."""
    from deepface.modules import preprocessing

    return np.concatenate([preprocessing.resize_image(cut / 255, (side, side)) for cut in cuts]).astype(np.float32)
