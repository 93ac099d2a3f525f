"""Face detection by DeepFace's detectors, and cropping as in the training of the attribute models.

The same two functions serve reading and training (``scripts/train_heads.py``): a tight crop alone would cost the gender
reads .11 of their accuracy.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.core.errors import ModelError
from audit.instruments import offline

SIDE: Final = 224
"""Height and width of a cut-out face in pixels."""

PASSES: Final = {
    "dlib": ((112, 0.0), (160, 0.5), (448, 0.0)),
    "opencv": ((160, 0.25), (224, 0.5), (448, 0.0)),
}
"""For each detector its passes until a face is found: to how many pixels the picture's longer side
is brought, and the black border as a part of that. Small first: dlib's detector doubles the picture itself, detects
faces from 40 pixels on, and takes 8 ms at 112 pixels but 28 ms at 224. The last pass is for pictures beyond 224 pixels
only."""

_BOX_TO_SIDE: Final = {"dlib": 1.244, "opencv": 1.4}
_EYES_TO_SIDE: Final = 2.8
_EYES_AT: Final = (0.487, 0.308)
_BOX_CENTRE_AT: Final = {"dlib": (0.46, 0.46), "opencv": (0.49, 0.5)}
# Medians over FairFace's training pictures, so that a picture cut as FairFace cuts them (aligned, margin 0.25) is left
# nearly as it is.

Image = NDArray[np.uint8]
"""A picture in OpenCV's channel order: shape [H, W, 3], BGR."""


@dataclass(frozen=True)
class Face:
    """Where a face is in a picture, in pixels: the box, and the person's left and right eye where they are known."""

    x: float
    y: float
    width: float
    height: float
    left_eye: tuple[float, float] | None
    right_eye: tuple[float, float] | None


class FaceFinder:
    """Finds the largest face in a picture with one of DeepFace's detectors, dlib or opencv.

    Raises ModelError if the detector is not one of these, or cannot be built.
    """

    def __init__(self, detector: str = "dlib", *, allow_download: bool = False) -> None:
        if detector not in tuple(PASSES):  # a plan may hold a list here, which no mapping can be asked for
            raise ModelError(
                f"Detector {detector!r}.",
                f"{' or '.join(PASSES)}, for which the size of their boxes on the faces learned is known.",
            )
        self.detector = detector
        self._allow_download = allow_download
        self._local = threading.local()
        self._local.client, self.weights = self._build()

    def _build(self) -> tuple[Any, dict[str, Path]]:
        return offline.build("face_detector", self.detector, allow_download=self._allow_download)

    def _client(self) -> Any:
        # Neither dlib's nor OpenCV's detectors may be shared by threads.
        if not hasattr(self._local, "client"):
            self._local.client, _ = self._build()
        return self._local.client

    def find(self, picture: Image) -> Face | None:
        """The largest face, or ``None`` if there is none. ``picture`` is BGR, uint8."""
        longer = max(picture.shape[:2])
        for side, border in PASSES[self.detector]:
            if side > SIDE >= longer:
                continue
            scale = side / longer if side <= SIDE else min(1.0, side / longer)
            faces = self._look(picture, scale, border)
            if faces:
                return max(faces, key=lambda face: (face.width * face.height, -face.y, -face.x))
        return None

    def _look(self, picture: Image, scale: float, border: float) -> list[Face]:
        height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = picture if scale == 1 else cv2.resize(picture, (width, height), interpolation=method)
        edge = int(border * max(height, width))
        if edge:
            seen = cv2.copyMakeBorder(seen, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(0, 0, 0))

        def point(place: tuple[int, int] | None) -> tuple[float, float] | None:
            return None if place is None else ((place[0] - edge) / scale, (place[1] - edge) / scale)

        return [
            Face(
                (area.x - edge) / scale,
                (area.y - edge) / scale,
                area.w / scale,
                area.h / scale,
                point(area.left_eye),
                point(area.right_eye),
            )
            for area in self._client().detect_faces(seen)
            if area.w > 0 and area.h > 0
        ]


def cut_face(picture: Image, face: Face, detector: str) -> Image:
    """The face upright, with FairFace's margins: shape [224, 224, 3], BGR; beyond the picture its edge is repeated.

    The side of the square is the geometric mean of what the box and what the distance of the eyes ask for: boxes come
    in coarse steps, and eyes come close together in a turned head.
    """
    side = _BOX_TO_SIDE[detector] * face.width
    angle = 0.0
    place, target = (face.x + face.width / 2, face.y + face.height / 2), _BOX_CENTRE_AT[detector]
    if face.left_eye is not None and face.right_eye is not None:
        across, down = face.left_eye[0] - face.right_eye[0], face.left_eye[1] - face.right_eye[1]
        distance = math.hypot(across, down)
        if distance > 0.2 * face.width and across > 0:
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


def cut_as_deepface(picture: Image, face: Face, detector: str) -> Image | None:
    """The face as DeepFace itself cuts and turns it (no margin): BGR, of any size; ``None`` if nothing is left."""
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules import detection

    def whole(place: tuple[float, float] | None) -> tuple[int, int] | None:
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
        detector_backend=detector,
    )
    cut = np.asarray(found.img, dtype=np.uint8)
    return cut if cut.shape[0] and cut.shape[1] else None


def deepface_input(cuts: Sequence[Image], side: int) -> NDArray[np.float32]:
    """DeepFace's own preparation of its own cuts: shape [n, side, side, 3], BGR in [0, 1]."""
    from deepface.modules import preprocessing

    return np.concatenate([preprocessing.resize_image(cut / 255, (side, side)) for cut in cuts]).astype(np.float32)
