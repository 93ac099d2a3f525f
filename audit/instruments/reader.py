"""The instrument: pictures in, readings out, through DeepFace's detectors and models."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from deepface.modules import preprocessing
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.core.vocabulary import RACES
from audit.instruments import landmarks, offline, registered
from audit.instruments.card import card_for
from audit.instruments.faces import PASSES, SIDE, FaceFinder, cut_as_deepface, cut_face
from audit.instruments.heads import HEADS_FILE, HeadReading, heads
from audit.instruments.protocol import Reading
from audit.instruments.trunk import TRUNK_FILE, trunk, unit_length

ATTRIBUTES: Final = ("race", "gender", "age")
SIMILARITIES: Final = ("FaceRes", "Dlib")
_OWN_BATCH: Final = 4
_VERSIONS: Final = ("deepface", "onnxruntime", "opencv-contrib-python-headless", "dlib-bin", "numpy")

TITLES: Final = {
    "embedded": "DeepFace with the embedded FaceRes heads",
    "deepface": "DeepFace with its own weights",
    "deepface+embedded": "DeepFace with its own weights and the embedded FaceRes heads",
}
"""What each instrument is called in sentences."""

Source = Literal["embedded", "deepface"]


@dataclass(frozen=True)
class _Seen:
    """One picture after the first pass: what the models read in it, and DeepFace's own cut where it is needed."""

    heads: HeadReading
    feature: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    deepface_cut: NDArray[np.uint8] | None


