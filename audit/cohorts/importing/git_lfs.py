"""Detection of git-lfs pointers: small text files that a repository has in place of large files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from audit.core.errors import CohortError
from audit.core.files import GIT_LFS_POINTER
from audit.core.opening import open_regular

LARGEST: Final = 1024
"""Upper limit of a pointer's size in bytes, by git-lfs's docs/spec.md."""
EXAMINED: Final = 10_000
"""Number of files that are examined, at even distances, so that the import of a million files stays fast."""
NEXT_STEP: Final = "Clone the repository with git (its zip has pointers only), and run in it: git lfs pull."


def is_pointer(path: Path) -> bool:
    """Whether a file is a git-lfs pointer; a file is only opened if it is small enough."""
    try:
        if not len(GIT_LFS_POINTER) <= os.stat(path).st_size < LARGEST:  # noqa: PTH116  # called for many files
            return False
        with open_regular(path) as file:
            return file.read(len(GIT_LFS_POINTER)) == GIT_LFS_POINTER
    except OSError:  # missing and unreadable files are reported by the check of the cohort
        return False


def pointer_remarks(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Remark on the audio files that are git-lfs pointers; ``paths`` are relative to ``root``.

    Raises
    ------
    CohortError
        If all examined files are pointers.
    """
    examined = paths[:: -(-len(paths) // EXAMINED) or 1]
    n = sum(is_pointer(root / path) for path in examined if path)
    if not n:
        return ()
    if n == len(examined):
        raise CohortError(
            [f"The audio files of {root} are git-lfs pointers, which are text, not audio."],
            "the files themselves",
            NEXT_STEP,
        )
    return (f"{n} of {len(examined)} examined audio files are git-lfs pointers, not audio. {NEXT_STEP}",)
