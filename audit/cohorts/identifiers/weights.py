"""The weights of language identifiers: a folder on disk, or a download where it is allowed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from audit.core.errors import ModelError
from audit.core.files import file_digest


def weights_folder(
    name: str, where: str, needed: Sequence[str], *, allow_download: bool, default: str, fetch: Callable[[str], str]
) -> Path:
    """The folder of an identifier's weights.

    Parameters
    ----------
    name : str
        The identifier.
    where : str
        A folder, or with ``allow_download`` the name of a model to download; empty for ``default``.
    needed : sequence of str
        The names of the files; alternatives are separated by ``|``.
    allow_download : bool
        Whether the network may be used. The variable ``HF_HUB_OFFLINE`` forbids it all the same.
    default : str
        The model to download if none is named.
    fetch : callable
        Downloads a model and returns its folder.

    Raises
    ------
    ModelError
        If there is no folder, it lacks a file, or the download failed.
    """
    files = ", ".join(file.replace("|", " or ") for file in needed)
    folder = Path(where)
    if where and folder.is_dir():
        missing = [file for file in needed if not any((folder / each).is_file() for each in file.split("|"))]
        if missing:
            lacking = ", ".join(file.replace("|", " or ") for file in missing)
            raise ModelError(f"{folder} lacks {lacking}.", f"a folder with {files}")
        return folder
    if not allow_download:
        found = f"{where} is not a directory" if where else f"The language identifier {name} needs weights"
        raise ModelError(
            f"{found}; nothing is downloaded.",
            f"{name}=FOLDER, a folder with {files}",
            f"Download {default} by hand, or pass --allow-download.",
        )
    try:
        return Path(fetch(where or default))
    except Exception as error:  # the client of the hub raises errors of several libraries
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"The weights {where or default} of {name} cannot be downloaded: {reason}.", f"a folder with {files}"
        ) from error


def imported(module: str, name: str) -> ModuleType:
    """A module of the extra ``lid``.

    Raises
    ------
    ModelError
        If it is not installed, or one of its libraries cannot be loaded.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise ModelError(
            f"The language identifier {name} cannot import {module}: {error}.",
            "the packages of the extra lid, with a torchaudio that is built for the installed torch",
            "pip install 'speech2face-audit[lid]'",
        ) from error


def described(package: str, folder: Path, files: Sequence[str]) -> dict[str, str]:
    """The version of the package and the sha256 of each file."""
    return {"version": f"{package} {version(package)}"} | {
        f"{file} sha256": file_digest(folder / file) for file in files
    }
