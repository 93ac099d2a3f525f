"""Reading of clips as mono float32 waveforms."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from audit.core.arrays import Waveform
from audit.core.m4a import decode, is_m4a, seconds_of

SAMPLE_RATE = 16_000
MIN_SECONDS = 1.0
MAX_SECONDS = 60.0
SILENCE_DBFS = -60.0
MAX_FILE_BYTES = 1 << 30
MIN_RATE, MAX_RATE = 1_000, 384_000
MAX_SAMPLES_A_SECOND = 1_600_000
"""Limit over all channels; one minute takes 384 MB as float32."""

AudioStatus = Literal["ok", "audio_unreadable", "audio_too_short", "audio_silent"]


@dataclass(frozen=True)
class Clip:
    """A clip as read from a file.

    Attributes
    ----------
    status : {"ok", "audio_unreadable", "audio_too_short", "audio_silent"}
        Whether the clip can be rendered.
    waveform : ndarray or None
        Mono, shape [T], float32, at :data:`SAMPLE_RATE`; ``None`` unless the status is ``ok``.
    seconds : float or None
        Length of the file before cutting; ``None`` if unreadable.
    sha256 : str
        Digest of the file; empty if there is no file.
    detail : str
        The error, or the conversions made.
    """

    status: AudioStatus
    waveform: Waveform | None
    seconds: float | None
    sha256: str
    detail: str = ""


def read_clip(path: Path, *, min_seconds: float = MIN_SECONDS, max_seconds: float = MAX_SECONDS) -> Clip:
    """A clip from a file that libsndfile supports (wav, flac, mp3, ogg, opus and more), or from m4a.

    The format is recognised by content, not by name. Channels are averaged, the clip is resampled to 16 kHz by soxr at
    high quality, and cut to ``max_seconds``, which ``detail`` reports. Clips shorter than ``min_seconds``, and those
    without a sample at 16 kHz, are ``audio_too_short``.

    The header is checked before memory is allocated: rates below 1 or above 384 kHz are refused, and more than 1.6
    million samples a second in all channels.
    """
    try:
        if path.exists() and not path.is_file():
            return Clip(
                "audio_unreadable", None, None, "", "it is not a regular file"
            )  # a pipe or a device may never end
        if path.stat().st_size > MAX_FILE_BYTES:
            return Clip("audio_unreadable", None, None, "", f"the file is above {MAX_FILE_BYTES >> 20} MiB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", error)
        return Clip("audio_unreadable", None, None, "", f"{type(error).__name__}: {why}")
    sha = hashlib.sha256(data).hexdigest()
    try:
        if is_m4a(data):
            samples, rate, seconds = decode(data, max_seconds)
            channels = samples.shape[1]
        else:
            with soundfile.SoundFile(_Bytes(data)) as sound:
                rate, channels, seconds = sound.samplerate, sound.channels, sound.frames / sound.samplerate
                if not MIN_RATE <= rate <= MAX_RATE or rate * channels > MAX_SAMPLES_A_SECOND:
                    raise ValueError(f"{channels} channels at {rate} Hz are more than is read")
                samples = sound.read(int(max_seconds * rate), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        return Clip("audio_unreadable", None, None, sha, f"no audio that can be decoded: {_why(error)}")
    if not np.isfinite(samples).all():
        return Clip("audio_unreadable", None, seconds, sha, "it has samples that are not finite")
    needed = max(min_seconds, 1 / SAMPLE_RATE)
    if len(samples) < needed * rate:
        return Clip("audio_too_short", None, seconds, sha, f"{seconds:.2f} s, at least {needed:g} s are needed")
    mono = samples[:, 0] if channels == 1 else samples.mean(axis=1, dtype=np.float32)
    level = 10 * np.log10(float(np.mean(mono.astype(np.float64) ** 2)) + 1e-20)
    if level < SILENCE_DBFS:
        return Clip("audio_silent", None, seconds, sha, f"{level:.0f} dBFS, silence is below {SILENCE_DBFS:g} dBFS")
    waveform = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE, quality="HQ")
    notes = [
        f"{channels} channels were averaged" if channels > 1 else "",
        f"resampled from {rate} Hz" if rate != SAMPLE_RATE else "",
        f"cut to its first {max_seconds:g} s of {seconds:.0f} s" if seconds > max_seconds else "",
    ]
    return Clip("ok", np.ascontiguousarray(waveform, np.float32), seconds, sha, "; ".join(filter(None, notes)))


def clip_seconds(path: Path) -> float | None:
    """Length in seconds by the file's header; ``None`` if it cannot be read."""
    try:
        if not path.is_file():
            return None  # a pipe or a device may never end
        with path.open("rb") as file:
            if is_m4a(file.read(8)):
                file.seek(0)
                return seconds_of(file)
        found = soundfile.info(str(path))
    except (OSError, soundfile.LibsndfileError, RuntimeError, ValueError, TypeError):
        return None
    return float(found.frames / found.samplerate) if found.samplerate else None


class _Bytes(io.BytesIO):
    """Bytes with seeks before the start set to the start; otherwise cffi prints a traceback."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return super().seek(0)


def _why(error: Exception) -> str:
    """The decoder's message without memory addresses."""
    return str(getattr(error, "error_string", error))
