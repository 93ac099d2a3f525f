"""One process at a time in a folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import filelock

from audit.core.errors import RunError


def claim(folder: Path) -> AbstractContextManager[object]:
    """Hold a folder while the block runs; the claim of a process that died is nobody's.

    Raises
    ------
    RunError
        If another process holds it.
    """
    try:
        return filelock.FileLock(folder / ".lock").acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunError(
            f"Another process is at work in {folder}.", next_step="Wait for it, or choose another folder."
        ) from error
