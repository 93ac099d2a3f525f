"""A cache of renderings by sound and of readings by picture.

An audit with a new instrument does not render again, and an audit of a new model does not read portraits again. Keys
are the digest of the content and of the model or instrument, including the code of this package.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from audit.core.arrays import Picture
from audit.core.attributes import Read
from audit.core.errors import RunError
from audit.core.files import is_private, make_folder, write_new, write_whole
from audit.core.opening import read_regular
from audit.core.pictures import MAX_FILE_BYTES, keep_picture, picture_digest, read_picture
from audit.core.provenance import package_version
from audit.instruments.protocol import NO_FACE, Instrument, Reading
from audit.models.protocol import Described

BESIDE: Final = "beside"  # next to the run's folder, shared with the other runs there
NONE: Final = "none"
FOLDER: Final = ".audit-cache"

DATABASE: Final = "answers.sqlite"
PICTURES: Final = "pictures"
IN_USE: Final = "in-use.sqlite"
"""An empty database: whoever uses the cache holds a read lock on it, and whoever prunes it a write lock."""
SECONDS_A_DAY: Final = 86_400
_AT_ONCE: Final = 500
_PATIENCE_S: Final = 60.0
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS answers"
    " (of TEXT, by TEXT, answer BLOB, sha256 TEXT, PRIMARY KEY (of, by)) WITHOUT ROWID"
)
_DAYS: Final = "CREATE TABLE IF NOT EXISTS stored (of TEXT, by TEXT, day INTEGER, PRIMARY KEY (of, by)) WITHOUT ROWID"
"""The day on which each answer was stored, from the epoch; answers of earlier versions have none."""
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
    """The cache's folder for a run whose plan says :data:`BESIDE`, :data:`NONE`, or a folder.

    Examples
    --------
    >>> cache_folder("beside", Path("reports/mine")).as_posix(), cache_folder("none", Path("reports/mine"))
    ('reports/.audit-cache', None)
    """
    if name == NONE:
        return None
    return run.parent / FOLDER if name == BESIDE else Path(name)


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


def refuse_links(folder: Path) -> None:
    """Raise RunError if a part of a cache is a link: it might lead to files of another origin."""
    for name in (DATABASE, IN_USE, PICTURES):
        if (folder / name).is_symlink():
            raise RunError(
                f"{folder / name} is a link.",
                "a cache as it was made",
                f"Name another folder, or continue without a cache: --cache {NONE}.",
            )


class Cache:
    """A folder with a database of answers, and pictures; several processes may share it.

    The folder is created if it does not exist, and can be deleted at any time. All methods raise RunError if it cannot
    be used or is damaged.

    Parameters
    ----------
    folder : Path
        The folder.
    read_only : bool
        Whether the cache is only looked at: the folder must have a database, and nothing is written.
    shared : bool
        Whether a new folder is made for several users; otherwise it is private.
    """

    def __init__(self, folder: Path, *, read_only: bool = False, shared: bool = False) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._use: sqlite3.Connection | None = None
        try:
            if read_only:
                self._answers = _connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro")
                return
            make_folder(folder, shared=shared)
            refuse_links(folder)
            make_folder(folder / PICTURES, shared=not is_private(folder))
            for name in (IN_USE, DATABASE):  # with the permissions of the folder, which SQLite would not give them
                if not (folder / name).exists():
                    with suppress(FileExistsError):
                        write_new(folder / name, b"")
            self._use = _connect((folder / IN_USE).resolve().as_uri())
            self._use.execute("BEGIN")
            self._use.execute("SELECT * FROM sqlite_master").fetchall()  # takes the lock
            self._answers = _connect((folder / DATABASE).resolve().as_uri())
            self._answers.execute(_TABLE)
            self._answers.execute(_DAYS)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Close the database."""
        self._answers.close()
        if self._use is not None:
            self._use.close()

    def renderings(self, sources: Iterable[str], model: str) -> dict[str, str]:
        """The digest of the picture made from each known source; empty if the model made none."""
        return {source: answer.decode() for source, answer in self._known(sources, model).items()}

    def readings(self, pictures: Iterable[str], instrument: str) -> dict[str, Reading]:
        """The reading of each known picture."""
        return {picture: _unpacked(answer) for picture, answer in self._known(pictures, instrument).items()}

    def keep_renderings(self, renderings: Mapping[str, str], model: str, pictures: Mapping[str, Picture]) -> None:
        """Store the pictures, then the digest of the picture made from each source."""
        for digest in {*renderings.values()} & pictures.keys():
            path = self._picture_file(digest)
            make_folder(path.parent, shared=not is_private(self.folder))
            keep_picture(pictures[digest], path.parent, digest)
        self._keep({source: digest.encode() for source, digest in renderings.items()}, model)

    def keep_readings(self, readings: Mapping[str, Reading], instrument: str) -> None:
        """Store the reading of each picture."""
        self._keep({picture: _packed(reading) for picture, reading in readings.items()}, instrument)

    def picture(self, digest: str) -> Picture:
        """The picture with this digest."""
        file = read_picture(self._picture_file(digest))
        if file.pixels is None or picture_digest(file.pixels) != digest:
            raise self._damaged(f"the picture {digest}")
        return file.pixels

    def lend_picture(self, digest: str, target: Path) -> None:
        """Link the picture with this digest to a path in a run's folder, or copy it if links are not possible.

        A picture of a private cache is copied into a folder that is shared, since a link keeps its permissions.
        """
        if target.exists():
            return
        source = self._picture_file(digest)
        if not source.is_file():
            raise self._damaged(f"the picture {digest}")
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

    def _known(self, questions: Iterable[str], by: str) -> dict[str, bytes]:
        wanted = sorted({*questions} - {""})
        found: dict[str, bytes] = {}
        try:
            with self._lock:
                for start in range(0, len(wanted), _AT_ONCE):
                    some = wanted[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(some))
                    select = f"SELECT of, answer, sha256 FROM answers WHERE by = ? AND of IN ({marks})"
                    for question, answer, sha256 in self._answers.execute(select, [by, *some]):
                        if hashlib.sha256(answer).hexdigest() != sha256:
                            raise self._damaged(f"the answer to {question}")
                        found[question] = answer
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return found

    def _keep(self, answers: Mapping[str, bytes], by: str) -> None:
        if not answers:
            return
        rows = [(of, by, answer, hashlib.sha256(answer).hexdigest()) for of, answer in sorted(answers.items())]
        today = int(time.time() // SECONDS_A_DAY)
        try:
            with self._lock:
                self._answers.execute("BEGIN IMMEDIATE")
                self._answers.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", rows)
                self._answers.executemany(
                    "INSERT OR IGNORE INTO stored VALUES (?, ?, ?)", [(of, by, today) for of, *_ in rows]
                )
                self._answers.execute("COMMIT")
        except sqlite3.Error as error:
            if self._answers.in_transaction:
                self._answers.execute("ROLLBACK")
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> RunError:
        return RunError(
            f"The cache {self.folder} cannot be used: {error}.",
            "a writable folder with free disk space",
            f"Delete it if it is damaged, or continue without a cache: --cache {NONE}.",
        )

    def _damaged(self, what: str) -> RunError:
        return RunError(
            f"The cache {self.folder} is damaged: {what} differs from what was stored.",
            next_step=f"Delete the folder, or continue without a cache: --cache {NONE}.",
        )


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None, uri=True)


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
