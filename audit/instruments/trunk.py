"""The face network ``faceres``: 1024 features of a cropped face, the input of all embedded reads."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WEIGHTS: Final = Path(__file__).parent / "weights"
TRUNK_FILE: Final = WEIGHTS / "faceres.onnx"
FEATURES: Final = 1024


class Trunk:
    """MobileNet v1 (Howard et al. 2017) as trained by HSE_FaceRec_tf on faces, run by ONNX Runtime on the CPU.

    Each face is passed through alone and by one thread, so that reads do not depend on each other; speed
    comes from several faces at once in several threads (ONNX Runtime releases the GIL while it works), which
    on two cores is also faster than a batch.
    """

    def __init__(self, path: Path = TRUNK_FILE) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            path.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def feature(self, face: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """The feature of one face: BGR, 0 to 255, shape [224, 224, 3]; returns shape [1024], float32, in [0, 6]."""
        (features,) = self._session.run(None, {"pictures": face[None].astype(np.float32)})
        return np.asarray(features[0], dtype=np.float32)


@lru_cache(maxsize=1)
def trunk() -> Trunk:
    """The one trunk of this process."""
    return Trunk()


def deepface_pictures(images: Any) -> list[NDArray[np.float32]]:
    """Convert DeepFace's input (BGR in [0, 1], one picture or several) to pictures for :meth:`Trunk.feature`."""
    batch = np.asarray(images, dtype=np.float32)
    return list((batch[None] if batch.ndim == 3 else batch) * 255)


def unit_length(feature: NDArray[np.float32]) -> NDArray[np.float32]:
    """The feature divided by its length: what FaceRes similarity compares by cosine."""
    length = float(np.linalg.norm(feature.astype(np.float64)))
    return feature if length == 0 else (feature / np.float32(length)).astype(np.float32)
