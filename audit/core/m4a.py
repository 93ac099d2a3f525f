"""Decoding of m4a (AAC or ALAC in MP4) by PyAV, since libsndfile does not support it."""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

MISSING: Final = "m4a needs PyAV: pip install 'speech2face-audit[m4a]'"
_DEMUXER: Final = "mp4"
"""Fixed, since other formats of FFmpeg may open further files."""


def is_m4a(head: bytes) -> bool:
    r"""Whether the first bytes of a file are those of MP4.

    Examples
    --------
    >>> is_m4a(bytes(3) + b"\x20ftypM4A "), is_m4a(b"RIFF....WAVE")
    (True, False)
    """
    return head[4:8] == b"ftyp"


def is_readable() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def decode(data: bytes, max_seconds: float) -> tuple[NDArray[np.float32], int, float]:
    """The samples of the first ``max_seconds``, float32 of shape [T, channels], and their rate in Hz.

    The third value is the length of the whole file in seconds by its header, or of the decoded part if it has none.

    Raises
    ------
    ValueError
        If PyAV is missing, or no audio can be decoded.
    """
    av = _av()
    blocks, taken = [], 0
    try:
        with av.open(io.BytesIO(data), mode="r", format=_DEMUXER, metadata_errors="ignore") as container:
            stream = _stream(container)
            rate, wanted = int(stream.rate), int(max_seconds * stream.rate)
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            for frame in container.decode(stream):
                for block in resampler.resample(frame):
                    blocks.append(block.to_ndarray().T)
                    taken += len(blocks[-1])
                if taken >= wanted:
                    break
            stated = _stated_seconds(container, stream)
    except (av.FFmpegError, RuntimeError, OverflowError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if not blocks:
        raise ValueError("no audio frame")
    samples = np.concatenate(blocks)[:wanted].astype(np.float32, copy=False)
    return samples, rate, max(stated or 0.0, len(samples) / rate)


def seconds_of(file: BinaryIO) -> float | None:
    """Length by the file's header; ``None`` if it has none. Raises ValueError if PyAV is missing."""
    av = _av()
    try:
        with av.open(file, mode="r", format=_DEMUXER, metadata_errors="ignore") as container:
            return _stated_seconds(container, _stream(container))
    except (av.FFmpegError, RuntimeError, OverflowError, TypeError, ValueError):
        return None


def _av() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ValueError(MISSING) from None


def _stream(container: Any) -> Any:
    if not container.streams.audio:
        raise ValueError("it has no audio")
    return container.streams.audio[0]


def _stated_seconds(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None
