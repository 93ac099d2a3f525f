"""Scan of a download for files, without opening them.

VoxCeleb2 has 1.1 million files: each folder is listed once, sorted by name, and no file size is read. Everything that
is skipped is counted.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.cohorts.importing.adapter import counted
from audit.core.audio_formats import AUDIO_SUFFIXES
from audit.core.errors import CohortError

PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
DEEPEST = 24
"""Maximum depth of folders."""
NAMED: Final = 8
"""Number of extensions and folders that a remark names; further ones are counted."""


@dataclass
class Scan:
    """Files with the given suffixes below a folder, and counts of what was skipped.

    ``files`` are paths relative to ``root``, by folder and sorted by name.
    """

    root: str
    suffixes: Collection[str]
    files: list[str] = field(default_factory=list)
    leading_out: int = 0
    """Number of links to a place outside the root, and of circular links; they are not followed."""
    unnamed: int = 0
    """Number of names that are not UTF-8 or have control characters."""
    unreadable: int = 0
    """Number of folders that cannot be listed or are nested too deeply."""
    hidden: int = 0
    """Number of files and folders whose name begins with a dot."""
    others: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of files with another suffix, by the first folder of their path (empty: none) and suffix."""

    def remarks(self, known: Collection[str] = ()) -> tuple[str, ...]:
        """Remarks on what was skipped; ``known`` are suffixes of files that the adapter reads otherwise."""
        out, ill, deep = self.leading_out, self.unnamed, self.unreadable
        others = Counter({key: n for key, n in self.others.items() if key[1] not in known})
        used = {path.partition("/")[0] for path in self.files} if others else set()
        unused = sorted({folder for folder, _ in others if folder} - used)
        taken = ", ".join(sorted(self.suffixes))
        return counted(
            (
                len(others),
                f"{others.total()} files have other extensions than the ones read and were left out: {kinds(others)}. "
                f"Read are {taken}.",
            ),
            (len(unused), f"{len(unused)} folders have no file with an extension that is read: {named(unused)}."),
            (self.hidden, f"{self.hidden} hidden files or folders (their name begins with a dot) were left out."),
            (out, f"{out} links lead outside the download (or are circular) and were not followed."),
            (ill, f"{ill} files or folders have names that are not UTF-8 text and were left out."),
            (deep, f"{deep} folders cannot be read, or are nested too deeply, and were left out."),
        )

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
                elif name.startswith("."):
                    self.hidden += 1
                else:
                    self._walk(entry.path, f"{prefix}{name}/", depth + 1)
            elif name.startswith("."):
                self.hidden += 1
            elif (suffix := suffix_of(name)) in self.suffixes:
                self.files.append(prefix + name)
            else:
                self.others[prefix.partition("/")[0], suffix] += 1

    def _stays(self, link: str) -> bool:
        """Whether the link's target is in the root and not a parent of the link."""
        target, place = os.path.realpath(link), os.path.realpath(Path(link).parent)
        return target.startswith(self.root.rstrip(os.sep) + os.sep) and not f"{place}/".startswith(f"{target}/")


def scan(root: Path, suffixes: Collection[str] = AUDIO_SUFFIXES, below: str = "") -> Scan:
    """Scan a download, or one of its folders, for files with the given suffixes."""
    found = Scan(os.path.realpath(root), suffixes)
    found.walk(below)
    return found


def kinds(others: Mapping[tuple[str, str], int]) -> str:
    """Numbers of files by suffix, the most common first; keys are as in :attr:`Scan.others`.

    Examples
    --------
    >>> kinds({("a", ".mp4"): 1, ("b", ".mp4"): 1, ("a", ""): 1})
    '2 .mp4, 1 without an extension'
    """
    by_suffix: Counter[str] = Counter()
    for (_, suffix), n in others.items():
        by_suffix[suffix] += n
    common = sorted(by_suffix.items(), key=lambda item: (-item[1], item[0]))
    return named([f"{n} {suffix or 'without an extension'}" for suffix, n in common])


def named(names: list[str]) -> str:
    """The first names of a list, and the number of the others.

    Examples
    --------
    >>> named(["a", "b"]), named([str(i) for i in range(10)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7 and 2 others')
    """
    more = f" and {len(names) - NAMED} others" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def suffix_of(name: str) -> str:
    """Suffix of a file name in lower case, with its dot; empty if there is none.

    Examples
    --------
    >>> suffix_of("00001.WAV"), suffix_of("-abc_1.5-3"), suffix_of("x")
    ('.wav', '.5-3', '')
    """
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


@dataclass(frozen=True)
class Layout:
    """Clips at a fixed depth below a top folder, and remarks on what was skipped."""

    paths: list[str]
    """Relative to the download's root."""
    parts: list[tuple[str, ...]]
    """Folders below the top, and the file name without its suffix, of each clip."""
    remarks: tuple[str, ...]


def clips_in_layout(
    root: Path,
    tops: tuple[str, ...],
    folders: int,
    layout: str,
    *,
    speaker: str = "",
    beside: Collection[str] = (),
) -> Layout:
    """Find clips ``top/.../name`` at a fixed depth; a top is the root, in it, or one folder below it.

    A clip that occurs under two tops (e.g. as AAC and as WAV) is used once, from the first.

    Parameters
    ----------
    root : Path
        The download.
    tops : tuple of str
        Names of the top folder in order of preference.
    folders : int
        Number of folders between top and file.
    layout : str
        Description of the layout in error messages.
    speaker : str
        Pattern of the names of speakers' folders. Without a top folder, the root and its folders that have such
        a folder serve as tops.
    beside : collection of str
        Folders of the root that have no clips and that the adapter reads otherwise.
    """
    found = Scan(os.path.realpath(root), AUDIO_SUFFIXES)
    places, unread = _places(root, tops, speaker, beside)
    taken: dict[tuple[str, ...], str] = {}
    again = elsewhere = 0
    for place in places:
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
    remarks = counted(
        (again, f"{again} clips occur more than once (in another format or folder) and were used once."),
        (elsewhere, f"{elsewhere} files do not match the layout {layout} and were left out."),
        (len(unread), f"{len(unread)} folders of the download are not part of the layout: {named(unread)}."),
    )
    remarks = (*remarks, *found.remarks())
    if not taken:
        links = ["Links to other places are not followed."] if found.leading_out else []
        no_clip = f"{root} has no clip in the layout {layout}."
        raise CohortError([" ".join([no_clip, *links, *remarks])], layout, "See the data card.")
    return Layout(list(taken.values()), list(taken), remarks)


def _places(root: Path, tops: tuple[str, ...], speaker: str, beside: Collection[str]) -> tuple[list[str], list[str]]:
    """Top folders of a download, and its other folders."""
    inside = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
    places = ["" if root.resolve().name == top else top for top in tops if top in inside or root.resolve().name == top]
    places += [f"{name}/{top}" for top in tops for name in inside if (root / name / top).is_dir()]
    if not places and speaker:
        places = [place for place in ("", *inside) if _has_folder(root / place, speaker)]
    read = {place.partition("/")[0] for place in places} | {*beside}
    return list(dict.fromkeys(places)), [] if "" in places else [name for name in inside if name not in read]


def _has_folder(place: Path, pattern: str) -> bool:
    try:
        with os.scandir(place) as entries:
            return any(re.fullmatch(pattern, entry.name) and entry.is_dir() for entry in entries)
    except OSError:
        return False


def _can_be_written(name: str) -> bool:
    if name.isascii():
        return name.isprintable()
    return all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in name)
