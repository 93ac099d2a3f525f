"""Audio formats: their file endings, the decoder of each, and files that are not audio at all."""

from __future__ import annotations

import importlib.util
import mmap
from dataclasses import dataclass
from typing import Final, TypeAlias

from audit.core.files import GIT_LFS_POINTER

Buffer: TypeAlias = bytes | mmap.mmap
"""The bytes of a file, in memory or mapped."""
INSTALL: Final = "pip install 'speech2face-audit[formats]'"
"""Installs PyAV, which decodes what libsndfile does not."""
LIBSNDFILE_SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".au", ".caf", ".sph"}
)
PYAV_SUFFIXES: Final = frozenset(
    {".m4a", ".mp4", ".mov", ".3gp", ".3g2", ".webm", ".mka", ".mkv", ".aac", ".amr", ".wma"}
)
AUDIO_SUFFIXES: Final = LIBSNDFILE_SUFFIXES | PYAV_SUFFIXES
"""File endings of the formats that can be decoded, in lower case; the format itself is recognised by content."""
SUPPORTED: Final = (
    "WAV, AIFF, AU, CAF, FLAC, MP3, NIST SPHERE (without shorten) and Ogg (Vorbis, Opus); with PyAV also M4A, MP4, "
    "MOV, 3GP, WebM, MKV, AAC, AMR, WMA"
)
_TEXT_BYTES: Final = 1024


@dataclass(frozen=True)
class Container:
    """A format that PyAV decodes: its name, and FFmpeg's demuxer.

    The demuxer is always named, since FFmpeg's own detection includes formats that open further files.
    """

    name: str
    demuxer: str


_MP4: Final = Container("MP4 (m4a, mp4, mov, 3gp)", "mp4")
_AAC: Final = Container("AAC", "aac")
_FIRST_BYTES: Final = (
    (b"\x1a\x45\xdf\xa3", Container("WebM or MKV", "matroska")),
    (b"#!AMR", Container("AMR", "amr")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("WMA", "asf")),
)
_ALSO_LIBSNDFILE: Final = (
    (b"RIFF", Container("WAV", "wav")),
    (b"FORM", Container("AIFF", "aiff")),
    (b"fLaC", Container("FLAC", "flac")),
    (b"OggS", Container("Ogg", "ogg")),
    (b"caff", Container("CAF", "caf")),
    (b"ID3", Container("MP3", "mp3")),
)


def is_pyav_installed() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def pyav_container(data: Buffer) -> Container | None:
    r"""The format by the first bytes of a file, if only PyAV decodes it.

    Examples
    --------
    >>> pyav_container(bytes(3) + b"\x20ftypM4A ").demuxer, pyav_container(b"RIFF....WAVE")
    ('mp4', None)
    """
    if data[4:8] in (b"ftyp", b"moov"):
        return _MP4
    for first, container in _FIRST_BYTES:
        if data[: len(first)] == first:
            return container
    start = after_id3(data)
    is_adts = len(data) > start + 1 and data[start] == 0xFF and data[start + 1] & 0xF6 == 0xF0
    return _AAC if is_adts else None


def second_decoder(data: Buffer) -> Container | None:
    """The format of a file that libsndfile knows, for a second try by PyAV; ``None`` if it is not recognised."""
    return next((container for first, container in _ALSO_LIBSNDFILE if data[: len(first)] == first), None)


def after_id3(data: Buffer) -> int:
    r"""The position after the ID3v2 tags at the start of a file; 0 if there are none.

    Examples
    --------
    >>> after_id3(b"ID3\x04\0\0\0\0\0\x05....." + b"\xff\xfb"), after_id3(b"RIFF")
    (15, 0)
    """
    start = 0
    while data[start : start + 3] == b"ID3" and len(data) >= start + 10:
        size = 0
        for byte in data[start + 6 : start + 10]:
            size = size << 7 | byte & 0x7F
        start += 10 + size
    return start


def placeholder(data: bytes) -> str:
    """What a file is that was put in place of the real one, and what to do; empty if it is none of these.

    Examples
    --------
    >>> placeholder(b"version https://git-lfs.github.com/spec/v1 ...")
    'a git-lfs pointer, not the file itself: run git lfs pull in its repository'
    >>> placeholder(b"RIFF....WAVE")
    ''
    """
    if not data:
        return "an empty file (0 bytes): copy or download it again"
    start = data[:_TEXT_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(GIT_LFS_POINTER):
        return "a git-lfs pointer, not the file itself: run git lfs pull in its repository"
    if start.startswith((b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")):
        return "a git-annex pointer, not the file itself: run git annex get in its repository"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page or XML, not the file itself: download it again"
    if not data[:_TEXT_BYTES].strip(b"\0") and not data.strip(b"\0"):
        return "a file of zero bytes only, which was never written: copy or download it again"
    return ""
