"""Style and script of a page as files, for servers whose Content-Security-Policy forbids inline ones."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Final

from audit.core.errors import AuditError
from audit.core.written_files import listed

DIGITS: Final = 12
"""Hex digits of the digest in a file's name."""
_FOLDER: Final = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)


def asset_folder(name: str) -> str:
    """The name of a folder for assets, relative to the page's folder.

    Raises
    ------
    AuditError
        If the name leaves the page's folder, or has characters that a web address would need to escape.

    Examples
    --------
    >>> asset_folder("static/audit/")
    'static/audit'
    """
    folder = name.rstrip("/")
    if not _FOLDER.fullmatch(folder):
        raise AuditError(
            f"{name!r} cannot be the folder of style and script.",
            "a folder within that of the page, relative to it, of letters, digits, '.', '-' and '_'",
            "Choose a name such as assets.",
        )
    return folder


def asset_name(folder: str, stem: str, text: str, suffix: str) -> str:
    """The name of an asset, with a digest of its content, so that browsers never use an old copy.

    Examples
    --------
    >>> asset_name("assets", "report", "p { color: red }", "css")
    'assets/report-9e07b08613fb.css'
    """
    return f"{folder}/{stem}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}.{suffix}"


def earlier_assets(home: Path, stem: str) -> list[str]:
    """The assets that were written for a page before, by their names in its folder."""
    asset = re.compile(rf"{re.escape(stem)}-[0-9a-f]{{{DIGITS}}}\.(css|js)")
    return [name for name in listed(home) if asset.fullmatch(PurePosixPath(name).name)]
