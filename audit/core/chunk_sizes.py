"""Sizes in the headers of WAV, AIFF and AU files, which are wrong if the recorder was killed or wrote to a pipe."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from audit.core.audio_formats import Buffer

_DATA: Final = {b"RIFF": (b"data", "<I"), b"FORM": (b"SSND", ">I")}
_AU: Final = b".snd"
_AU_UNKNOWN: Final = 0xFFFFFFFF
_LEAST: Final = 1024
"""Fewer bytes after the stated end are not taken for sound."""
_LOOKED_AT: Final = 1 << 20
_LARGEST: Final = 0xFFFFFFFF - 64


@dataclass(frozen=True)
class DataSize:
    """The size of the sound data in bytes: where in the file it is stated, what is stated, and what there is."""

    position: int
    layout: str
    stated: int
    actual: int


def wrong_size(data: Buffer) -> DataSize | None:
    """The size of the sound data in a WAV, AIFF or AU file if the header states it wrongly, else ``None``.

    Sound data end at the end of the file, unless other chunks follow. Data after the stated end that are not chunks
    are sound, except for zeros and remainders of less than 1024 bytes.
    """
    if data[:4] == _AU and len(data) >= 12:
        offset, stated = struct.unpack(">II", data[4:12])
        actual = len(data) - offset
        if stated == _AU_UNKNOWN or actual <= 0 or (stated <= actual and not _is_sound(data, offset + stated)):
            return None
        return DataSize(8, ">I", stated, actual)
    if data[:4] not in _DATA:
        return None
    name, layout = _DATA[bytes(data[:4])]
    position = 12
    while position + 8 <= len(data) and _is_name(data[position : position + 4]):
        (size,) = struct.unpack(layout, data[position + 4 : position + 8])
        if data[position : position + 4] == name:
            start = position + 8
            actual = len(data) - start
            if size > actual or (size < actual and _is_sound(data, start + size)):
                return DataSize(position + 4, layout, size, actual)
            return None
        position += 8 + size + size % 2
    return None


def corrected(data: bytes, size: DataSize) -> bytes:
    """The file with the actual size of its sound data in the header."""
    copy = bytearray(data)
    struct.pack_into(size.layout, copy, size.position, min(size.actual, _LARGEST))
    if data[:4] in _DATA:
        struct.pack_into(size.layout, copy, 4, min(len(data) - 8, _LARGEST))
    return bytes(copy)


def _is_sound(data: Buffer, end: int) -> bool:
    """Whether what follows the stated end of the sound data is more sound, not chunks, a tag or padding."""
    if len(data) - end < _LEAST:
        return False
    for start in (end, end + 1):  # some writers leave out the byte that makes the size even
        if _is_name(data[start : start + 4]):
            return False
    return bool(data[end : end + _LOOKED_AT].strip(b"\0"))


def _is_name(letters: bytes) -> bool:
    """Whether these can be the name of a chunk."""
    return all(32 <= letter < 127 for letter in letters)
