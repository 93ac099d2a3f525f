"""Opening of files that others may have made: regular files only, of a limited size and, inside a run, without links.

A pipe would make a reader wait forever, a device may do anything, and a link in a stranger's folder may point at any
file of the user. Of a file at an address a copy on this machine is opened, which has neither.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Final

from audit.core.addresses import is_address, place

MAX_TEXT_BYTES: Final = 1 << 26
"""Maximum size of a plan, a policy or another text that people write."""
MAX_TABLE_BYTES: Final = 1 << 32
"""Maximum size of a table as text."""
_KINDS: Final = (
    (stat.S_ISDIR, errno.EISDIR, "it is a folder"),
    (stat.S_ISFIFO, errno.EINVAL, "it is a pipe"),
    (stat.S_ISLNK, errno.ELOOP, "it is a link"),
)
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class UnsafeFile(OSError):
    """A file that is not opened: a pipe, a device, a folder, a link where none may be, or one that is too large."""

    def __str__(self) -> str:
        return self.strerror or "it is not opened"


def open_regular(path: str | Path) -> io.BufferedReader:
    """Open a regular file for reading; a link to one is followed.

    Raises
    ------
    OSError
        If there is none; :class:`UnsafeFile` if it is not a regular file. A pipe is not waited for.
    """
    path = _here(path)
    check_regular(os.stat(path), path)  # noqa: PTH116  # before opening: a device may act when it is opened
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    try:
        check_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_regular(path: str | Path, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """The bytes of a regular file.

    Raises
    ------
    OSError
        As :func:`open_regular`; :class:`UnsafeFile` also if it is larger than ``max_bytes``.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size  # read() takes memory for all bytes that it is asked for
        data = file.read(min(size, max_bytes) + 1)
    if max(size, len(data)) > max_bytes:
        raise UnsafeFile(errno.EINVAL, f"it is larger than {max_bytes:,} bytes", str(path))
    return data


def check_inside(root: Path, name: str) -> Path:
    """The path of a regular file inside a folder, of which no part below the folder is a link.

    ``name`` is relative to ``root``, with ``/`` on every system.

    Raises
    ------
    OSError
        If there is none; :class:`UnsafeFile` if it is not a regular file, is or is reached through a link, or is
        outside the folder.

    Examples
    --------
    >>> check_inside(Path("."), "../elsewhere")
    Traceback (most recent call last):
    audit.core.opening.UnsafeFile: it is outside the folder
    """
    parts = Path(name).parts
    if not parts or ".." in parts or Path(name).is_absolute() or Path(name).drive:
        raise UnsafeFile(errno.EINVAL, "it is outside the folder", name)
    if is_address(root):
        copy = _here(root / name)
        check_regular(copy.stat(), copy)
        return copy
    path = root
    for part in parts:
        path = path / part
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise UnsafeFile(errno.ELOOP, "it is a link, or inside a folder that is one", str(path))
    check_regular(found, path)
    return path


def open_inside(root: Path, name: str) -> io.BufferedReader:
    """Open a file inside a folder for reading; see :func:`check_inside`, whose errors it raises."""
    path = check_inside(root, name)
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE | getattr(os, "O_NOFOLLOW", 0))
    try:
        check_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_inside(root: Path, name: str, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """The bytes of a file inside a folder; see :func:`check_inside`, whose errors it raises.

    Raises
    ------
    UnsafeFile
        Also if it is larger than ``max_bytes``.
    """
    with open_inside(root, name) as file:
        size = os.fstat(file.fileno()).st_size  # read() takes memory for all bytes that it is asked for
        data = file.read(min(size, max_bytes) + 1)
    if max(size, len(data)) > max_bytes:
        raise UnsafeFile(errno.EINVAL, f"it is larger than {max_bytes:,} bytes", name)
    return data


def _here(path: str | Path) -> Path:
    """The path itself; of a file at an address, that of its copy on this machine."""
    if not is_address(path):
        return Path(path)
    from audit.core.transfer import at_hand  # which uses this module

    return at_hand(place(path))


def check_regular(found: os.stat_result, path: object) -> None:
    """Raise UnsafeFile if a file is not a regular one; ``found`` is its status."""
    if stat.S_ISREG(found.st_mode):
        return
    for is_kind, number, words in _KINDS:
        if is_kind(found.st_mode):
            raise UnsafeFile(number, words, str(path))
    raise UnsafeFile(errno.EINVAL, "it is a device or a socket", str(path))
