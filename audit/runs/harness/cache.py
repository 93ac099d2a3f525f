"""A cache of renderings by sound and of readings by picture.

An audit with a new instrument does not render again, and an audit of a new model does not read portraits again. Keys
are the digest of the content and of the model or instrument, including the code of this package.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from audit.core.addresses import is_address, shared_folder
from audit.core.arrays import Picture
from audit.core.attributes import Read
from audit.core.files import is_private, make_folder, write_whole
from audit.core.opening import read_regular
from audit.core.pictures import MAX_FILE_BYTES, keep_picture, picture_digest, read_picture
from audit.core.provenance import package_version
from audit.core.transfer import at_hand, at_once, copy
from audit.instruments.protocol import NO_FACE, Instrument, Reading
from audit.models.protocol import Described
from audit.runs.harness.answers import PICTURES, Answers, FileAnswers, SqliteAnswers, damaged

BESIDE: Final = "beside"  # next to the run's folder, shared with the other runs there
NONE: Final = "none"
FOLDER: Final = ".audit-cache"

_ANSWERING: Final = (
    "models",
    "training/mitigations",
    "instruments",
    "core/attributes",
    "core/audio.py",
    "core/audio_decoding.py",
    "core/audio_formats.py",
    "core/audio_pyav.py",
    "core/channels.py",
    "core/chunk_sizes.py",
    "core/mpeg_frames.py",
    "core/pictures.py",
    "core/vocabulary.py",
)
_STATUS, _ATTRIBUTE, _EMBEDDING, _LANDMARKS, _FACES = "status", "attribute", "embedding", "landmarks", "faces"
"""The first word of an array's key in a stored reading; the others name an attribute and its values, or a model."""
_PACKAGES: Final = ("torch", "numpy", "soxr", "soundfile", "pillow", "av")


def cache_folder(name: str, run: Path) -> Path | None:
    """The cache's folder for a run whose plan says :data:`BESIDE`, :data:`NONE`, or a folder or address.

    Examples
    --------
    >>> cache_folder("beside", Path("reports/mine")).as_posix(), cache_folder("none", Path("reports/mine"))
    ('reports/.audit-cache', None)
    """
    if name == NONE:
        return None
    return run.parent / FOLDER if name == BESIDE else shared_folder(name)


def nodes_may_share(folder: Path) -> bool:
    """Whether several machines may use the cache in a folder at once: one at an address, ``file:///DIR`` among them.

    Examples
    --------
    >>> nodes_may_share(Path("reports/.audit-cache"))
    False
    """
    return is_address(folder)


def cache_key(answerer: object, settings: Mapping[str, Any]) -> str | None:
    """The key of a model or instrument in the cache: a digest of its name, description, code and further settings.

    ``None`` if its answers must not be cached: third-party models and instruments are always called, unless
    ``describe()`` returns a ``cache_key``, a text that changes whenever the answers may. Objects that are made of
    others (``made_of``) have a key only if all of those are from this package.
    """
    described = answerer.describe() if isinstance(answerer, (Described, Instrument)) else {}
    parts = getattr(answerer, "made_of", ())
    is_ours = all(part.__module__.split(".")[0] == "audit" for part in (answerer, *parts))
    if parts and not is_ours:
        return None
    if is_ours and ("weights_sha256" in described or isinstance(answerer, Instrument)):
        whose = _code_digest()
    elif described.get("cache_key"):
        whose = str(described["cache_key"])
    else:
        return None
    versions = {package: package_version(package) for package in _PACKAGES}
    words = [getattr(answerer, "name", ""), whose, described, dict(settings), versions]
    return hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()


