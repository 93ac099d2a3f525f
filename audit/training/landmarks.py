"""The 72 landmarks of a portrait that the decoder learns to place: 68 by dlib's model, and 4 above the forehead.

The landmark model is that of the instrument. Portraits are preprocessed as for the published checkpoints: scaled to one
size, and with a central box where no face is detected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.instruments.landmarks import predictor

COUNT: Final = 72
SIDE: Final = 224

_JAW_MIRROR = tuple(range(16, -1, -1))
_BROWS = tuple(range(26, 16, -1))
_NOSE = (27, 28, 29, 30, 35, 34, 33, 32, 31)
_EYES = (45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40)
_MOUTH = (54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65)
_FOREHEAD = (71, 70, 69, 68)
MIRRORED: Final = (*_JAW_MIRROR, *_BROWS, *_NOSE, *_EYES, *_MOUTH, *_FOREHEAD)
"""The index of the landmark that takes each place when a picture is mirrored."""


def find_landmarks(portraits: Sequence[Picture]) -> NDArray[np.float32]:
    """The landmarks of each portrait: [N, 72, 2], x and y from -1 to 1; in a central box if dlib detects no face."""
    import dlib

    detect, predict = dlib.get_frontal_face_detector(), predictor()
    found = np.zeros((len(portraits), COUNT, 2), np.float32)
    for row, portrait in enumerate(portraits):
        seen = np.ascontiguousarray(cv2.resize(portrait, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        faces = sorted(detect(seen, 1), key=lambda box: -box.area())
        box = faces[0] if faces else dlib.rectangle(*(int(SIDE * edge) for edge in (0.15, 0.2, 0.85, 0.9)))
        shape = predict(seen, box)
        points = np.array([(point.x, point.y) for point in shape.parts()], np.float32)
        found[row] = np.concatenate((points, forehead(points))) * 2 / SIDE - 1
    return found


def forehead(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Four points above the brows, about as far above them as the tip of the nose is below: [4, 2]."""
    above: NDArray[np.float32] = points[[18, 20, 23, 25]] + np.float32(1.1) * (points[27] - points[33])
    return above
