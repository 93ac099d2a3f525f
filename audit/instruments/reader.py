"""The instrument: pictures in, readings out, through DeepFace's detectors and models."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.core.attributes import ALWAYS, READ_BY_DEFAULT, Read, attributes
from audit.core.errors import ModelError
from audit.core.plan import SIMILARITY
from audit.core.vocabulary import RACES
from audit.instruments import landmarks, offline, registered
from audit.instruments.card import card_for
from audit.instruments.faces import SIDE, FaceFinder, align_face, cut_as_deepface, cut_face, deepface_input
from audit.instruments.network import NETWORK_FILE, NetworkReading, network
from audit.instruments.protocol import Reading
from audit.instruments.registry import DETECTOR
from audit.instruments.similarity import Embed, FoundFace, similarity_models

_OWN_BATCH: Final = 4
_VERSIONS: Final = ("deepface", "onnxruntime", "opencv-contrib-python-headless", "dlib-bin", "numpy")

TITLES: Final = {
    "embedded": "DeepFace with the embedded FaceRes heads",
    "deepface": "DeepFace with its own weights",
    "deepface+embedded": "DeepFace with its own weights and the embedded FaceRes heads",
}
"""Title of each instrument."""

Source = Literal["embedded", "deepface"]


@dataclass(frozen=True)
class _Seen:
    """One picture after the first pass: the face, what the network reads in it, and what was measured in its pixels."""

    network: NetworkReading
    face: FoundFace
    faces: int
    landmarks: NDArray[np.float32]
    measured: dict[str, Read]


class DeepFaceInstrument:
    """Reads faces by DeepFace: by DeepFace's own attribute models if requested, otherwise by the embedded ones.

    Use :func:`audit.instruments.instrument` to build one.

    Parameters
    ----------
    requested : str
        Requested name: auto, embedded or deepface.
    sources, reasons : dict
        For each of race, gender and age, ``embedded`` or ``deepface``, and why.
    similarity, detector, allow_download
        As :func:`audit.instruments.instrument`.
    attributes : sequence of str
        The attributes to read: race, gender, age, and any that is measured in pixels
        (:attr:`audit.core.attributes.Attribute.measure`).
    mirrored : bool
        Whether the network also reads the mirrored face and the means count: more accurate, and slower.
    threads : int, optional
        Number of pictures read in parallel; default: the number of cores.
    remember : int
        Readings kept for pictures that come again (a speaker's portrait comes once for each clip); 0 keeps none.

    Raises
    ------
    ModelError
        If a model cannot be built from what is on this machine, or an option is unknown.
    """

    def __init__(
        self,
        requested: str,
        sources: dict[str, Source],
        reasons: dict[str, str],
        *,
        similarity: Sequence[str] = SIMILARITY,
        detector: str = DETECTOR,
        attributes: Sequence[str] = READ_BY_DEFAULT,
        mirrored: bool = True,
        allow_download: bool = False,
        threads: int | None = None,
        remember: int = 4096,
    ) -> None:
        compared = similarity_models(similarity)
        for option, value, least in (("threads", 1 if threads is None else threads, 1), ("remember", remember, 0)):
            if not isinstance(value, int) or value < least:
                raise ModelError(f"The instrument's option {option} is {value!r}.", f"a whole number from {least} on")
        self._again = partial(
            DeepFaceInstrument,
            requested,
            sources,
            reasons,
            similarity=similarity,
            detector=detector,
            attributes=attributes,
            mirrored=mirrored,
            allow_download=allow_download,
            threads=threads,
            remember=remember,
        )
        registered.register()
        self.attributes = tuple(attributes)
        self._measured = _measured_in_pixels(self.attributes)
        self.requested, self.sources, self.reasons = requested, dict(sources), dict(reasons)
        self.name = "+".join(sorted(set(sources.values())))
        self.similarity_models: tuple[str, ...] = tuple(model.name for model in compared)
        self._finder = FaceFinder(detector, allow_download=allow_download)
        self._files: dict[str, dict[str, Path]] = {"detector": dict(self._finder.weights)}
        self._own: dict[str, Any] = {}
        for attribute in ALWAYS:
            if sources[attribute] == "deepface":
                model = offline.ATTRIBUTE_WEIGHTS[attribute][0]
                self._own[attribute], used = offline.build("facial_attribute", model, allow_download=allow_download)
                self._files[attribute] = used
            else:
                self._files[attribute] = {NETWORK_FILE.name: NETWORK_FILE}
        self._embed: dict[str, Embed] = {}
        for each in compared:
            registered.register_similarity(each)
            self._embed[each.name], weights = each.build(allow_download)
            self._files[f"similarity {each.name}"] = dict(weights)
        self._takes = {model.takes for model in compared} | ({"cut"} if self._own else set())
        self.made_of = (self._finder.detector.build, *(model.build for model in compared), *self._measured.values())
        """The code that decides the readings besides this class; a cache keeps none if it is not of this package."""
        path = landmarks.weights()
        self._files["landmarks"] = {path.name: path}
        landmarks.predictor()  # so that a damaged file is reported before the first picture
        self._network, self.mirrored = network(), mirrored
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="audit-instrument")
        self._remember = remember
        self._known: OrderedDict[bytes, Reading] = OrderedDict()

    def __reduce__(self) -> tuple[Callable[..., DeepFaceInstrument], tuple[object, ...]]:
        """Another process builds its own from the same arguments, since detectors and sessions cannot be pickled."""
        return self._again, ()

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        """One reading for each picture (RGB, uint8, shape [H, W, 3], any size), in order.

        Probabilities are rounded to six decimals, ages to three. A reading does not depend on the other pictures; its
        status is ``no_face`` if no face is found. Raises ModelError if something is not such a picture.
        """
        keys = [self._key(picture) for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._known}
        fresh = dict(zip(new, self._read_new(list(new.values())), strict=True))
        readings = [fresh.get(key) or self._known[key] for key in keys]
        for key, reading in zip(keys, readings, strict=True):
            self._known[key] = reading
            self._known.move_to_end(key)
        while len(self._known) > self._remember:
            self._known.popitem(last=False)
        return readings

    @staticmethod
    def _key(picture: Picture) -> bytes:
        right = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3
        if not right or picture.shape[2] != 3 or 0 in picture.shape:
            found = f"{picture.dtype} of shape {picture.shape}" if isinstance(picture, np.ndarray) else type(picture)
            raise ModelError(f"A picture given to the instrument is {found}.", "uint8, shape [height, width, 3], RGB.")
        head = repr(picture.shape).encode()
        return hashlib.sha256(head + np.ascontiguousarray(picture).tobytes()).digest()

    def _read_new(self, pictures: Sequence[Picture]) -> Iterable[Reading]:
        seen = list(self._pool.map(self._see, pictures))
        found = [one for one in seen if one is not None]
        own = {attribute: self._read_own(attribute, found) for attribute in self._own}
        features = {name: self._features(embed, found) for name, embed in self._embed.items()}
        number = 0
        for one in seen:
            if one is None:
                yield Reading("no_face", faces=0)
                continue
            race = own["race"][number] if "race" in own else one.network.race
            man = own["gender"][number][1] if "gender" in own else one.network.man
            age = own["age"][number] if "age" in own else one.network.age
            yield Reading(
                "ok",
                {label: float(p) for label, p in zip(RACES, race, strict=True)},
                float(man),
                float(age),
                {name: of[number] for name, of in features.items()},
                one.landmarks,
                one.measured,
                one.faces,
            )
            number += 1

    def _features(self, embed: Embed, seen: Sequence[_Seen]) -> list[NDArray[np.float32]]:
        """The feature of each face; every thread embeds a part of them."""
        parts = [[one.face for one in seen[start :: self._threads]] for start in range(self._threads)]
        done = list(self._pool.map(embed, parts))
        return [done[number % self._threads][number // self._threads] for number in range(len(seen))]

    def _see(self, picture: Picture) -> _Seen | None:
        image = np.ascontiguousarray(picture[:, :, ::-1])
        faces = self._finder.faces(image)
        if not faces:
            return None
        face, detector = faces[0], self._finder.detector
        cut = cut_as_deepface(image, face, detector.name) if "cut" in self._takes else None
        if cut is None and "cut" in self._takes:
            return None
        reading = self._network.read(cut_face(image, face, detector.geometry), mirrored=self.mirrored)
        points = landmarks.find_landmarks(image, face)
        aligned = align_face(image, points) if "aligned" in self._takes else None
        measured = {name: measure(picture, points) for name, measure in self._measured.items()}
        return _Seen(reading, FoundFace(reading.feature, cut, aligned), len(faces), points, measured)

    def _read_own(self, attribute: str, seen: Sequence[_Seen]) -> NDArray[np.float64]:
        """DeepFace's own model, in batches of fixed size."""
        parts = []
        for start in range(0, len(seen), _OWN_BATCH):
            cuts = [one.face.cut for one in seen[start : start + _OWN_BATCH] if one.face.cut is not None]
            faces = deepface_input(cuts, SIDE)
            full = np.zeros((_OWN_BATCH, *faces.shape[1:]), np.float32)
            full[: len(faces)] = faces
            parts.append(np.asarray(self._own[attribute].predict(full), dtype=np.float64)[: len(faces)])
        return np.concatenate(parts).round(3 if attribute == "age" else 6) if parts else np.empty(0)

    def describe(self) -> dict[str, object]:
        """What reads, from which weights, in which versions; JSON types only, no path of this machine."""
        engine = offline.backend()
        return {
            "name": self.name,
            "title": TITLES[self.name],
            "requested": self.requested,
            "attributes": {
                attribute: {
                    "source": self.sources[attribute],
                    "reason": self.reasons[attribute],
                    "backend": engine if self.sources[attribute] == "deepface" else "onnxruntime",
                    "weights": self._digests(attribute),
                }
                for attribute in ALWAYS
            }
            | {
                name: {"source": "pixels", "measured_by": f"{measure.__module__}:{measure.__qualname__}"}
                for name, measure in self._measured.items()
            },
            "similarity": {name: {"weights": self._digests(f"similarity {name}")} for name in self.similarity_models},
            "detector": {
                "name": self._finder.detector.name,
                "passes": [asdict(one) for one in self._finder.detector.passes],
                "reads": self._finder.detector.reads,
                "weights": self._digests("detector"),
            },
            "mirrored": self.mirrored,
            "landmarks": {"points": landmarks.COUNT, "weights": self._digests("landmarks")},
            "deepface_backend": engine,
            "card": card_for(self.sources, self._finder.detector.name, mirrored=self.mirrored),
            "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
        }

    def _digests(self, part: str) -> dict[str, str]:
        return {name: offline.sha256(path) for name, path in sorted(self._files[part].items())}


def _measured_in_pixels(names: tuple[str, ...]) -> dict[str, Callable[..., Read]]:
    """The attributes that are measured in a picture's pixels, each with the function that measures it."""
    if lacking := [name for name in ALWAYS if name not in names]:
        raise ModelError(
            f"The instrument's option attributes lacks {', '.join(lacking)}.", "race, gender and age, and others"
        )
    measured: dict[str, Callable[..., Read]] = {}
    for attribute in attributes(names):
        if attribute.name in ALWAYS:
            continue
        if attribute.measure is None:
            raise ModelError(
                f"The attribute {attribute.name!r} cannot be read by this instrument.",
                "race, gender, age, and attributes that declare how they are measured in pixels",
            )
        measured[attribute.name] = attribute.measure
    return measured
