"""What an instrument is to the audit: something that reads pictures of faces, and never sees a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture


@dataclass(frozen=True)
class Reading:
    """What an instrument reads in one picture.

    Attributes
    ----------
    status : {"ok", "no_face"}
        A picture in which no face was found is never scored: its other fields are empty.
    race : Mapping[str, float]
        The probability of each label of :data:`audit.core.vocabulary.RACES`, in that order, summing to 1.
    man : float or None
        The probability that the face is read as a man's, in [0, 1].
    age : float or None
        The age read, in years.
    embeddings : Mapping[str, ndarray]
        One face feature of unit length for each similarity model, by its name: shape [D], float32.
    landmarks : ndarray or None
        The face's 68 points in dlib's order, x and y in the picture's pixels: shape [68, 2], float32; ``None`` from an
        instrument that does not look for them.
    """

    status: Literal["ok", "no_face"]
    race: Mapping[str, float] = field(default_factory=dict)
    man: float | None = None
    age: float | None = None
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    landmarks: NDArray[np.float32] | None = None


@runtime_checkable
class Instrument(Protocol):
    """Reads attributes and face features in pictures.

    What is read in a picture must not depend on the other pictures of the call.
    """

    @property
    def name(self) -> str:
        """What the instrument is called in every run and report."""
        ...

    @property
    def similarity_models(self) -> tuple[str, ...]:
        """Names of the face features that every reading carries, the primary one first."""
        ...

    def read(self, pictures: Sequence[Picture]) -> Sequence[Reading]:
        """One reading for each picture, in order."""
        ...

    def describe(self) -> dict[str, object]:
        """Names, versions, detector, backends and sha256 digests of all weights; JSON types only."""
        ...
