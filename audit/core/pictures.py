"""Reading and storing of pictures: bounded in size, upright, RGB, named by content digest."""

from __future__ import annotations

import errno
import hashlib
import io
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from PIL import Image, ImageOps

from audit.core.addresses import is_address
from audit.core.arrays import Picture
from audit.core.files import replacing
from audit.core.memory import DECODING, NeedsMemory
from audit.core.opening import UnsafeFile, read_regular
from audit.core.picture_depth import UnsupportedDepth, in_rgb
from audit.core.picture_formats import damage, formats, prepare
from audit.core.transfer import at_hand
from audit.core.vocabulary import FileStatus

Found = TypeVar("Found")
MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 1 << 28
MAX_SIDE = 1024
SPARE_BYTES = 24 << 20
"""Memory that is reserved for decoding before the header is read; enough for two million opaque pixels."""
BLANK_RANGE = 8
"""A picture is blank if its pixels differ by at most this (of 255) in every channel."""


@dataclass(frozen=True)
class PictureFile:
    """A picture as read from a file.

    Attributes
    ----------
    status : str
        ``ok``; ``missing`` for a blank placeholder; else one of :data:`audit.core.vocabulary.FILE_STATUSES`, why the
        file cannot be read.
    pixels : ndarray or None
        Shape [H, W, 3], uint8, RGB, upright; ``None`` unless the status is ``ok``.
    detail : str
        The error, or the conversions made; without paths.
    sha256 : str
        Digest of the file's bytes; empty if they were not read.
    """

    status: Literal["ok", "missing"] | FileStatus
    pixels: Picture | None
    detail: str = ""
    sha256: str = ""


def read_picture(path: Path) -> PictureFile:
    """Read a picture: upright, RGB with 8 bits, no side above 1,024 pixels.

    The size is checked before decoding: files above 256 MiB and more than 64 million pixels are refused, as
    are pipes and devices. Only the first of several frames is decoded. Higher bit depths are scaled, and transparent
    parts are shown on white (:mod:`audit.core.picture_depth`). Threads wait for each other if their pictures would
    together take more memory than :data:`audit.core.memory.DECODER_BYTES`.
    """
    path = at_hand(path)
    size, spare = _size_of(path), SPARE_BYTES
    if isinstance(size, PictureFile):
        return size
    try:
        with DECODING.reserved(size + spare):
            return _read(path, spare)
    except NeedsMemory as more:
        spare = more.n_bytes
    except MemoryError:
        spare = DECODING.n_bytes
    try:
        with DECODING.reserved(size + spare):
            return _read(path, None)
    except MemoryError:
        return PictureFile("unreadable", None, "decoding it takes more memory than this machine has")


def _read(path: Path, spare: int | None) -> PictureFile:
    """The picture of a file; raises NeedsMemory if decoding takes more than ``spare`` bytes."""
    data = _bytes_of(path)
    if isinstance(data, PictureFile):
        return data
    return replace(_decoded(data, spare), sha256=hashlib.sha256(data).hexdigest())


def _decoded(data: bytes, spare: int | None) -> PictureFile:
    """The picture in these bytes, or why there is none; as :func:`_read`."""
    prepare(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is checked below, and damage
            with Image.open(io.BytesIO(data), formats=formats()) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    return PictureFile(
                        "unreadable", None, f"{width} x {height} pixels, at most {MAX_PIXELS:,} are read"
                    )
                image.draft("RGB", (MAX_SIDE, MAX_SIDE))
                needed = image.width * image.height * _bytes_a_pixel(image)
                if spare is not None and needed > spare:
                    raise NeedsMemory(needed)
                upright, details = in_rgb(ImageOps.exif_transpose(image), image)
    except Image.DecompressionBombError as error:
        return PictureFile("unreadable", None, str(error))
    except (NeedsMemory, MemoryError):
        raise
    except UnsupportedDepth as error:
        return PictureFile("file_unsupported", None, str(error))
    except Exception:  # noqa: BLE001  # for damaged data decoders may raise anything
        status, why = damage(data)
        return PictureFile(status, None, why)
    if max(width, height) > MAX_SIDE:
        upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        details.append(f"scaled from {width} x {height} pixels")
    pixels = np.asarray(upright)
    if is_blank(pixels):
        return PictureFile("missing", None, "a blank placeholder: all pixels are equal")
    return PictureFile("ok", pixels, "; ".join(details))


def _bytes_a_pixel(image: Image.Image) -> int:
    """Memory for each pixel while it is decoded, turned, converted and scaled, at most; measured with Pillow 12."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return 40
    return 20 if image.has_transparency_data else 12


def _size_of(path: Path) -> int | PictureFile:
    """The size of a file, or why it is not opened."""

    def checked() -> int:
        place = path.stat()
        if not stat.S_ISREG(place.st_mode):
            raise UnsafeFile(errno.EINVAL, "it is not a regular file")
        if place.st_size > MAX_FILE_BYTES:
            raise UnsafeFile(errno.EINVAL, f"the file is above {MAX_FILE_BYTES >> 20} MiB")
        return place.st_size

    return _tried(checked)


def _bytes_of(path: Path) -> bytes | PictureFile:
    """The bytes of a file, or why there are none."""
    return _tried(lambda: read_regular(path, MAX_FILE_BYTES))


def _tried(read: Callable[[], Found]) -> Found | PictureFile:
    """What was read of a file, or why it could not be."""
    try:
        return read()
    except UnsafeFile as error:
        return PictureFile("unreadable", None, str(error))
    except ValueError as error:
        return PictureFile("file_missing", None, f"not a path: {error}")
    except (FileNotFoundError, NotADirectoryError) as error:
        return PictureFile("file_missing", None, f"{type(error).__name__}: {error.strerror}")
    except OSError as error:
        absent = error.errno in (errno.ENAMETOOLONG, errno.ELOOP)
        return PictureFile(
            "file_missing" if absent else "unreadable", None, f"{type(error).__name__}: {error.strerror}"
        )


def is_blank(pixels: Picture) -> bool:
    """Whether the pixels of a picture differ by at most :data:`BLANK_RANGE` in every channel.

    Examples
    --------
    >>> is_blank(np.full((8, 8, 3), 255, np.uint8))
    True
    """
    ranges = pixels.max(axis=(0, 1)).astype(int) - pixels.min(axis=(0, 1))
    return bool((ranges <= BLANK_RANGE).all())


def picture_digest(pixels: Picture) -> str:
    """The name of a picture: the first 32 hex digits of the sha256 of its shape and pixels."""
    head = f"{pixels.shape}:".encode()
    return hashlib.sha256(head + np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]


def keep_picture(pixels: Picture, folder: Path, digest: str) -> None:
    """Write a picture as ``<digest>.png`` atomically, unless it exists."""
    path = folder / f"{digest}.png"
    if not is_address(path) and path.exists():  # at an address, asking takes as long as writing
        return
    with replacing(path) as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