class Cache:
    """A folder with answers and pictures, which several processes may share.

    The folder is created if it does not exist, and can be deleted at any time. In a folder of this machine the answers
    are in a database; at an address they are files, which machines may share. All methods raise RunError if the cache
    cannot be used or is damaged.

    Parameters
    ----------
    folder : Path
        The folder.
    read_only : bool
        Whether the cache is only looked at: the folder must be a cache, and nothing is written.
    shared : bool
        Whether a new folder is made for several users; otherwise it is private.
    """

    def __init__(self, folder: Path, *, read_only: bool = False, shared: bool = False) -> None:
        self.folder = folder
        self._answers: Answers
        if nodes_may_share(folder):
            self._answers = FileAnswers(folder)
        else:
            self._answers = SqliteAnswers(folder, read_only=read_only, shared=shared)

    @property
    def is_shared(self) -> bool:
        """Whether several machines may use the cache at once."""
        return self._answers.is_shared

    def close(self) -> None:
        """Close the cache."""
        self._answers.close()

    def renderings(self, sources: Iterable[str], model: str) -> dict[str, str]:
        """The digest of the picture made from each known source; empty if the model made none."""
        return {source: answer.decode() for source, answer in self._answers.known(sources, model).items()}

    def readings(self, pictures: Iterable[str], instrument: str) -> dict[str, Reading]:
        """The reading of each known picture."""
        return {picture: _unpacked(answer) for picture, answer in self._answers.known(pictures, instrument).items()}

    def keep_renderings(self, renderings: Mapping[str, str], model: str, pictures: Mapping[str, Picture]) -> None:
        """Store the pictures, then the digest of the picture made from each source."""

        def keep(digest: str) -> None:
            path = self._picture_file(digest)
            make_folder(path.parent, shared=not is_private(self.folder))
            keep_picture(pictures[digest], path.parent, digest)

        at_once(keep, sorted({*renderings.values()} & pictures.keys()), self.folder)
        self._answers.keep({source: digest.encode() for source, digest in renderings.items()}, model)

    def keep_readings(self, readings: Mapping[str, Reading], instrument: str) -> None:
        """Store the reading of each picture."""
        self._answers.keep({picture: _packed(reading) for picture, reading in readings.items()}, instrument)

    def picture(self, digest: str) -> Picture:
        """The picture with this digest."""
        file = read_picture(at_hand(self._picture_file(digest)))
        if file.pixels is None or picture_digest(file.pixels) != digest:
            raise damaged(self.folder, f"the picture {digest}")
        return file.pixels

    def lend_picture(self, digest: str, target: Path) -> None:
        """Link the picture with this digest to a path in a run's folder, or copy it if links are not possible.

        A picture of a private cache is copied into a folder that is shared, since a link keeps its permissions.
        """
        source = self._picture_file(digest)
        if is_address(source) or is_address(target):
            make_folder(target.parent, shared=not is_private(target.parent.parent))
            try:
                copy(source, target)
            except FileNotFoundError as error:
                raise damaged(self.folder, f"the picture {digest}") from error
            return
        if target.exists():
            return
        if not source.is_file():
            raise damaged(self.folder, f"the picture {digest}")
        make_folder(target.parent, shared=not is_private(target.parent.parent))
        if is_private(target.parent) == is_private(source.parent):
            try:
                os.link(source, target)
                return
            except FileExistsError:
                return
            except OSError:  # another file system, or one without links
                pass
        write_whole(target, read_regular(source, MAX_FILE_BYTES))

    def _picture_file(self, digest: str) -> Path:
        return self.folder / PICTURES / digest[:2] / f"{digest}.png"


def _packed(reading: Reading) -> bytes:
    """A lossless encoding of a reading, as arrays with JSON keys; a picture without a face has no status."""
    arrays: dict[str, NDArray[Any]] = {}
    if reading.faces is not None:
        arrays[_key(_FACES)] = np.array([reading.faces], np.int64)
    if reading.status == NO_FACE:
        return save(arrays)
    arrays[_key(_STATUS)] = np.zeros(0)
    for name, read in reading.attributes.items():
        values = [*read.values()] if isinstance(read, Mapping) else [np.nan if read is None else read]
        arrays[_key(_ATTRIBUTE, name, *(read if isinstance(read, Mapping) else ()))] = np.array(values, np.float64)
    arrays |= {_key(_EMBEDDING, name): np.ascontiguousarray(value) for name, value in reading.embeddings.items()}
    if reading.landmarks is not None:
        arrays[_key(_LANDMARKS)] = np.ascontiguousarray(reading.landmarks)
    return save(arrays)


def _key(*words: str) -> str:
    return json.dumps(words)


def _unpacked(answer: bytes) -> Reading:
    arrays = load(answer)
    faces = int(arrays[_key(_FACES)][0]) if _key(_FACES) in arrays else None
    if _key(_STATUS) not in arrays:
        return Reading(NO_FACE, faces=faces)
    read: dict[str, Read] = {}
    embeddings: dict[str, NDArray[np.float32]] = {}
    for key, values in arrays.items():
        kind, *words = json.loads(key)
        if kind == _EMBEDDING:
            embeddings[words[0]] = values
        elif kind == _ATTRIBUTE:
            name, *numbers = words
            given = [None if np.isnan(value) else float(value) for value in values]
            read[name] = dict(zip(numbers, values.tolist(), strict=True)) if numbers else given[0]
    points = arrays.get(_key(_LANDMARKS))
    return Reading("ok", attributes=read, embeddings=embeddings, landmarks=points, faces=faces)


@cache
def _code_digest() -> str:
    """SHA-256 of the code on which answers may depend; a change invalidates the cache."""
    root = Path(__file__).parents[2]
    sha = hashlib.sha256()
    files = [
        path for place in _ANSWERING for path in ([root / place] if "." in place else (root / place).rglob("*.py"))
    ]
    for path in sorted(files):
        sha.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()
