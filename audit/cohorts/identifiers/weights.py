"""The packages and weights of language identifiers: a folder on disk, or a download where it is allowed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from audit.core.errors import ModelError
from audit.core.files import file_digest


def weights_folder(
    name: str, where: str, needed: Sequence[str], fetch: Callable[[str], str], default: str, *, allow_download: bool
) -> Path:
    """The folder ``where`` with files like ``needed`` or, where that is allowed, the one that ``fetch`` downloads.

    Raises ModelError if there is no folder, it lacks a file, or the download failed.
    """
    allowed, folder = f"{name}=FOLDER, a folder with {', '.join(needed)}", Path(where)
    if where and folder.is_dir():
        if missing := [file for file in needed if not any(folder.glob(file))]:
            raise ModelError(f"{folder} lacks {', '.join(missing)}.", allowed)
        return folder
    if not allow_download:
        found = f"{where} is not a directory" if where else f"The language identifier {name} needs weights"
        next_step = f"Download {default} by hand, or pass --allow-download."
        raise ModelError(f"{found}; nothing is downloaded.", allowed, next_step)
    try:
        return Path(fetch(where or default))
    except Exception as error:  # the client of the hub raises errors of several libraries
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{where or default} cannot be downloaded for {name}: {reason}.", allowed) from error


def imported(module: str) -> ModuleType:
    """A module of the extra ``lid``; raises ModelError if it is not installed or cannot be loaded."""
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise ModelError(
            f"{module} cannot be imported: {error}.",
            "the packages of the extra lid, with a torchaudio that is built for the installed torch",
            "pip install 'speech2face-audit[lid]'",
        ) from error


def described(package: str, folder: Path, files: Sequence[str]) -> dict[str, str]:
    """The version of the package and the sha256 of each file."""
    return {"version": f"{package} {version(package)}"} | {
        f"{file} sha256": file_digest(folder / file) for file in files
    }
