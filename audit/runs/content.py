"""Content of a cohort: the digests of the files of its clips, as a run reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit.core.addresses import is_address
from audit.core.audio_decoding import MAX_FILE_BYTES
from audit.core.columns import CLIP_FILES
from audit.core.transfer import at_hand, bring
from audit.runs.run import part_files

KINDS: Final = ("audio", "portrait", "rendered", "ceiling")
"""The columns of a cohort that name files, in the order of :data:`audit.core.columns.CLIP_FILES`."""


class ClipFile(NamedTuple):
    """A file of one clip: its kind of :data:`KINDS`, the sha256 of its bytes (empty if it cannot be read), its size."""

    kind: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Content:
    """The content of the files of a cohort's audited clips.

    Attributes
    ----------
    sha256 : str
        Digest of the bytes of every file that the clips name, by clip and kind. It does not depend on the names of
        the files, the model, the order of the clips, or the sizes of parts.
    n_files : int
        Number of different files; those with equal bytes, and a portrait of several clips, are counted once.
    n_bytes : int
        Size of these files.
    """

    sha256: str
    n_files: int
    n_bytes: int


def file_of(kind: str, path: Path) -> ClipFile:
    """A file, read to its end; without a digest if it is missing, no regular file, or unreadable."""
    try:
        if not path.is_file():  # a pipe or a device may never end
            return ClipFile(kind, "", 0)
        with path.open("rb") as stream:
            return ClipFile(kind, hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell())
    except (OSError, ValueError):
        return ClipFile(kind, "", 0)


def named_files(rows: pd.DataFrame) -> set[str]:
    """The paths of all files that rows of a cohort's table name."""
    return {path for kind in KINDS if kind in rows for path in rows[kind] if path}


def files_of_clips(
    rows: pd.DataFrame,
    root: Path,
    workers: Executor,
    known: Mapping[tuple[str, str], str],
    here: Mapping[str, Path],
) -> list[list[ClipFile]]:
    """The files of each row of a cohort's table, in the order of :data:`KINDS`.

    ``known`` has the sha256 of files that were read, by kind and path relative to ``root``; the others are read now.
    ``here`` has the files by path (:func:`audit.core.transfer.fetched`). One at an address that is larger than what is
    fetched has no digest.
    """
    kinds = [kind for kind in KINDS if kind in rows]
    named = sorted({(kind, path) for kind in kinds for path in rows[kind] if path})

    def read(name: tuple[str, str]) -> ClipFile:
        kind, path = name
        if sha256 := known.get(name):
            try:
                return ClipFile(kind, sha256, here[path].stat().st_size)
            except OSError:  # removed since it was read
                return ClipFile(kind, sha256, 0)
        found = file_of(kind, here[path])
        is_unread = is_address(root) and found.bytes > MAX_FILE_BYTES
        return found._replace(sha256="") if is_unread else found

    files = dict(zip(named, workers.map(read, named), strict=True))
    records = zip(*(rows[kind] for kind in kinds), strict=True)
    return [[files[name] for name in zip(kinds, paths, strict=True) if name[1]] for paths in records]


def files_digest(clips: Iterable[tuple[str, Sequence[ClipFile]]]) -> str:
    """sha256 of the files of some clips, in the order of the clips."""
    total = _Total()
    for clip, files in clips:
        total.add(clip, files)
    return total.sha.hexdigest()


def content_of(folder: Path) -> Content | None:
    """The content of the clips of a run's folder, from the digests in its parts.

    ``None`` if a part has no digests, as those of earlier versions and of simulated runs.
    """
    total = _Total()
    for path in bring(part_files(folder)):
        clips = clip_files(path)
        if clips is None:
            return None
        for clip, files in clips:
            total.add(clip, files)
    n_files, n_bytes = total.sizes()
    return Content(total.sha.hexdigest(), n_files, n_bytes)


def clip_files(part: Path) -> Iterator[tuple[str, list[ClipFile]]] | None:
    """The id and the files of each clip of a part; ``None`` if the part has no digests."""
    with pq.ParquetFile(at_hand(part)) as file:
        if CLIP_FILES not in file.schema_arrow.names:
            return None
        table = file.read(columns=["clip_id", CLIP_FILES], use_threads=False)
    if table[CLIP_FILES].null_count:
        return None
    return (
        (clip, [ClipFile(each["kind"], each["sha256"], each["bytes"]) for each in files])
        for clip, files in zip(table["clip_id"].to_pylist(), table[CLIP_FILES].to_pylist(), strict=True)
    )


class _Total:
    """The digest and the sizes of files that are added in the order of their clips."""

    def __init__(self) -> None:
        self.sha = hashlib.sha256()
        self._prefixes = bytearray()
        self._sizes: list[int] = []

    def add(self, clip: str, files: Sequence[ClipFile]) -> None:
        name = clip.encode()
        for file in files:
            self.sha.update(b"%d:%b %b %b\n" % (len(name), name, file.kind.encode(), file.sha256.encode()))
            if file.sha256:
                self._prefixes += bytes.fromhex(file.sha256)[:16]
                self._sizes.append(file.bytes)

    def sizes(self) -> tuple[int, int]:
        """The number of different files, and their size."""
        digests: NDArray[Any] = np.frombuffer(bytes(self._prefixes), np.uint64).reshape(-1, 2)
        order = np.lexsort((digests[:, 0], digests[:, 1]))
        ordered = digests[order]
        is_first = np.ones(len(order), bool)
        is_first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        return int(is_first.sum()), int(np.array(self._sizes, np.int64)[order][is_first].sum())
