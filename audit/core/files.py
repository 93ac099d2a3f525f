"""Writing files: whole or not at all; what the disk does not take or give is the user's to mend, so said in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.core.errors import RunError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_TAKEN = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_DISK = frozenset(_FULL | _REFUSED | _TAKEN)


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


def write_whole(path: Path, text: str) -> None:
    """Write a text file as UTF-8; it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
