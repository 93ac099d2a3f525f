"""Writing one file, whole or not at all, and errors of the disk as sentences.

A file in a folder that the user named is written by :mod:`audit.core.written_files`, which refuses to replace the files
of others.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.core.errors import RunError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_TAKEN = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_DISK = frozenset(_FULL | _REFUSED | _TAKEN)
TEMPORARY: Final = re.compile(r"\.audit-.+\.[0-9]+\.tmp")
"""The names that :func:`temporary_path` gives."""


@contextmanager
def writing(what: object, *, reads: bool = False) -> Iterator[None]:
    """Say in a sentence that something could not be written, if the disk is why.

    Parameters
    ----------
    what : object
        What is written, as the user knows it: a folder, a file.
    reads : bool
        Whether the block reads the user's files too, so that one of them may be what was refused.

    Raises
    ------
    RunError
        If the block ends in an error of the disk: no room, no permission, read-only, damaged, or a file where
        a folder should be. Other errors pass.

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
            "room on its disk",
            "Make it so and give the same command again: a run goes on where it stopped.",
        ) from error


def temporary_path(path: Path) -> Path:
    """The file next to a path that is written first and then renamed to it; its name holds the process id."""
    return path.with_name(f".audit-{path.name}.{os.getpid()}.tmp")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8; it appears whole or not at all."""
    partial = temporary_path(path)
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)
