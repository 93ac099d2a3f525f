"""Atomic writing of files, and disk errors as RunError.

Files in folders of the user are written by :mod:`audit.core.written_files`, which refuses to replace files that this
tool did not write.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.core.addresses import is_address, place
from audit.core.errors import RunError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_TAKEN = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_DISK = frozenset(_FULL | _REFUSED | _TAKEN)
GIT_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
"""First bytes of the text that a repository has in place of a large file; see git-lfs's docs/spec.md."""
TEMPORARY: Final = re.compile(r"\.audit-.+\.[0-9]+\.tmp")
"""Names made by :func:`temporary_path`."""


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
    """Temporary file of a path, to be renamed to it; its name has the process id."""
    return path.with_name(f".audit-{path.name}.{os.getpid()}.tmp")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file atomically; text as UTF-8."""
    if is_address(path):
        from audit.core.transfer import put_bytes  # which uses this module

        put_bytes(content.encode() if isinstance(content, str) else content, place(path))
        return
    partial = temporary_path(path)
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)


def file_digest(path: str | Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    if is_address(path):
        from audit.core.transfer import at_hand  # which uses this module

        path = at_hand(place(path))
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
