"""The files that the tool wrote into a folder: only these are ever replaced or removed.

Each folder that the tool writes into holds a list, ``.audit-files.json``, of the names and sha256 digests of what it
wrote there. The list is not part of any digest, and equal files give an equal list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import TypeAdapter, ValidationError

from audit.core import written_objects
from audit.core.addresses import is_address, place
from audit.core.errors import RunError
from audit.core.files import TEMPORARY, is_private, make_folder, write_whole
from audit.core.opening import read_inside

LIST: Final = ".audit-files.json"
_MOST_BYTES: Final = 1 << 29
_RESULTS: Final = {
    "manifest.json": {"cohort", "model", "instrument"},
    "audit.json": {"schema_version", "run", "findings"},
    "comparison.json": {"schema_version", "runs", "checks"},
    "probe.json": {"schema_version", "model", "findings"},
    "training.json": {"seconds", "peak_memory_mib", "validation"},
}
"""Keys that identify results of earlier versions, which wrote no list."""


@dataclass(frozen=True)
class _Written:
    """The list of a folder: the sha256 of what was written, by name relative to it, with ``/`` on every system.

    ``older``: an earlier version without a list wrote to the folder. A file that the tool must write may then be
    replaced although the list lacks it; it is still never removed.
    """

    files: dict[str, str] = field(default_factory=dict)
    older: bool = False


_FORM: Final = TypeAdapter(_Written)


def refuse_foreign_files(home: Path, names: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Refuse a folder that is a link, or in which a file or link of another origin has a name that the tool must write.

    ``names`` and ``folders`` are the files, and the subfolders that will be written into, relative to ``home``.

    Raises
    ------
    RunError
        If a file in the way was not written by the tool, or the folder or a subfolder is a link or a file.
    """
    home = place(home)
    written = _read(home)
    if is_address(home):
        written_objects.refuse(home, dict.fromkeys(names), written.files, older=written.older)
    else:
        _refuse(home, dict.fromkeys(names), folders, written)


def write_files(
    home: Path, files: Mapping[str, str | bytes], *, instead_of: Collection[str] = (), durable: bool = False
) -> None:
    """Write files into a folder, each whole or not at all, and remove those of an earlier time that they replace.

    Nothing is written or removed if one of the files must not be replaced. A listed file among ``instead_of``, or
    directly in a subfolder among them, is removed if it is not written now and still has the bytes that the tool wrote.
    All names are relative to ``home``; text is written as UTF-8. With ``durable``, the files are on the disk when this
    returns. New folders have the permissions of ``home``, which is itself made with those that the user's mask allows.

    Raises
    ------
    RunError
        As :func:`refuse_foreign_files`.
    """
    home = place(home)
    contents = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
    written = _read(home)
    if is_address(home):
        written_objects.refuse(home, contents, written.files, older=written.older)
    else:
        _refuse(home, contents, [name for name in instead_of if (home / name).is_dir()], written)
    stale = {
        name: digest
        for name, digest in written.files.items()
        if name not in contents and ({name, str(PurePosixPath(name).parent)} & {*instead_of})
    }
    make_folder(home, shared=True)
    # the list comes first: a file that a crash left behind is then known as the tool's own
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    if (known := _Written(written.files | digests, written.older)) != written:
        _keep(home, known)
    if is_address(home):
        written_objects.write(home, contents, stale)
    else:
        _write(home, contents, stale, durable=durable)
    if stale:
        _keep(home, _Written({k: v for k, v in known.files.items() if k not in stale}, written.older))


def _write(home: Path, contents: Mapping[str, bytes], stale: Mapping[str, str], *, durable: bool) -> None:
    """Write files, and remove stale ones that still have their digest."""
    for name, data in contents.items():
        path = home / name
        make_folder(path.parent, shared=not is_private(home))
        write_whole(path, data, durable=durable)
    for name, digest in stale.items():
        path = home / name
        if not _is_below(name) or _is_linked(home, path.parent):  # the list may be a stranger's
            continue
        if _is_plain(path) and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()


def listed(home: Path) -> list[str]:
    """The names, relative to ``home``, of what the tool wrote into a folder."""
    return sorted(_read(home).files)


def remove_temporary_files(home: Path, folders: Iterable[str]) -> None:
    """Remove what a killed process left half-written in a folder, in ``folders`` and next to listed files."""
    if is_address(home):
        return  # what is written there is whole
    for folder in (home, *(home / name for name in _folders_of(_read(home).files, folders))):
        if folder.is_dir() and not _is_linked(home, folder):
            for path in sorted(folder.iterdir()):
                if TEMPORARY.fullmatch(path.name) and _is_plain(path):
                    path.unlink(missing_ok=True)


def _refuse(home: Path, contents: Mapping[str, bytes | None], folders: Iterable[str], written: _Written) -> None:
    for folder in (home, *(home / name for name in _folders_of(contents, folders))):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            what = "a link" if folder.is_symlink() else "not a directory"
            raise RunError(
                f"{folder} is {what}, and files would be written into it.",
                "a directory, or a name that is free",
                f"Move {folder} away, or choose another folder.",
            )
    for name, data in contents.items():
        path = home / name
        if not path.is_symlink() and (
            not path.exists() or (path.is_file() and (written.older or name in written.files))
        ):
            continue
        if _is_plain(path) and data is not None and path.read_bytes() == data:
            continue
        raise RunError(
            f"{path} was not written by this tool and would be overwritten.",
            "a folder in which this name is free",
            f"Move {path} away, or choose another folder.",
        )


def _folders_of(names: Iterable[str], folders: Iterable[str]) -> list[str]:
    """The subfolders of files and further ones, those above them included; none outside, whatever a list names."""
    found = {PurePosixPath(name) for name in folders} | {PurePosixPath(name).parent for name in names}
    found |= {above for folder in found for above in folder.parents}
    return sorted(str(one) for one in found if one.parts and _is_below(one))


def _is_below(name: str | PurePosixPath) -> bool:
    """Whether a relative name stays in its folder."""
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def _is_linked(home: Path, folder: Path) -> bool:
    """Whether a folder is a link, or one between it and ``home`` is."""
    return any(each.is_symlink() for each in (folder, *folder.parents) if each != home and home in each.parents)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read(home: Path) -> _Written:
    path = home / LIST
    if not path.is_symlink() and not path.exists():
        return _Written(older=any(_is_result(home / name, keys) for name, keys in _RESULTS.items()))
    try:
        return _FORM.validate_json(read_inside(home, LIST, _MOST_BYTES), strict=True)
    except (OSError, ValidationError, ValueError) as error:
        raise RunError(
            f"{path} is not a list of written files: {' '.join(str(error).split())[:200]}.",
            "the list as it was written",
            "Restore it, or delete it: the files of a run or audit in that folder are then still replaced.",
        ) from error


def _is_result(path: Path, keys: set[str]) -> bool:
    """Whether a file is a result of this tool, by its keys."""
    if not _is_plain(path):
        return False
    try:
        document = json.loads(read_inside(path.parent, path.name, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.keys() >= keys


def _keep(home: Path, written: _Written) -> None:
    document = {"older": written.older, "files": dict(sorted(written.files.items()))}
    write_whole(home / LIST, json.dumps(document, indent=1) + "\n", durable=True)
