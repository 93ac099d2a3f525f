"""Protocol of instruments, which read pictures of faces and never receive labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.core.attributes import ALWAYS, Attribute, Read, attributes
from audit.core.attributes.gender import ATTRIBUTE as GENDER

NO_FACE: Final = "no_face"


@dataclass(frozen=True, init=False)
class Reading:
    """Reading of one picture by an instrument.

    Parameters
    ----------
    status : {"ok", "no_face"}
        A picture in which no face was found is never scored: its other fields are empty.
    race : Mapping[str, float], optional
        The probability of each label of :data:`audit.core.vocabulary.RACES`, in that order, summing to 1.
    man : float, optional
        The probability that the face is read as a man's, in [0, 1].
    age : float, optional
        The age read, in years.
    embeddings : Mapping[str, ndarray], optional
        One face feature of unit length for each similarity model, by its name: shape [D], float32.
    landmarks : ndarray, optional
        The face's 68 points in dlib's order, x and y in the picture's pixels: shape [68, 2], float32; ``None`` from an
        instrument that does not look for them.
    attributes : Mapping, optional
        The same for any attribute, by its name: its only number, or its numbers by name. ``race``, ``man`` and ``age``
        are short for the attributes ``race``, ``gender`` and ``age``.
    faces : int, optional
        How many faces the detector found in the picture, of which one is read; 0 or ``None`` without a face. ``None``
        from an instrument that does not count them.

    Examples
    --------
    >>> reading = Reading("ok", man=0.25, attributes={"age": 40.0})
    >>> reading.attributes
    {'age': 40.0, 'gender': 0.25}
    >>> reading.man, reading.age
    (0.25, 40.0)
    """

    status: Literal["ok", "no_face"]
    attributes: Mapping[str, Read]
    embeddings: Mapping[str, NDArray[np.float32]]
    landmarks: NDArray[np.float32] | None
    faces: int | None

    def __init__(
        self,
        status: Literal["ok", "no_face"],
        race: Mapping[str, float] | None = None,
        man: float | None = None,
        age: float | None = None,
        embeddings: Mapping[str, NDArray[np.float32]] | None = None,
        landmarks: NDArray[np.float32] | None = None,
        attributes: Mapping[str, Read] | None = None,
        faces: int | None = None,
    ) -> None:
        given: dict[str, Read] = {"race": race, "gender": man, "age": age}
        read = dict(attributes or {}) | {name: value for name, value in given.items() if value is not None}
        fields = {
            "status": status,
            "attributes": read,
            "embeddings": embeddings or {},
            "landmarks": landmarks,
            "faces": faces,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def race(self) -> Mapping[str, float]:
        """The probability of each race; empty where none was read."""
        race = self.attributes.get("race")
        return race if isinstance(race, Mapping) else {}

    @property
    def man(self) -> float | None:
        """The probability that the face is read as a man's."""
        return GENDER.values(self.attributes.get("gender"))[0]

    @property
    def age(self) -> float | None:
        """The age read, in years."""
        age = self.attributes.get("age")
        return None if isinstance(age, Mapping) else age


@runtime_checkable
class Instrument(Protocol):
    """Reads attributes and face features in pictures.

    What is read in a picture must not depend on the other pictures of the call. An instrument may have a property
    ``attributes``: the names of the attributes that it reads, as :func:`audit.core.attributes.attributes` takes them.
    One without it reads race, gender and age.
    """

    @property
    def name(self) -> str:
        """Name of the instrument in runs and reports."""
        ...

    @property
    def similarity_models(self) -> tuple[str, ...]:
        """Names of the face features that every reading carries, the primary one first."""
        ...

    def read(self, pictures: Sequence[Picture]) -> Sequence[Reading]:
        """One reading for each picture, in order."""
        ...

    def describe(self) -> dict[str, object]:
        """Names, versions, detector, backends and sha256 digests of all weights; JSON types only.

        If there is a mapping ``detector``, its text ``reads`` says which face is read in a picture with several, such
        as "the largest face".
        """
        ...


def attribute_names(instrument: Instrument) -> tuple[str, ...]:
    """The names of the attributes that an instrument reads, as it gives them."""
    return tuple(getattr(instrument, "attributes", ALWAYS))


def attributes_of(instrument: Instrument) -> tuple[Attribute, ...]:
    """The attributes that an instrument reads.

    Raises
    ------
    AuditError
        If one of them does not exist or cannot be imported.
    """
    return attributes(attribute_names(instrument))
