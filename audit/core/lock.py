"""Lock of a folder for one process."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import filelock

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.lock_object import held


def claim(folder: Path) -> AbstractContextManager[object]:
    """Lock a folder during the block; the lock of a process that died is released.

    Raises
    ------
    RunError
        If another process has locked it.
    """
    if is_address(folder):
        return held(folder)
    try:
        return filelock.FileLock(folder / ".lock").acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunError(
            f"Another process is using {folder}.", next_step="Wait for it, or choose another folder."
        ) from error
