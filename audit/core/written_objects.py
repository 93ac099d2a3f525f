"""The files that the tool wrote into a folder at an address; as :mod:`audit.core.written_files`, without links.

The names in a folder are listed once and files are written several at a time, since every request takes a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from audit.core.errors import RunError
from audit.core.transfer import at_once, listing, put_bytes, read_bytes, remove


def refuse(home: Path, contents: Mapping[str, bytes | None], ours: Collection[str], *, older: bool) -> None:
    """Raise RunError if a file of another origin has a name that the tool must write.

    ``ours`` are the listed files. With ``older``, every file may be replaced. ``contents`` may be ``None``: a file of
    another origin is then refused whatever it has.
    """
    if older:
        return
    there = _there(home, contents)
    for name, data in contents.items():
        if name in there and name not in ours and (data is None or read_bytes(home / name) != data):
            raise RunError(
                f"{home / name} was not written by this tool and would be overwritten.",
                "a folder in which this name is free",
                f"Move {home / name} away, or choose another folder.",
            )


def write(home: Path, contents: Mapping[str, bytes], stale: Mapping[str, str]) -> None:
    """Write files, each whole or not at all, and remove stale ones that still have their sha256."""
    at_once(lambda name: put_bytes(contents[name], home / name), contents, home)

    def remove_one(name: str) -> None:
        if hashlib.sha256(read_bytes(home / name)).hexdigest() == stale[name]:
            remove(home / name)

    at_once(remove_one, sorted({*stale} & _there(home, stale)), home)


def _there(home: Path, names: Iterable[str]) -> set[str]:
    """The names of all files in the folders of these names."""
    folders = sorted({str(PurePosixPath(name).parent) for name in names})
    return {str(PurePosixPath(folder) / path.name) for folder in folders for path in listing(home / folder)}
