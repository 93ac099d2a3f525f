"""The face network: race, gender and age of a cropped face, and the feature that FaceRes similarity compares.

It is MobileNet v1 (Howard et al. 2017) as trained on faces by HSE_FaceRec_tf, fine-tuned on FairFace with a linear head
for each attribute by ``scripts/train_network.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from audit.core.onnx import onnxruntime
from audit.core.vocabulary import RACES
from audit.instruments.offline import PACKAGED, read_weights

NETWORK_FILE: Final = PACKAGED / "faceres-fairface.onnx"
FEATURES: Final = 1024

FAIRFACE_RACES: Final = (
    "East Asian",
    "Southeast Asian",
    "Indian",
    "Black",
    "White",
    "Middle Eastern",
    "Latino_Hispanic",
)
"""FairFace's seven labels in the order of the race head's outputs: the vocabulary's order, Asian twice."""

TO_SIX: Final = (0, 0, 1, 2, 3, 4, 5)
"""Which of :data:`~audit.core.vocabulary.RACES` each of the seven is: East and Southeast Asian are read as asian."""

FAIRFACE_AGES: Final = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
AGE_MIDDLES: Final = (1.5, 6.5, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0)
"""Age in years for each of FairFace's ranges: the middle, or 75 for the open one."""


@dataclass(frozen=True)
class NetworkReading:
    """What the network reads in one face.

    ``race`` has the probabilities of :data:`audit.core.vocabulary.RACES`, shape [6], and ``race7`` those of
    :data:`FAIRFACE_RACES`; ``man`` is the probability of being read as a man, ``age`` is in years. All but ``race7``
    are rounded: ages to three decimals, the others to six. ``feature`` has unit length: shape [1024], float32.
    """

    race: NDArray[np.float64]
    race7: NDArray[np.float64]
    man: float
    age: float
    feature: NDArray[np.float32]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from logits over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def session(path: Path) -> Any:
    """An ONNX Runtime session on the CPU that uses one thread.

    Each face is passed through alone and by one thread, so that reads do not depend on each other; speed comes from
    several faces at once in several threads (ONNX Runtime releases the GIL while it works), which on two cores is also
    faster than a batch.
    """
    package = onnxruntime()
    options = package.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return package.InferenceSession(read_weights(path), sess_options=options, providers=["CPUExecutionProvider"])


class FaceNetwork:
    """The network in a file, run by ONNX Runtime. Temperatures are inside the weights. Threads may share one."""

    def __init__(self, path: Path = NETWORK_FILE) -> None:
        self._session = session(path)

    def read(self, face: NDArray[np.uint8] | NDArray[np.float32], *, mirrored: bool = False) -> NetworkReading:
        """Read one face, cut by :func:`audit.instruments.faces.cut_face`: BGR, 0 to 255, shape [224, 224, 3].

        With ``mirrored`` the logits and the feature are means over the face and its mirror image.
        """
        outputs = self._outputs(face)
        if mirrored:
            outputs = [(one + other) / 2 for one, other in zip(outputs, self._outputs(face[:, ::-1]), strict=True)]
        race_logits, man_logit, age_logits, feature = outputs
        race7 = softmax(race_logits)
        race = np.zeros(len(RACES))
        np.add.at(race, list(TO_SIX), race7)
        man = 1 / (1 + np.exp(-man_logit[0]))
        age = float(softmax(age_logits) @ np.asarray(AGE_MIDDLES))
        return NetworkReading(race.round(6), race7, round(float(man), 6), round(age, 3), unit_length(feature))

    def _outputs(self, face: NDArray[np.uint8] | NDArray[np.float32]) -> list[NDArray[np.float64]]:
        batch = np.ascontiguousarray(face[None], dtype=np.float32)
        outputs = self._session.run(["race", "gender", "age", "feature"], {"pictures": batch})
        return [output[0].astype(np.float64) for output in outputs]


@lru_cache(maxsize=1)
def network() -> FaceNetwork:
    """The one network of this process."""
    return FaceNetwork()


def deepface_pictures(images: Any) -> list[NDArray[np.float32]]:
    """Convert DeepFace's input (BGR in [0, 1], one picture or several) to pictures for :meth:`FaceNetwork.read`."""
    batch = np.asarray(images, dtype=np.float32)
    return list((batch[None] if batch.ndim == 3 else batch) * 255)


def unit_length(feature: NDArray[Any]) -> NDArray[np.float32]:
    """The feature divided by its length, float32: the cosine of two is their dot product."""
    wide = feature.astype(np.float64)
    length = float(np.linalg.norm(wide))
    return np.asarray(wide if length == 0 else wide / length, np.float32)
