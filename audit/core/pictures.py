"""Reading and storing of pictures: bounded in size, upright, RGB, named by content digest."""

from __future__ import annotations

import errno
import hashlib
import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from audit.core.addresses import is_address
from audit.core.arrays import Picture
from audit.core.picture_depth import UnsupportedDepth, in_rgb
from audit.core.picture_formats import damage, formats, prepare
from audit.core.transfer import at_hand, outgoing, put
from audit.core.vocabulary import FileStatus

MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 1 << 28
MAX_SIDE = 1024
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
    """

    status: Literal["ok", "missing"] | FileStatus
    pixels: Picture | None
    detail: str = ""


def read_picture(path: Path) -> PictureFile:
    """Read a picture: upright, RGB with 8 bits, no side above 1,024 pixels.

    The size is checked before decoding: files above 256 MiB and more than 64 million pixels are refused, as
    are pipes and devices. Only the first of several frames is decoded. Higher bit depths are scaled, and transparent
    parts are shown on white (:mod:`audit.core.picture_depth`).
    """
    data = _bytes_of(path)
    if isinstance(data, PictureFile):
        return data
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
                upright, details = in_rgb(ImageOps.exif_transpose(image), image)
    except Image.DecompressionBombError as error:
        return PictureFile("unreadable", None, str(error))
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


def _bytes_of(path: Path) -> bytes | PictureFile:
    """The bytes of a file, or why there are none."""
    path = at_hand(path)
    try:
        place = path.stat()
        if not stat.S_ISREG(place.st_mode):
            return PictureFile("unreadable", None, "it is not a regular file")
        if place.st_size > MAX_FILE_BYTES:
            return PictureFile("unreadable", None, f"the file is above {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
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
    part = outgoing(path)
    Image.fromarray(pixels).save(part, "PNG", compress_level=1)
    put(part, path)
