"""Atomic and durable writing of files, private folders, and disk errors as RunError.

A file has the permissions of its folder: one in a private folder (700) can be read by its user alone (600). Files in
folders of the user are written by :mod:`audit.core.written_files`, which refuses to replace files that this tool did
not write.
"""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.opening import open_regular

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_TAKEN = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_DISK = frozenset(_FULL | _REFUSED | _TAKEN)
GIT_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
"""First bytes of the text that a repository has in place of a large file; see git-lfs's docs/spec.md."""
TEMPORARY: Final = re.compile(r"\.audit-.+\.[0-9]+\.tmp")
"""Names made by :func:`temporary_path`."""
_NUMBERS: Final = itertools.count()


@contextmanager
def writing(what: object, *, reads: bool = False) -> Iterator[None]:
    """Convert disk errors of the block to RunError; ``what`` is written, for the message.

    With ``reads``, the block also reads files of the user, which may cause the error.

    Raises
    ------
    RunError
        For disk errors: no space, no permission, read-only, damaged, or a file in place of a folder. Other errors are
        not converted.

    Examples
    --------
    >>> with writing("OUT"):  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    audit.core.errors.RunError: OUT cannot be written: No space left on device.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise RunError(
            f"{what} cannot be {'read or written' if reads else 'written'}: {error.strerror}{where}.",
            f"{'files that this user may read, and ' if reads else ''}a folder, new or this user's to write to, with "
            "space on its disk",
            "Then repeat the command: a run continues where it stopped.",
        ) from error


def temporary_path(path: Path) -> Path:
    """Temporary file of a path, to be renamed to it; its name has the process id and is another one at each call."""
    return path.with_name(f".audit-{path.name}.{os.getpid()}.{next(_NUMBERS)}.tmp")


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """A new file that takes the place of ``path`` when the block ends without an error.

    The temporary file is never one that exists: a link of its name is not followed. With ``durable``, content and name
    are on the disk when the block has ended. At an address, the content is sent whole when the block ends.
    """
    if is_address(path):
        from audit.core.transfer import put_bytes  # which uses this module

        content = io.BytesIO()
        yield content
        put_bytes(content.getvalue(), path)
        return
    partial = temporary_path(path)
    try:
        with os.fdopen(_created(partial), "wb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_whole(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a file atomically; text as UTF-8. For ``durable`` see :func:`replacing`."""
    with replacing(path, durable=durable) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def write_new(path: Path, content: str | bytes) -> None:
    """Write a file that does not exist; text as UTF-8.

    Raises
    ------
    FileExistsError
        If there is a file or a link of this name, also a link to nothing.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, _mode(path)), "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def make_folder(folder: Path, *, shared: bool = False) -> None:
    """Make a folder, and those above it, unless it exists; it is private (700) unless ``shared``.

    A folder that exists keeps its permissions. At an address there are none.
    """
    if is_address(folder):
        from audit.core.transfer import make_folder_at  # which uses this module

        make_folder_at(folder)
        return
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o777 if shared else 0o700, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Whether nobody but its user may look into a folder; not known of an address, and then false."""
    return not is_address(folder) and not folder.stat().st_mode & 0o077


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can; the files themselves may not be."""
    if os.name == "nt" or is_address(folder):  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems have no such call
            raise
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Wait until a regular file is on the disk, where the system can."""
    if os.name == "nt" or is_address(path):  # only files opened for writing can be waited for there
        return
    with open_regular(path) as stream:
        os.fsync(stream.fileno())


def file_digest(path: str | Path) -> str:
    """The sha256 of a file's bytes, in hex; an OSError if it is not a regular file."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _created(partial: Path) -> int:
    """The descriptor of a new temporary file; one that a killed process with this id left behind is removed."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    mode = _mode(partial)
    try:
        return os.open(partial, flags, mode)
    except FileExistsError:
        partial.unlink(missing_ok=True)
        return os.open(partial, flags, mode)


def _mode(path: Path) -> int:
    """The permissions of a new file: those of its folder, as far as the user's mask allows."""
    return path.parent.stat().st_mode & 0o666
