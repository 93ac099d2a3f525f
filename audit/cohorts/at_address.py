"""A cohort at an address: its tables, and the names of its files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.cohorts.resolving import Disk
from audit.core.errors import CohortError
from audit.core.transfer import entries, listing, read_bytes

FILES: Final = ("cohort.toml", "speakers.csv", "speakers.parquet", "clips.csv", "clips.parquet")
"""The files of a cohort besides sound and pictures."""


@contextmanager
def tables_of(root: Path) -> Iterator[Path]:
    """A folder of this machine with copies of a cohort's tables and notes, which is removed after the block.

    Raises
    ------
    CohortError
        If the address holds none of them.
    RunError
        If it cannot be reached.
    """
    there = [path for path in listing(root) if path.name in FILES]
    if not there:
        raise CohortError(
            [f"{root} holds no cohort."],
            "an address with speakers.csv and clips.csv",
            "Make one: audit cohort import ADAPTER ROOT -o DIR, then copy it there.",
        )
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        for path in there:
            Path(folder, path.name).write_bytes(read_bytes(path))
        yield Path(folder)


class DiskAtAddress(Disk):
    """Files below an address; each folder is listed once, and no file is opened."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._roots = (f"{root}/",)
        self._place = root
        self._listings: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def has(self, path: str) -> bool:
        """Whether a file exists; ``path`` is relative to the root."""
        parent, _, name = path.rpartition("/")
        return name in self._listing(parent)[1]

    def _listing(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        """Names of the folders and of the files in a folder."""
        if folder not in self._listings:
            strange = "://" in folder or folder.startswith("/")
            found = {} if strange else entries(self._place / folder if folder else self._place)
            folders = frozenset(name for name, is_folder in found.items() if is_folder)
            self._listings[folder] = folders, frozenset({*found} - folders)
        return self._listings[folder]
