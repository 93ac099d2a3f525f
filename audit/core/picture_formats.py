"""Formats of picture files: which are decoded here, which are recognised, and whether a file is whole."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from typing import Final

from PIL import features

from audit.core.files import GIT_LFS_POINTER
from audit.core.vocabulary import FileStatus

ALWAYS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""Formats that Pillow decodes by itself; others start a program (EPS) or rarely show faces."""
BUILT_IN: Final = {"AVIF": "avif", "JPEG2000": "jpg_2000"}
"""Formats that are decoded where Pillow was built with the feature, as its wheels are."""
HEIF: Final = "pillow_heif"
"""The package that decodes HEIC, which is not among the dependencies."""

_HEIF_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_SIGNATURES: Final = {
    b"%!PS": "EPS", b"%PDF": "PDF", b"8BPS": "PSD", b"<svg": "SVG", b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"\x00\x00\x01\x00": "ICO",
}  # fmt: skip
"""The first bytes of formats that are recognised, but not decoded."""


@cache
def formats() -> tuple[str, ...]:
    """The formats that can be decoded here, by Pillow's names."""
    found = [*ALWAYS, *(name for name, feature in BUILT_IN.items() if features.check(feature))]
    return (*found, "HEIF") if find_spec(HEIF) else tuple(found)


def prepare(data: bytes) -> None:
    """Load the decoder that a file needs and that Pillow does not have by itself, if it is installed."""
    if _format(data) == "HEIC" and find_spec(HEIF):
        importlib.import_module(HEIF).register_heif_opener()


def damage(data: bytes) -> tuple[FileStatus, str]:
    """What is wrong with the bytes of a file that cannot be decoded, and a message for people.

    The message does not depend on the place of the file.

    Examples
    --------
    >>> damage(b"")[0], damage(b"version https://git-lfs.github.com/spec/v1 ...")[0], damage(b"a text")[0]
    ('file_empty', 'file_pointer', 'unreadable')
    """
    if not data:
        return "file_empty", "the file is empty: it has 0 bytes"
    if data.startswith(GIT_LFS_POINTER):
        return "file_pointer", "a git-lfs pointer, not the picture itself; get the pictures with: git lfs pull"
    if name := _format(data):
        install = ", or install the package pillow-heif" if name == "HEIC" else ""
        return "file_unsupported", f"{name} is not supported; use one of {', '.join(formats())}{install}"
    if _cut_off(data):
        return "file_truncated", "no picture that can be decoded: the end of the file is missing"
    return "unreadable", f"no picture that can be decoded; supported formats are {', '.join(formats())}"


def _format(data: bytes) -> str:
    """The name of a format that Pillow does not decode by itself; empty for any other."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        avif = brand in (b"avif", b"avis")
        return "HEIC" if brand in _HEIF_BRANDS else "AVIF" if avif and "AVIF" not in formats() else ""
    return next((name for start, name in _SIGNATURES.items() if data.startswith(start)), "")


def _cut_off(data: bytes) -> bool:
    """Whether the file ends before the end that its format marks."""
    if data.startswith(b"\xff\xd8"):  # in a JPEG, the marker of the end follows that of the pixels
        return data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda")
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    if data.startswith(b"GIF8"):
        return not data.rstrip(b"\0").endswith(b";")
    if data.startswith(b"RIFF"):
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if data.startswith(b"BM"):
        return int.from_bytes(data[2:6], "little") > len(data)
    if data[4:8] in (b"ftyp", b"jP  "):
        return _ends_within_a_box(data)
    return False


def _ends_within_a_box(data: bytes) -> bool:
    """Whether the last box of an ISO base media or JPEG 2000 file ends after the file's end."""
    place = 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        if size == 0:  # up to the end of the file, which JPEG 2000 marks like JPEG
            return data[4:8] == b"jP  " and not data.rstrip(b"\0").endswith(b"\xff\xd9")
        if size < 8:
            return False
        place += size
    return place != len(data)
