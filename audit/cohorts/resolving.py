"""Matching of the paths in a table with the files on disk, in the habits of other systems."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Final

import pandas as pd

from audit.core.errors import did_you_mean

HABITS: Final = {
    "absolute": "are absolute and inside the folder; they were made relative to it.",
    "windows": "separate folders with \\, which was read as /.",
    "dots": "have empty or . parts, which were left out.",
    "unicode": "are composed of other Unicode characters than the name on disk (NFC or NFD), which was used.",
}
"""What a path may be written like, and how it is read; the end of a remark on the number of rows."""
LISTED: Final = 2000
"""Most names in a folder among which a similar one is searched."""
FEW: Final = 5
SHOWN: Final = 3
"""Number of folders that are named in a message; the others are counted."""


class Disk:
    """Files below a folder; each folder is listed once, and no file is opened."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._roots = tuple(f"{place.rstrip('/')}/" for place in (os.path.abspath(root), self.root))  # noqa: PTH100
        self._listings: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def has(self, path: str) -> bool:
        """Whether a file exists; ``path`` is relative to the root, with ``/`` between folders."""
        parent, _, name = path.rpartition("/")
        if name in (self._listings.get(parent) or self._listing(parent))[1]:
            return True
        return "\0" not in path and os.path.isfile(f"{self.root}/{path}")  # noqa: PTH113  # on a disk without case

    def find(self, path: str) -> tuple[str, set[str]]:
        """The path as it is on disk, and the keys of ``HABITS`` that it needed; unchanged if there is no such file.

        A path inside the root is made relative also if there is no such file. Parts ``..`` are never resolved.
        """
        habits: set[str] = set()
        if inside := next((place for place in self._roots if path.startswith(place)), None):
            path = path.removeprefix(inside)
            habits.add("absolute")
        if _is_plain(path) and self.has(path):
            return path, habits
        turned = path.replace("\\", "/") if not self.has(path) else path
        parts = [part for part in turned.split("/") if part not in ("", ".")]
        if turned.startswith("/") or ".." in parts or (found := self._match(parts)) is None:
            return path, habits
        needed = {
            "windows": turned != path,
            "dots": not _is_plain(turned),
            "unicode": found != "/".join(parts),
        }
        return found, habits | {habit for habit, wanted in needed.items() if wanted}

    def missing_folder(self, path: str) -> str:
        """The first folder of a path that does not exist; empty if all exist."""
        parts = path.split("/")[:-1]
        for i, part in enumerate(parts):
            if part not in self._listing("/".join(parts[:i]))[0]:
                return "/".join(parts[: i + 1])
        return ""

    def similar(self, path: str) -> str:
        """A hint at a file with a similar name in the same folder; empty if there is none."""
        parent, _, name = path.rpartition("/")
        files = self._listing(parent)[1]
        return did_you_mean(name, files) if len(files) <= LISTED else ""

    def folders_beside(self, folder: str) -> str:
        """A hint at a folder with a similar name in the same place, or at the few that are there."""
        parent, _, name = folder.rpartition("/")
        folders = self._listing(parent)[0]
        few = f" (there is {', '.join(sorted(folders))})" if 0 < len(folders) <= FEW else ""
        return (did_you_mean(name, folders) if len(folders) <= LISTED else "") or few

    def _match(self, parts: list[str]) -> str | None:
        """The path of those parts on disk, where each may be composed of other Unicode characters."""
        place = ""
        for i, part in enumerate(parts):
            names = self._listing(place)[1 if i == len(parts) - 1 else 0]
            alike = (name for name in names if not name.isascii() and _nfc(name) == _nfc(part))
            same = [part] if part in names else list(alike)
            if len(same) != 1:
                return None
            place = f"{place}/{same[0]}" if place else same[0]
        return place

    def _listing(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        """Names of the folders and of the files in a folder."""
        if folder not in self._listings:
            folders: list[str] = []
            files: list[str] = []
            try:
                with os.scandir(f"{self.root}/{folder}") as entries:
                    for entry in entries:
                        (folders if entry.is_dir() else files).append(entry.name)
            except (OSError, ValueError):
                pass  # the files in it do not exist, and are reported
            self._listings[folder] = frozenset(folders), frozenset(files)
        return self._listings[folder]


def _is_plain(path: str) -> bool:
    """Whether no part of a path is empty or a dot."""
    return not path.startswith("./") and "//" not in path and "/./" not in path


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def resolved(column: pd.Series, disk: Disk) -> tuple[pd.Series, tuple[str, ...]]:
    """Paths as they are on disk, and remarks on the number that were written in another way."""
    found: dict[str, str] = {}
    habits: dict[str, set[str]] = {}
    for value in column.unique():
        if value and not (_is_plain(value) and disk.has(value)):
            path, needed = disk.find(value)
            if needed:
                found[value], habits[value] = path, needed
    if not found:
        return column, ()
    rows = column[column.isin(found)]
    n = Counter(habit for value in rows for habit in habits[value])
    remarks = [f"{n[habit]} paths in the column {column.name} {said}" for habit, said in HABITS.items() if n[habit]]
    return column.replace(found), tuple(remarks)


def missing(column: pd.Series, disk: Disk) -> tuple[pd.Series, str]:
    """Mask of the rows whose file does not exist, and the end of a sentence on them; empty if there is none.

    It has the first file, and the folders that do not exist with their numbers of rows, each with a similar name.
    """
    gone = {value for value in column.unique() if value and not disk.has(value)}
    if not gone:
        return pd.Series(False, index=column.index), ""
    lacking = column.isin(gone)
    rows = column[lacking]
    folders = Counter(folder for folder in map(disk.missing_folder, rows) if folder)
    named = [f"{name!r} in {n} rows{disk.folders_beside(name)}" for name, n in folders.most_common(SHOWN)]
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    first = str(rows.iloc[0])
    near = "" if disk.missing_folder(first) else disk.similar(first)
    hint = f" Folders that do not exist: {', '.join(named)}{more}." if folders else ""
    return lacking, f"the first: {first!r}{near}.{hint}"
