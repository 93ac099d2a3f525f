"""Reading and writing at addresses: files whole or not at all, many at once, with errors as RunError.

Every function also takes paths of this machine, so that callers need not tell the two apart. Object stores show an
object when it is complete; elsewhere a file is written under a temporary name and renamed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Final, TypeVar

from audit.core.addresses import file_system, key
from audit.core.errors import AuditError, RunError
from audit.core.files import temporary_path, write_whole

_PUTS_WHOLE: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})
"""Protocols whose objects appear when they are complete, and that have no folders to make."""
_AT_ONCE: Final = 16
"""Number of requests at the same time."""
_STAMPS: Final = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "modified", "created")
"""Keys of fsspec's ``info`` that change when a file is written again."""
Item = TypeVar("Item")
Made = TypeVar("Made")


@contextmanager
def reaching(path: Path, *, writes: bool = False) -> Iterator[None]:
    """Convert errors of a file system at an address to RunError; a missing file to read stays a FileNotFoundError."""
    try:
        yield
    except AuditError:
        raise
    except Exception as error:  # every file system raises errors of its own
        if isinstance(error, FileNotFoundError) and not writes:
            raise
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise RunError(
            f"{path} cannot be read or written: {why}.",
            "an address that can be reached, with the rights to read and write there",
            "Check the address and the credentials, then repeat the command: a run continues where it stopped.",
        ) from error


def at_once(function: Callable[[Item], Made], items: Iterable[Item], where: Path | None) -> list[Made]:
    """The results of a function for each item, in order; several calls at the same time if ``where`` is an address."""
    if where is None or _is_here(where):
        return [function(item) for item in items]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="audit-transfer") as threads:
        return list(threads.map(function, items))


def exists(path: Path) -> bool:
    """Whether there is a file or folder."""
    if _is_here(path):
        return path.exists()
    with reaching(path):
        return bool(file_system(path).exists(key(path)))


def make_folder_at(folder: Path) -> None:
    """Make a folder at an address and those above it, where the place has folders."""
    if not _puts_whole(folder):
        with reaching(folder, writes=True):
            file_system(folder).makedirs(key(folder), exist_ok=True)


def listing(folder: Path, pattern: str = "*") -> list[Path]:
    """The files and folders in a folder whose names match a pattern, sorted; empty if there is no such folder."""
    if _is_here(folder):
        return sorted(folder.glob(pattern))
    return [folder / name for name in sorted(entries(folder)) if fnmatchcase(name, pattern)]


