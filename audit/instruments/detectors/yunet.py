"""yunet: YuNet (Wu et al. 2023), as DeepFace builds it; its weights (version 2023mar, MIT licence) lie in the package.

DeepFace's own ``detect_faces`` cuts boxes and eyes to whole pixels, and takes its threshold from the environment. Here
the same network is asked directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from audit.instruments import offline
from audit.instruments.detectors.detector import Detector, Face, Find, Geometry, Image, Pass

_UPRIGHT: Final = 0.92
# Faces that score more are upright. YuNet finds upside-down faces too, and names their eyes as if they were upright, so
# that the order of the points tells nothing; but the picture turned by 180 degrees then scores higher (500 of 500).


def _build(allow_download: bool) -> tuple[Find, Mapping[str, Path]]:
    client, weights = offline.build("face_detector", "yunet", allow_download=allow_download)
    network: Any = client.model

    def search(picture: Image, score: float) -> NDArray[np.float32]:
        # Columns: x, y, width, height of the box; x and y of the right eye, left eye, nose and mouth corners; score.
        network.setScoreThreshold(score)
        network.setInputSize((picture.shape[1], picture.shape[0]))
        _, rows = network.detect(picture)
        return np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)

    def find(picture: Image, score: float) -> list[Face]:
        rows = search(picture, score)
        if (rows[:, 14] < _UPRIGHT).any():
            turned = search(np.asarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8), score)
            rows = rows[[row[14] >= _UPRIGHT or not _beaten(row, turned, picture.shape) for row in rows]]
        faces = []
        for x, y, width, height, right_x, right_y, left_x, left_y, *_, rated in rows.tolist():
            faces.append(Face(x, y, width, height, (left_x, left_y), (right_x, right_y), rated))
        return faces

    return find, weights


def _beaten(row: NDArray[np.float32], turned: NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    """Whether a face of the turned picture lies at the same place and scores more."""
    centre = np.array([shape[1], shape[0]]) - (row[:2] + row[2:4] / 2)
    near = (np.abs(turned[:, :2] + turned[:, 2:4] / 2 - centre) < row[2:4] / 2).all(axis=1)
    return bool((near & (turned[:, 14] > row[14])).any())


DETECTOR = Detector(
    name="yunet",
    summary="YuNet, a small neural network; its weights are in the package",
    # Chosen on FairFace's training pictures. At 160 pixels the eyes are found half as exactly as at 224.
    passes=(Pass(224, score=0.80), Pass(160, score=0.85), Pass(448, score=0.80)),
    geometry=Geometry(box_to_side=1.04, box_at=(0.503, 0.485), by_eyes=False),
    by_score=True,
    build=_build,
)
