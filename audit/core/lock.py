"""Lock of a folder for one process."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import filelock

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.lock_object import held

NAME = ".lock"


def claim(folder: Path) -> AbstractContextManager[object]:
    """Lock a folder during the block; the lock of a process that died is released.

    The lock is an empty file ``.lock``. A link or a file with content has another origin and is left alone.

    Raises
    ------
    RunError
        If another process has locked it, or ``.lock`` is not a lock.
    """
    if is_address(folder):
        return held(folder)
    path = folder / NAME
    if path.is_symlink() or (path.exists() and not (path.is_file() and path.stat().st_size == 0)):
        raise RunError(
            f"{path} was not written by this tool.",
            "a folder in which this name is free",
            f"Move {path} away, or choose another folder.",
        )
    try:
        return filelock.FileLock(path).acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunError(
            f"Another process is using {folder}.", next_step="Wait for it, or choose another folder."
        ) from error
