"""Paths of a cohort: the columns that have them, and the check that they stay inside its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.validation import ValidationErrors
from audit.core.errors import CohortError

ALLOWED: Final = "a path inside the cohort's folder, relative to it"
FILE_COLUMNS: Final = ("audio", "portrait", "rendered", "ceiling")
"""Columns of a cohort's tables that name files."""
DEEPEST: Final = 40
"""Paths with more folders than this are resolved one by one."""


class Boundary:
    """Check of paths against a cohort's folder, and folders outside it that are allowed as targets of links.

    ``folder`` is ``None`` for a cohort at an address, where there are no links.

    Each folder is resolved and listed once: a million clips in a hundred thousand folders cost a hundred thousand
    listings, and only links are resolved one by one.
    """

    def __init__(self, folder: Path | None, outside: tuple[str, ...] = ()) -> None:
        self._has_links = folder is not None
        self.folder = os.path.realpath(folder or ".")
        if strange := [place for place in outside if "\0" in place]:
            raise CohortError([f"cohort.toml: {strange[0]!r} is not a path."], "a folder that the cohort links to")
        places = [Path(self.folder, place) for place in (".", *outside)]
        self.roots = tuple(os.path.realpath(place).rstrip(os.sep) + os.sep for place in places)
        self._folders: dict[str, tuple[str, frozenset[str] | None]] = {}

    def check(self, file: str, column: pd.Series, errors: ValidationErrors) -> None:
        """Add an error for every row whose path is outside; index 0 is line 2 of the file."""
        given = column[column != ""]
        turned = given.str.replace("\\", "/", regex=False)
        outside = (
            turned.str.startswith("/")
            | turned.str.contains("\0", regex=False)
            | ("/" + turned + "/").str.contains("/../", regex=False)
            | (turned.str.contains("://", regex=False) & (not self._has_links))
        )
        for i, value in given[outside].items():
            errors.add(file, int(str(i)) + 2, f"{column.name} {value!r} is outside the folder", ALLOWED)
        for i, value in given[~outside].items() if self._has_links else ():
            if not self._contains(value):
                found = f"{column.name} {value!r} is outside the folder (through a link)"
                errors.add(file, int(str(i)) + 2, found, ALLOWED)

    def _contains(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        if path.count("/") > DEEPEST:
            return os.path.realpath(f"{self.folder}/{path}").startswith(self.roots)
        real, links = self._folders.get(parent) or self._folder(parent)
        if links is None or name in links or name in ("", "."):
            return os.path.realpath(f"{self.folder}/{path}").startswith(self.roots)
        return real.startswith(self.roots)

    def _folder(self, path: str) -> tuple[str, frozenset[str] | None]:
        """Real path of a folder, and the names of links in it; ``None`` if it cannot be listed."""
        parent, _, name = path.rpartition("/")
        if not path:
            real = self.folder
        else:
            above, links = self._folders.get(parent) or self._folder(parent)
            plain = links is not None and name not in links and name not in ("", ".")
            real = above + name if plain else os.path.realpath(f"{self.folder}/{path}")
        found: frozenset[str] | None = None
        try:
            with os.scandir(real) as entries:
                found = frozenset(entry.name for entry in entries if entry.is_symlink())
        except FileNotFoundError:
            found = frozenset()
        except OSError:
            pass  # checked one by one
        self._folders[path] = (real.rstrip("/") + "/", found)
        return self._folders[path]
