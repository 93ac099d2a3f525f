"""The heads on the trunk's feature: race, gender and age, as ``scripts/train_heads.py`` learned them on FairFace."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.core.vocabulary import RACES
from audit.instruments.trunk import WEIGHTS

HEADS_FILE: Final = WEIGHTS / "heads.safetensors"

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

Array = NDArray[np.float32]


@dataclass(frozen=True)
class HeadReading:
    """Output of the heads for one feature.

    ``race`` has the probabilities of :data:`audit.core.vocabulary.RACES`, shape [6], and ``race7`` those of
    :data:`FAIRFACE_RACES`; ``man`` is the probability of being read as a man, ``age`` is in years. All but ``race7``
    are rounded: ages to three decimals, the others to six.
    """

    race: NDArray[np.float64]
    race7: NDArray[np.float64]
    man: float
    age: float


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from logits over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


class Heads:
    """Small networks (linear layers with ReLU between) from a safetensors file; temperatures are inside the weights."""

    def __init__(self, path: Path = HEADS_FILE) -> None:
        from safetensors import safe_open

        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        self._layers = {head: self._stack(tensors, head) for head in ("race", "gender", "age")}

    @staticmethod
    def _stack(tensors: dict[str, Array], head: str) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        count = sum(name.startswith(f"{head}.") and name.endswith(".weight") for name in tensors)
        return [
            (tensors[f"{head}.{i}.weight"].astype(np.float64), tensors[f"{head}.{i}.bias"].astype(np.float64))
            for i in range(count)
        ]

    def _run(self, head: str, feature: Array) -> NDArray[np.float64]:
        x = feature.astype(np.float64)
        for i, (weight, bias) in enumerate(self._layers[head]):
            x = weight @ (np.maximum(x, 0) if i else x) + bias
        return np.asarray(x)

    def read(self, feature: Array) -> HeadReading:
        """Read one feature, shape [1024]. One at a time, so that reads do not depend on each other."""
        race7 = softmax(self._run("race", feature))
        race = np.zeros(len(RACES))
        np.add.at(race, list(TO_SIX), race7)
        man = 1 / (1 + np.exp(-self._run("gender", feature)[0]))
        age = float(softmax(self._run("age", feature)) @ np.asarray(AGE_MIDDLES))
        return HeadReading(race.round(6), race7, round(float(man), 6), round(age, 3))


@lru_cache(maxsize=1)
def heads() -> Heads:
    """The heads of the package."""
    return Heads()
