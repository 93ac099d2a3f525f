"""Writing files: whole or not at all; what the disk does not take is the user's to mend, so said in a sentence."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import RunError

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})


@contextmanager
def writing(what: object) -> Iterator[None]:
    """Say in a sentence that something could not be written, if the disk is why.

    Parameters
    ----------
    what : object
        What is written, as the user knows it: a folder, a file.

    Raises
    ------
    RunError
        If the block ends in an error of the disk: no room, no permission, read-only, damaged. Other errors pass.

    Examples
    --------
    >>> with writing("OUT"):  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    audit.errors.RunError: OUT cannot be written: No space left on device.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise RunError(
            f"{what} cannot be written: {error.strerror}{where}.",
            "a folder with room on its disk that this user may write to",
            "Make room and give the same command again: a run goes on where it stopped.",
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file as UTF-8; it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
