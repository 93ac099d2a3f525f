"""A DeepFace home for benchmarks that let DeepFace itself find faces."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from audit.instruments import offline

VARIABLE = "DEEPFACE_HOME"
YUNET = "face_detection_yunet_2023mar.onnx"


def use_packaged_yunet() -> tempfile.TemporaryDirectory[str]:
    """A temporary home, set for this process, that holds YuNet's weights: DeepFace looks for them in its home only.

    It lasts as long as the caller keeps the result.
    """
    home = tempfile.TemporaryDirectory()
    os.environ[VARIABLE] = home.name
    weights = Path(home.name) / ".deepface" / "weights"
    weights.mkdir(parents=True)
    (weights / YUNET).symlink_to(offline.PACKAGED / YUNET)
    return home
