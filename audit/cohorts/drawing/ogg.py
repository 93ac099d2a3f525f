"""Opus in Ogg with a chosen serial number: libsndfile takes it from the clock, and equal sounds need equal bytes."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

COMPRESSION: Final = 0.955
"""libsndfile's way to say Opus at about 19 kbit/s."""
_POLYNOMIAL: Final = 0x04C11DB7


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        register = byte << 24
        for _ in range(8):
            register = (register << 1) ^ (_POLYNOMIAL if register & 0x80000000 else 0)
        entries.append(register & 0xFFFFFFFF)
    return tuple(entries)


_CRC: Final = _table()


def checksum(page: bytes) -> int:
    """CRC-32 of an Ogg page whose own checksum field is zero (RFC 3533, section 6)."""
    register = 0
    for byte in page:
        register = ((register << 8) & 0xFFFFFFFF) ^ _CRC[(register >> 24) ^ byte]
    return register


def fixed_serial(content: bytes, serial: int) -> bytes:
    """The same Ogg stream with every page's serial number set, and its checksum with it.

    Raises
    ------
    ValueError
        If the content is not a sequence of Ogg pages.
    """
    out = bytearray()
    place = 0
    while place < len(content):
        if content[place : place + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {place}")
        segments = content[place + 26]
        length = 27 + segments + sum(content[place + 27 : place + 27 + segments])
        page = bytearray(content[place : place + length])
        page[14:18] = serial.to_bytes(4, "little")
        page[22:26] = b"\0\0\0\0"
        page[22:26] = checksum(bytes(page)).to_bytes(4, "little")
        out += page
        place += length
    return bytes(out)


def opus(sound: NDArray[np.float64], rate: int, serial: int) -> bytes:
    """The bytes of an Ogg file with the sound, mono, as Opus."""
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
    return fixed_serial(file.getvalue(), serial)