def entries(folder: Path) -> dict[str, bool]:
    """The names in a folder at an address, and whether each is a folder; empty if there is no such folder."""
    try:
        with reaching(folder):
            found = file_system(folder).ls(key(folder), detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    at = key(folder).strip("/")  # an object store lists the folder itself if there is an object of its name
    paths = {str(each["name"]).strip("/"): each["type"] == "directory" for each in found}
    return {path.rpartition("/")[2]: is_folder for path, is_folder in paths.items() if path != at}


def files_below(folder: Path) -> list[tuple[Path, int, float]]:
    """All files below a folder at an address: path, bytes, and seconds since the epoch when it was written.

    Where a file system does not say when, it is the present.
    """
    try:
        with reaching(folder):
            found = file_system(folder).find(key(folder), detail=True)
    except FileNotFoundError:
        return []
    head = len(key(folder).strip("/")) + 1
    files = [(name.strip("/")[head:], info) for name, info in sorted(found.items())]
    return [(folder / name, int(info.get("size") or 0), _written(info)) for name, info in files if name]


def read_bytes(path: Path) -> bytes:
    """The content of a file; raises FileNotFoundError if there is none."""
    if _is_here(path):
        return path.read_bytes()
    with reaching(path):
        return bytes(file_system(path).cat_file(key(path)))


def put_bytes(data: bytes, path: Path) -> None:
    """Write a file at an address, whole or not at all."""
    with reaching(path, writes=True):
        system = file_system(path)
        if _puts_whole(path):
            system.pipe_file(key(path), data)
            return
        make_folder_at(path.parent)
        partial = temporary_path(path)
        system.pipe_file(key(partial), data)
        system.mv(key(partial), key(path))


def put_new(data: bytes, path: Path) -> bool:
    """Write a file at an address unless there is one; returns whether it was written."""
    with reaching(path, writes=True):
        try:
            if not _puts_whole(path):
                make_folder_at(path.parent)
            file_system(path).pipe_file(key(path), data, mode="create")
        except FileExistsError:
            return False
    return True


def copy(source: Path, target: Path) -> None:
    """Copy a file from or to an address; within one store by the store itself."""
    with reaching(source if not _is_here(source) else target):
        if not _is_here(source) and not _is_here(target) and _puts_whole(target):
            system = file_system(target)
            if file_system(source) == system:
                system.cp_file(key(source), key(target))
                return
        if not _is_here(target):
            put_bytes(read_bytes(source), target)
            return
        write_whole(target, read_bytes(source))


def remove(path: Path) -> None:
    """Remove a file, if it exists."""
    if _is_here(path):
        path.unlink(missing_ok=True)
        return
    with reaching(path):
        try:
            file_system(path).rm_file(key(path))
        except FileNotFoundError:
            return


def at_hand(path: Path) -> Path:
    """A file of this machine with the content of the one at an address; a path of this machine itself.

    It has the same name, stays until the process ends, and is fetched again if the one at the address changed. If there
    is no file at the address, there is none here.
    """
    if _is_here(path):
        return path
    here = _shelf() / _digest(str(path)) / path.name
    try:
        with reaching(path):
            info = file_system(path).info(key(path))
    except (FileNotFoundError, NotADirectoryError):
        return here.with_name("missing") / path.name
    if info.get("type") == "directory":
        return here.with_name("missing") / path.name
    stamp = repr([info.get("size"), *(info.get(name) for name in _STAMPS)])
    if _stamps.get(here) != stamp or not here.is_file():
        _stamps[here] = stamp
        _fetch(path, here)
    return here


_stamps: dict[Path, str] = {}
"""What was known about each fetched file when it was fetched."""


def bring(paths: Iterable[Path]) -> list[Path]:
    """The files of :func:`at_hand`, fetched several at a time."""
    wanted = list(paths)
    return at_once(at_hand, wanted, next(iter(wanted), None))


@contextmanager
def fetched(root: Path, names: Iterable[str], most_bytes: int) -> Iterator[Mapping[str, Path]]:
    """Files of a folder by their names; those at an address are copies, which are removed after the block.

    A file that does not exist has no copy. One above ``most_bytes`` has an empty copy of its size, which takes no space
    on most disks.

    Raises
    ------
    RunError
        If the address cannot be reached.
    """
    wanted = sorted({*names} - {""})
    if _is_here(root):
        yield {name: root / name for name in wanted}
        return
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        copies = {name: Path(folder, f"{i}{Path(name).suffix[:16]}") for i, name in enumerate(wanted)}

        def fetch(name: str) -> None:
            source = root / name
            try:
                with reaching(source):
                    size = int(file_system(source).info(key(source)).get("size") or 0)
                if size <= most_bytes:
                    _fetch(source, copies[name])
                    return
            except (FileNotFoundError, NotADirectoryError):
                return
            with copies[name].open("wb") as file:
                file.truncate(size)

        at_once(fetch, wanted, root)
        yield copies


def _written(info: Mapping[str, Any]) -> float:
    """Seconds since the epoch at which a file was written, by fsspec's ``info``."""
    for name in ("LastModified", "last_modified", "mtime", "updated", "modified", "created"):
        value = info.get(name)
        if isinstance(value, dt.datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return time.time()


def _fetch(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_path(target)
    with reaching(source):
        file_system(source).get_file(key(source), str(partial))
    partial.replace(target)


def _is_here(path: object) -> bool:
    """Whether a path is of this machine and not an address."""
    return isinstance(path, PurePath)


def _puts_whole(path: Path) -> bool:
    return str(getattr(path, "protocol", "")) in _PUTS_WHOLE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def _shelf() -> Path:
    """The private folder for copies of files at addresses, removed when the process ends."""
    import atexit

    folder = tempfile.mkdtemp(prefix="audit-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
