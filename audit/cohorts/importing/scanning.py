"""Looking through a download: which files lie where, without opening one of them.

VoxCeleb2 has 1.1 million files: a folder is listed once, in the order of names, and no file is asked for its size.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.core.errors import CohortError

AUDIO_SUFFIXES: Final = frozenset({".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus"})
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
DEEPEST = 24
"""No layout has so many folders in each other."""


@dataclass
class Scan:
    """Files of the wanted kinds below a folder, and how much could not be looked at.

    Attributes
    ----------
    files : list of str
        Paths relative to ``root``, folder by folder in the order of names.
    leading_out : int
        Links that lead out of the root, or round in a circle; they are not followed.
    unnamed : int
        Names that no table can hold: not UTF-8, or with control characters.
    unreadable : int
        Folders that may not be listed, or lie too deep.
    """

    root: str
    suffixes: Collection[str]
    files: list[str] = field(default_factory=list)
    leading_out: int = 0
    unnamed: int = 0
    unreadable: int = 0

    def remarks(self) -> Iterator[str]:
        """A sentence for each kind of thing that was passed over."""
        if self.leading_out:
            yield f"{self.leading_out} links lead out of the download (or in a circle) and were not followed."
        if self.unnamed:
            yield f"{self.unnamed} files or folders have names that are not UTF-8 text and were left out."
        if self.unreadable:
            yield f"{self.unreadable} folders may not be read, or lie too deep, and were left out."

    def walk(self, below: str) -> None:
        """Add the files below a folder of the root; ``""`` is the root itself."""
        self._walk(f"{self.root}/{below}" if below else self.root, f"{below}/" if below else "", 0)

    def _walk(self, folder: str, prefix: str, depth: int) -> None:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            self.unreadable += 1
            return
        for entry in entries:
            name = entry.name
            if not _can_be_written(name):
                self.unnamed += 1
            elif entry.is_symlink() and not self._stays(entry.path):
                self.leading_out += 1
            elif entry.is_dir():
                if depth == DEEPEST:
                    self.unreadable += 1
                elif not name.startswith("."):
                    self._walk(entry.path, f"{prefix}{name}/", depth + 1)
            elif not name.startswith(".") and suffix_of(name) in self.suffixes:
                self.files.append(prefix + name)

    def _stays(self, link: str) -> bool:
        """Whether a link leads to something in the root that is none of the folders around the link."""
        target, place = os.path.realpath(link), os.path.realpath(Path(link).parent)
        return target.startswith(self.root.rstrip(os.sep) + os.sep) and not f"{place}/".startswith(f"{target}/")


def scan(root: Path, suffixes: Collection[str] = AUDIO_SUFFIXES, below: str = "") -> Scan:
    """Files of some kinds in a download, or in one folder of it."""
    found = Scan(os.path.realpath(root), suffixes)
    found.walk(below)
    return found


def suffix_of(name: str) -> str:
    """A file name's ending in small letters, with its dot; empty where there is none.

    Examples
    --------
    >>> suffix_of("00001.WAV"), suffix_of("-abc_1.5-3"), suffix_of("x")
    ('.wav', '.5-3', '')
    """
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


@dataclass(frozen=True)
class Layout:
    """Clips that lie a set number of folders below a top folder.

    Attributes
    ----------
    paths : list of str
        Relative to the download's root.
    parts : list of tuple of str
        Of each, the folders below the top and the file's name without its ending.
    remarks : tuple of str
        What was passed over, with counts.
    """

    paths: list[str]
    parts: list[tuple[str, ...]]
    remarks: tuple[str, ...]


def laid_out(root: Path, tops: tuple[str, ...], folders: int, layout: str) -> Layout:
    """The clips ``top/.../name`` with so many folders between; a top lies in the root or one folder below it.

    A clip that is there under two tops (as AAC and as WAV, say) is taken once, from the first.

    Parameters
    ----------
    root : Path
        The download, or a top folder itself.
    tops : tuple of str
        Names of the top folder, the first preferred.
    folders : int
        How many folders are between top and file.
    layout : str
        The layout in words, for the error.

    Raises
    ------
    CohortError
        If there is no clip in that layout.
    """
    found = Scan(os.path.realpath(root), AUDIO_SUFFIXES)
    inside = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
    places = ["" if root.resolve().name == top else top for top in tops if top in inside or root.resolve().name == top]
    places += [f"{name}/{top}" for top in tops for name in inside if (root / name / top).is_dir()]
    taken: dict[tuple[str, ...], str] = {}
    again = elsewhere = 0
    for place in dict.fromkeys(places):
        if not Path(root / place).resolve().is_relative_to(found.root):
            found.leading_out += 1
            continue
        before = len(found.files)
        found.walk(place)
        depth = place.count("/") + 1 if place else 0
        for path in found.files[before:]:
            names = path.split("/")[depth:]
            if len(names) != folders + 1:
                elsewhere += 1
                continue
            key = (*names[:-1], names[-1][: names[-1].rfind(".")])
            if taken.setdefault(key, path) != path:
                again += 1
    if not taken:
        links = " Links that lead out of it are not followed." if found.leading_out else ""
        raise CohortError([f"{root} holds no clip in the layout {layout}.{links}"], layout, "See the data card.")
    remarks = [
        f"{again} clips are there more than once (in another format or folder) and were taken once." if again else "",
        f"{elsewhere} files lie outside the layout {layout} and were left out." if elsewhere else "",
        *found.remarks(),
    ]
    return Layout(list(taken.values()), list(taken), tuple(filter(None, remarks)))


def _can_be_written(name: str) -> bool:
    if name.isascii():
        return name.isprintable()
    return all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in name)
