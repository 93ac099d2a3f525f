"""Frames of MP3 files, counted to know their length, and the Xing header, which may be missing or wrong.

libsndfile stops decoding at the length in this header or, without one, at an estimate from the first frame.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import Final

from audit.core.audio_formats import Buffer, after_id3

_MPEG1, _LAYER_3, _MONO = 3, 1, 3
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Sample rates in Hz by the version's two bits (3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5); ISO 11172-3 and 13818-3."""
_KBITS: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of layer III in kbit/s, by whether it is MPEG-1."""
_HAS_NUMBER: Final = 1
_MOST_BETWEEN: Final = 4 << 20
"""Bytes that are not frames, such as pictures in tags, before the search for further frames is given up."""
_XING: Final = b"Xing"
_XING_BYTES: Final = 12
"""Bytes of a Xing header that has the number of frames only."""


@dataclass(frozen=True)
class Mp3Frames:
    """The frames of an MP3 file.

    Attributes
    ----------
    first : int
        Position of the first frame.
    is_header : bool
        Whether the first frame is a Xing, Info or VBRI header, which has no sound.
    number : int
        Number of frames with sound.
    stated : int or None
        Number of frames in the Xing or Info header; ``None`` if there is none.
    stated_at : int or None
        Position of that number.
    samples : int
        Number of samples of all frames with sound.
    rate : int
        Sample rate in Hz.
    """

    first: int
    is_header: bool
    number: int
    stated: int | None
    stated_at: int | None
    samples: int
    rate: int

    @property
    def is_stated(self) -> bool:
        """Whether the header states the number of frames; some encoders count the header or a cut last frame too."""
        return self.stated in (self.number, self.number + 1)


def mp3_frames(data: Buffer) -> Mp3Frames | None:
    """Count the frames of a file; ``None`` if it is not MP3, or has a free bit rate."""
    first = _next_frame(data, after_id3(data), None)
    if first is None:
        return None
    header = data[first : first + 4]
    lengths, same, rate_bits = _lengths(header[1], header[2] & 0x0C), header[1] | 1, header[2] & 0x0C
    number, position, last, between = 0, first, len(data) - 4, 0
    while position <= last:
        third = data[position + 2]
        if data[position] == 0xFF and data[position + 1] | 1 == same and third & 0x0C == rate_bits and lengths[third]:
            position += lengths[third]
            number += position <= len(data)
        elif between < _MOST_BETWEEN and (found := _next_frame(data, position + 1, header)) is not None:
            between += found - position
            position = found
        else:
            break
    stated, stated_at, is_header = None, None, data[first + 36 : first + 40] == b"VBRI"
    start = first + 4 + _side_bytes(header)
    for tag in (start, start + 2):  # a check sum of two bytes may come first
        if data[tag : tag + 4] in (_XING, b"Info") and len(data) >= tag + _XING_BYTES:
            is_header = True
            flags, frames = struct.unpack(">II", data[tag + 4 : tag + _XING_BYTES])
            if flags & _HAS_NUMBER:
                stated, stated_at = frames, tag + 8
            break
    is_mpeg1 = header[1] >> 3 & 3 == _MPEG1
    number -= is_header
    rate = _RATES[header[1] >> 3 & 3][header[2] >> 2 & 3]
    return Mp3Frames(first, is_header, number, stated, stated_at, number * (1152 if is_mpeg1 else 576), rate)


def with_number(data: bytes, frames: Mp3Frames) -> bytes:
    """The file with a Xing header that states the actual number of frames."""
    number = struct.pack(">I", frames.number)
    if frames.stated_at is not None:
        return data[: frames.stated_at] + number + data[frames.stated_at + 4 :]
    _, second, third, fourth = data[frames.first : frames.first + 4]
    lengths, side = _lengths(second, third & 0x0C), _side_bytes(data[frames.first : frames.first + 4])
    rest = data[frames.first + (lengths[third] if frames.is_header else 0) :]
    while lengths[third] < 4 + side + _XING_BYTES:  # a frame of the lowest bit rates is shorter than the header
        third += 0x10
    header = bytes([0xFF, second | 1, third, fourth]) + bytes(side)  # | 1: without a check sum
    return (header + _XING + struct.pack(">I", _HAS_NUMBER) + number).ljust(lengths[third], b"\0") + rest


def _side_bytes(header: bytes) -> int:
    """Bytes of side information between a frame's header and its sound."""
    is_mpeg1, is_mono = header[1] >> 3 & 3 == _MPEG1, header[3] >> 6 == _MONO
    return (17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17)


@cache
def _lengths(second: int, rate_bits: int) -> tuple[int, ...]:
    """The length of a frame in bytes by the third byte of its header; 0 where that byte is not valid."""
    version = second >> 3 & 3
    is_mpeg1, rate = version == _MPEG1, _RATES[version][rate_bits >> 2]
    lengths = [0] * 256
    for byte in range(256):
        if byte & 0x0C == rate_bits and 0 < byte >> 4 < 15:
            bits = _KBITS[is_mpeg1][byte >> 4] * 1000
            lengths[byte] = (144 if is_mpeg1 else 72) * bits // rate + (byte >> 1 & 1)
    return tuple(lengths)


def _next_frame(data: Buffer, start: int, like: bytes | None) -> int | None:
    """The position of a frame that another one follows, or the end; ``like`` is a header of the same stream."""
    end = min(len(data) - 3, start + _MOST_BETWEEN)
    position = data.find(b"\xff", start, end)
    while position >= 0:
        header = data[position : position + 4]
        if _is_valid(header) and (like is None or _is_like(header, like)):
            after = position + _lengths(header[1], header[2] & 0x0C)[header[2]]
            if after == len(data) or _is_like(data[after : after + 4], header):
                return position
        position = data.find(b"\xff", position + 1, end)
    return None


def _is_valid(header: bytes) -> bool:
    """Whether four bytes are the header of a frame of layer III with a stated bit rate."""
    second, third = header[1], header[2]
    layer_3 = header[0] == 0xFF and second >> 5 == 7 and second >> 1 & 3 == _LAYER_3
    return layer_3 and second >> 3 & 3 in _RATES and third >> 2 & 3 < 3 and 0 < third >> 4 < 15


def _is_like(header: bytes, other: bytes) -> bool:
    """Whether the first is a header with the version and sample rate of the other."""
    alike = len(header) == 4 and (header[1] | 1, header[2] & 0x0C) == (other[1] | 1, other[2] & 0x0C)
    return alike and _is_valid(header)