class DeepFaceInstrument:
    """Reads faces by DeepFace: by its own attribute models where told so, else by the embedded ones.

    Use :func:`audit.instruments.instrument` to build one.

    Parameters
    ----------
    requested : str
        The name that was asked for: auto, embedded or deepface.
    sources : dict
        For each of race, gender and age, ``embedded`` or ``deepface``.
    reasons : dict
        For each attribute, why that source.
    similarity : sequence of str
        Face features to carry, the primary one first.
    detector : {"dlib", "opencv"}
        DeepFace's name of the detector.
    allow_download : bool
        Whether DeepFace may download its weights.
    threads : int, optional
        Pictures read at once; by default one for each core.
    remember : int
        Readings kept for pictures that come again (a speaker's portrait comes once for each clip); 0 keeps none.

    Raises
    ------
    ModelError
        If a model cannot be built from what is on this machine, or an option is none that it takes.
    """

    def __init__(
        self,
        requested: str,
        sources: dict[str, Source],
        reasons: dict[str, str],
        *,
        similarity: Sequence[str] = SIMILARITIES,
        detector: str = "dlib",
        allow_download: bool = False,
        threads: int | None = None,
        remember: int = 4096,
    ) -> None:
        unknown = [name for name in similarity if name not in SIMILARITIES]
        if unknown or len(set(similarity)) != len(similarity):
            raise ModelError(f"Similarity models {list(similarity)}.", f"Each once, of {', '.join(SIMILARITIES)}.")
        for option, value, least in (("threads", 1 if threads is None else threads, 1), ("remember", remember, 0)):
            if not isinstance(value, int) or value < least:
                raise ModelError(f"The instrument's option {option} is {value!r}.", f"a whole number from {least} on")
        self._made_with = (
            (requested, sources, reasons),
            {
                "similarity": similarity,
                "detector": detector,
                "allow_download": allow_download,
                "threads": threads,
                "remember": remember,
            },
        )
        registered.register()
        self.requested, self.sources, self.reasons = requested, dict(sources), dict(reasons)
        kinds = sorted(set(sources.values()))
        self.name = "+".join(kinds)
        self.similarity_models: tuple[str, ...] = tuple(similarity)
        self._finder = FaceFinder(detector, allow_download=allow_download)
        self._files: dict[str, dict[str, Path]] = {"detector": self._finder.weights}
        self._own: dict[str, Any] = {}
        for attribute in ATTRIBUTES:
            if sources[attribute] == "deepface":
                model = offline.ATTRIBUTE_WEIGHTS[attribute][0]
                self._own[attribute], used = offline.build("facial_attribute", model, allow_download=allow_download)
                self._files[attribute] = used
            else:
                self._files[attribute] = {path.name: path for path in (TRUNK_FILE, HEADS_FILE)}
        self._dlib: Any = None
        for name in similarity:
            self._files[f"similarity {name}"] = {TRUNK_FILE.name: TRUNK_FILE}
            if name == "Dlib":
                self._dlib, used = offline.build("facial_recognition", name, allow_download=allow_download)
                self._files[f"similarity {name}"] = used
        path = landmarks.weights()
        self._files["landmarks"] = {path.name: path}
        landmarks.predictor()  # a file that cannot be loaded is told before the first picture
        self._trunk, self._heads = trunk(), heads()
        self._one_at_a_time = threading.Lock()
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="audit-instrument")
        self._remember = remember
        self._known: OrderedDict[bytes, Reading] = OrderedDict()

    def __reduce__(self) -> tuple[Callable[..., DeepFaceInstrument], tuple[object, ...]]:
        """Another process makes its own from the same words: detectors and sessions cannot be sent."""
        return _make_again, self._made_with

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        """One reading for each picture, in order.

        Parameters
        ----------
        pictures : sequence of ndarray
            RGB, uint8, shape [H, W, 3], any size.

        Returns
        -------
        list of Reading
            Probabilities rounded to six decimals, ages to three, so that the same picture reads the same whatever
            stands beside it. ``no_face`` where the detector finds none.

        Raises
        ------
        ModelError
            If something is no such picture.
        """
        keys = [self._key(picture) for picture in pictures]
        new: dict[bytes, Picture] = {}
        for key, picture in zip(keys, pictures, strict=True):
            if key not in self._known:
                new.setdefault(key, picture)
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
        dlib = self._embed_dlib(found) if self._dlib is not None else []
        number = 0
        for one in seen:
            if one is None:
                yield Reading("no_face")
                continue
            race = own["race"][number] if "race" in own else one.heads.race
            man = own["gender"][number][1] if "gender" in own else one.heads.man
            age = own["age"][number] if "age" in own else one.heads.age
            yield Reading(
                "ok",
                {label: float(p) for label, p in zip(RACES, race, strict=True)},
                float(man),
                float(age),
                {name: dlib[number] if name == "Dlib" else unit_length(one.feature) for name in self.similarity_models},
                one.landmarks,
            )
            number += 1

    def _see(self, picture: Picture) -> _Seen | None:
        image = np.ascontiguousarray(picture[:, :, ::-1])
        face = self._finder.find(image)
        if face is None:
            return None
        cut: NDArray[np.uint8] | None = None
        if self._own or self._dlib is not None:
            cut = cut_as_deepface(image, face, self._finder.detector)
            if cut is None:
                return None
        feature = self._trunk.feature(cut_face(image, face, self._finder.detector))
        return _Seen(self._heads.read(feature), feature, landmarks.find_landmarks(image, face), cut)

    def _prepared(self, seen: Sequence[_Seen], side: int) -> NDArray[np.float32]:
        """DeepFace's own preparation of its own cuts: shape [n, side, side, 3], BGR in [0, 1]."""
        cuts = [one.deepface_cut / 255 for one in seen if one.deepface_cut is not None]
        return np.concatenate([preprocessing.resize_image(cut, (side, side)) for cut in cuts]).astype(np.float32)

    def _read_own(self, attribute: str, seen: Sequence[_Seen]) -> NDArray[np.float64]:
        """DeepFace's own model, in batches of one size whatever the number of faces."""
        parts = []
        for start in range(0, len(seen), _OWN_BATCH):
            faces = self._prepared(seen[start : start + _OWN_BATCH], SIDE)
            full = np.zeros((_OWN_BATCH, *faces.shape[1:]), np.float32)
            full[: len(faces)] = faces
            parts.append(np.asarray(self._own[attribute].predict(full), dtype=np.float64)[: len(faces)])
        return np.concatenate(parts).round(3 if attribute == "age" else 6) if parts else np.empty(0)

    def _embed_dlib(self, seen: Sequence[_Seen]) -> list[NDArray[np.float32]]:
        """DeepFace's Dlib feature of each face, of unit length."""
        features = []
        for one in seen:
            with self._one_at_a_time:
                feature = self._dlib.forward(self._prepared([one], 150))
            features.append(unit_length(np.asarray(feature, dtype=np.float32)))
        return features

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
                for attribute in ATTRIBUTES
            },
            "similarity": {name: {"weights": self._digests(f"similarity {name}")} for name in self.similarity_models},
            "detector": {
                "name": self._finder.detector,
                "passes": [list(one) for one in PASSES[self._finder.detector]],
                "weights": self._digests("detector"),
            },
            "landmarks": {"points": landmarks.COUNT, "weights": self._digests("landmarks")},
            "deepface_backend": engine,
            "card": card_for(self.sources, self._finder.detector),
            "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
        }

    def _digests(self, part: str) -> dict[str, str]:
        return {name: offline.sha256(path) for name, path in sorted(self._files[part].items())}


def _make_again(words: tuple[Any, ...], options: dict[str, Any]) -> DeepFaceInstrument:
    return DeepFaceInstrument(*words, **options)
