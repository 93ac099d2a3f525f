"""Decoding by PyAV (FFmpeg) of audio formats that libsndfile does not support, such as AAC in MP4."""

from __future__ import annotations

import importlib
import io
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from audit.core.audio_formats import INSTALL, Container
from audit.core.memory import NeedsMemory

_MOST_CHANNELS: Final = 8
"""PyAV crashes when it copies planar frames of more channels."""
_BYTES_A_SAMPLE: Final = 16
"""Float32 as decoded, joined or scaled, averaged and resampled."""
_ONLY_ESTIMATED: Final = ("aac", "amr")
"""Formats without a length in a header; FFmpeg estimates one from the bit rate."""


def decode(
    data: bytes, container: Container, max_seconds: float, max_samples_a_second: int, spare: int | None = None
) -> tuple[NDArray[np.float32], int, float]:
    """The samples of the first ``max_seconds``, float32 of shape [T, channels], and their rate in Hz.

    The third value is the length of the file in seconds: that of the samples or, if they were cut, that of the header
    if it is longer.

    Raises
    ------
    ValueError
        If PyAV is missing, no audio can be decoded, or there are more samples a second than allowed.
    """
    av = _av(container)
    blocks, taken = [], 0
    try:
        with av.open(io.BytesIO(data), mode="r", format=container.demuxer, metadata_errors="ignore") as opened:
            stream = _stream(opened)
            rate, channels = int(stream.rate), int(stream.channels)
            if not 0 < channels <= _MOST_CHANNELS or rate * channels > max_samples_a_second:
                raise ValueError(f"{channels} channels at {rate} Hz are more than is read")
            wanted = int(max_seconds * rate)
            stated = _stated_seconds(opened, stream)
            check_memory(int(min(max_seconds, stated or max_seconds) * rate) * channels, spare)
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            for frame in opened.decode(stream):
                for block in resampler.resample(frame):
                    blocks.append(block.to_ndarray().T)
                    taken += len(blocks[-1])
                if spare is not None and taken * channels * _BYTES_A_SAMPLE > spare:  # longer than its header states
                    raise NeedsMemory(wanted * channels * _BYTES_A_SAMPLE)
                if taken > wanted:
                    break
    except (av.FFmpegError, RuntimeError, OverflowError, TypeError) as error:
        raise ValueError(_reason(error)) from error
    if not blocks:
        raise ValueError("no audio frame")
    samples = np.concatenate(blocks)[:wanted].astype(np.float32, copy=False)
    return samples, rate, max(stated or 0.0, taken / rate) if taken > wanted else taken / rate


def check_memory(n_samples: int, spare: int | None) -> None:
    """Raise NeedsMemory if so many samples, and what is computed of them, take more than ``spare`` bytes."""
    needed = n_samples * _BYTES_A_SAMPLE
    if spare is not None and needed > spare:
        raise NeedsMemory(needed)


def seconds_of(file: BinaryIO, container: Container) -> float | None:
    """Length of a file by its header or, without one, its packets; ``None`` if it has none.

    Raises ValueError if PyAV is missing.
    """
    av = _av(container)
    try:
        with av.open(file, mode="r", format=container.demuxer, metadata_errors="ignore") as opened:
            stream = _stream(opened)
            stated = None if container.demuxer in _ONLY_ESTIMATED else _stated_seconds(opened, stream)
            if stated is not None:
                return stated
            units = sum(packet.duration or 0 for packet in opened.demux(stream))
            return float(units * stream.time_base) or None
    except (av.FFmpegError, RuntimeError, OverflowError, TypeError, ValueError):
        return None


def _av(container: Container) -> Any:
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ValueError(f"{container.name} needs PyAV: {INSTALL}") from None


def _stream(opened: Any) -> Any:
    if not opened.streams.audio:
        raise ValueError("it has no audio")
    stream = opened.streams.audio[0]
    if stream.codec_context is None:
        raise ValueError("its codec is not supported")
    return stream


def _stated_seconds(opened: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return opened.duration / 1e6 if opened.duration else None


def _reason(error: Exception) -> str:
    """FFmpeg's message without the name of the opened object, which may have a memory address."""
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
