"""Decoding of audio files by libsndfile or PyAV, as far as the files go, whatever length their headers state."""

from __future__ import annotations

import io
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from audit.core import audio_pyav
from audit.core.audio_formats import INSTALL, SUPPORTED, is_pyav_installed, pyav_container, second_decoder
from audit.core.chunk_sizes import corrected, wrong_size
from audit.core.memory import DECODING
from audit.core.mpeg_frames import mp3_frames, with_number

MAX_FILE_BYTES = 1 << 30
MIN_RATE, MAX_RATE = 1_000, 384_000
MAX_SAMPLES_A_SECOND = 1_600_000
"""Limit over all channels; one minute takes 384 MB as float32."""
_MP3: Final = "MP3"
_CHECKED: Final = (_MP3, "WAV", "WAVEX", "AIFF", "AU")
_UNKNOWN: Final = (1 << 63) - 1
"""The length that libsndfile gives if a header has none."""
_SNIFFED: Final = 4096


@dataclass(frozen=True)
class Decoded:
    """A decoded file.

    Attributes
    ----------
    samples : ndarray
        Float32 of shape [T, channels], at most the seconds that were asked for.
    rate : int
        Sample rate in Hz.
    seconds : float
        Length of the file: of what was decoded or, if it was cut, by its header.
    note : str
        What is wrong with the header; empty if nothing is.
    """

    samples: NDArray[np.float32]
    rate: int
    seconds: float
    note: str = ""


def decode(data: bytes, max_seconds: float, spare: int | None = None) -> Decoded:
    """Decode the first ``max_seconds`` of a file; the format is recognised by content.

    With ``spare``, raises :class:`audit.core.memory.NeedsMemory` if the samples, and what is computed of them, take
    more bytes by the header.

    Raises
    ------
    ValueError
        If the format is not supported, the file is damaged, or it has too many samples a second. The message has no
        path and no memory address.
    """
    if (container := pyav_container(data)) is not None:
        return Decoded(*audio_pyav.decode(data, container, max_seconds, MAX_SAMPLES_A_SECOND, spare))
    try:
        return _by_libsndfile(data, max_seconds, spare)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        why = str(getattr(error, "error_string", error)).strip().rstrip(".")
        if (container := second_decoder(data)) is None:
            raise ValueError(f"{why}. Supported are {SUPPORTED} ({INSTALL})") from error
        if not is_pyav_installed():
            raise ValueError(f"{why}. PyAV may decode it: {INSTALL}") from error
    try:
        return Decoded(*audio_pyav.decode(data, container, max_seconds, MAX_SAMPLES_A_SECOND, spare))
    except ValueError:
        raise ValueError(f"{why}, and PyAV cannot decode it either") from None


def length(path: Path) -> float | None:
    """Length of a file in seconds without decoding; ``None`` if it has none, or the format is not supported.

    By the header, if that agrees with the size of the file and, for MP3, the number of frames.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
            file.seek(0)
            if (container := pyav_container(start)) is not None:
                return audio_pyav.seconds_of(file, container)
            try:
                return _stated_length(path, file)
            except (soundfile.LibsndfileError, ValueError):
                container = second_decoder(start)
                return None if container is None else audio_pyav.seconds_of(file, container)
    except (OSError, RuntimeError, ValueError, TypeError, ZeroDivisionError):
        return None


def _stated_length(path: Path, file: BinaryIO) -> float:
    """Length of a file that libsndfile supports, by its header or, if that is wrong, by what was found."""
    with soundfile.SoundFile(str(path)) as sound:
        if sound.frames == _UNKNOWN:
            raise ValueError("its header states no length")
        stated = float(sound.frames / sound.samplerate)
        if sound.format not in _CHECKED or path.stat().st_size > MAX_FILE_BYTES:
            return stated
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if sound.format == _MP3:
                frames = mp3_frames(data)
                return stated if frames is None or frames.is_stated else frames.samples / frames.rate
            if (size := wrong_size(data)) is None:
                return stated
            with DECODING.reserved(2 * len(data)), soundfile.SoundFile(_Bytes(corrected(data[:], size))) as whole:
                return float(whole.frames / whole.samplerate)


def _by_libsndfile(data: bytes, max_seconds: float, spare: int | None) -> Decoded:
    note = ""
    if (size := wrong_size(data)) is not None:
        data = corrected(data, size)
        note = f"its header states {size.stated} bytes of sound, and {size.actual} were found"
    with soundfile.SoundFile(_Bytes(data)) as sound:
        if sound.format != _MP3 or (frames := mp3_frames(data)) is None or frames.is_stated:
            return _read(sound, max_seconds, sound.frames, note, spare)
        if frames.stated is not None:
            note = f"its header states {frames.stated} MP3 frames, and {frames.number} were found"
        if frames.samples <= sound.frames:  # libsndfile decodes to the end
            return _read(sound, max_seconds, frames.samples, note, spare)
    with soundfile.SoundFile(_Bytes(with_number(data, frames))) as sound:
        return _read(sound, max_seconds, sound.frames, note, spare)


def _read(sound: soundfile.SoundFile, max_seconds: float, n_samples: int, note: str, spare: int | None) -> Decoded:
    """The first ``max_seconds``; ``n_samples`` is the length of the whole file, of which less may be decodable."""
    rate, channels = sound.samplerate, sound.channels
    if not MIN_RATE <= rate <= MAX_RATE or rate * channels > MAX_SAMPLES_A_SECOND:
        raise ValueError(f"{channels} channels at {rate} Hz are more than is read")
    wanted = int(max_seconds * rate)
    audio_pyav.check_memory(min(wanted, max(sound.frames, 0)) * channels, spare)
    samples = sound.read(wanted, dtype="float32", always_2d=True)
    return Decoded(samples, rate, (len(samples) if len(samples) < wanted else max(n_samples, wanted)) / rate, note)


class _Bytes(io.BytesIO):
    """Bytes with seeks before the start set to the start; otherwise cffi prints a traceback."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return super().seek(0)
