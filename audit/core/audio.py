"""Reading of clips as mono float32 waveforms."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from audit.core.arrays import Waveform
from audit.core.audio_decoding import MAX_FILE_BYTES, decode, length
from audit.core.audio_formats import placeholder
from audit.core.channels import Channel, level_dbfs, one_channel
from audit.core.memory import DECODING, NeedsMemory
from audit.core.opening import UnsafeFile, read_regular
from audit.core.recording import Recording, measured
from audit.core.transfer import at_hand

SAMPLE_RATE = 16_000
MIN_SECONDS = 1.0
MAX_SECONDS = 60.0
SPARE_BYTES = 8 << 20
"""Memory that is reserved for decoding before the header is read; enough for 40 s of one channel at 16 kHz."""
COPIES = 2
"""Copies of a file's bytes: with a wrong header, a corrected one is made."""
SILENCE_DBFS = -60.0
LOUDEST = 16.0
"""Floating-point samples may exceed full scale by 24 dB; above, they are at the scale of integers."""
INTEGER_SCALES = (1 << 15, 1 << 23, 1 << 31)
"""Full scale of integers of 16, 24 and 32 bits."""

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
        Length of the file before cutting; ``None`` if unreadable. That of the decoded samples, unless they were cut.
    sha256 : str
        Digest of the file; empty if there is no file.
    detail : str
        The error, or the conversions made.
    channel : {"", "left", "right"}
        The channel that was taken, if the file has several and they were not averaged.
    are_two_voices : bool
        Whether two uncorrelated channels with speech were averaged: probably two speakers.
    recording : Recording or None
        The recording quality of the waveform; ``None`` unless it was asked for and the status is ``ok``.
    """

    status: AudioStatus
    waveform: Waveform | None
    seconds: float | None
    sha256: str
    detail: str = ""
    channel: str = ""
    are_two_voices: bool = False
    recording: Recording | None = None

    @property
    def source(self) -> str:
        """What a model hears, as a key: equal for clips with equal waveforms from the same file."""
        n_samples = 0 if self.waveform is None else len(self.waveform)
        return f"{voice_key(self.sha256)} {n_samples} {self.channel}".rstrip()


def voice_key(sha256: str) -> str:
    """How the keys of all clips from the audio file with this sha256 begin (:attr:`Clip.source`)."""
    return f"voice {sha256}"


def read_clip(
    path: Path,
    *,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = MAX_SECONDS,
    channel: Channel = "mix",
    measure_recording: bool = False,
) -> Clip:
    """A clip from a file in any format of :data:`audit.core.audio_formats.SUPPORTED`.

    The format is recognised by content, not by name. Channels are averaged, or one is taken (``channel``). The clip is
    resampled to 16 kHz by soxr at high quality, and cut to ``max_seconds``, which ``detail`` reports. Clips shorter
    than ``min_seconds``, and those without a sample at 16 kHz, are ``audio_too_short``. Clips below -60 dBFS apart from
    a constant offset are ``audio_silent``.

    Wrong lengths in headers are reported, and the file is read to its end. Floating-point samples at the scale of
    integers are scaled to [-1, 1], and samples that are not finite are refused. Rates below 1 or above 384 kHz are
    refused before memory is allocated, as are more than 1.6 million samples a second in all channels.

    With ``measure_recording``, the clip has its recording quality (:func:`audit.core.recording.measured`). Threads wait
    for each other if their clips would together take more memory than :data:`audit.core.memory.DECODER_BYTES`.
    """
    path = at_hand(path)
    try:
        place = path.stat()
    except (OSError, ValueError) as error:
        return _unopened(error)
    if not stat.S_ISREG(place.st_mode):  # a pipe or a device may never end
        return Clip("audio_unreadable", None, None, "", "it is not a regular file")
    if place.st_size > MAX_FILE_BYTES:
        return Clip("audio_unreadable", None, None, "", f"the file is above {MAX_FILE_BYTES >> 20} MiB")
    limits = Limits(min_seconds, max_seconds, channel, measure_recording)
    copies = COPIES * place.st_size
    try:
        with DECODING.reserved(copies + SPARE_BYTES):
            return _read(path, limits, SPARE_BYTES)
    except NeedsMemory as more:
        needed = more.n_bytes
    with DECODING.reserved(copies + needed):
        return _read(path, limits, None)


class Limits(NamedTuple):
    """What is read of a clip; see :func:`read_clip`."""

    min_seconds: float
    max_seconds: float
    channel: Channel
    measure_recording: bool


def _unopened(error: Exception) -> Clip:
    why = getattr(error, "strerror", error)
    return Clip("audio_unreadable", None, None, "", f"{type(error).__name__}: {why}")


def _read(path: Path, limits: Limits, spare: int | None) -> Clip:
    """The clip; raises NeedsMemory if decoding takes more than ``spare`` bytes."""
    min_seconds, max_seconds, channel, measure_recording = limits
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except UnsafeFile as error:
        return Clip("audio_unreadable", None, None, "", str(error))
    except (OSError, ValueError) as error:
        return _unopened(error)
    sha = hashlib.sha256(data).hexdigest()
    if kind := placeholder(data):
        return Clip("audio_unreadable", None, None, sha, f"it is {kind}")
    try:
        sound = decode(data, max_seconds, spare)
    except ValueError as error:
        return Clip("audio_unreadable", None, None, sha, f"no audio that can be decoded: {error}")
    rate, seconds = sound.rate, sound.seconds
    notes = [sound.note]
    try:
        samples, scaled = _at_full_scale(sound.samples)
    except ValueError as error:
        return Clip("audio_unreadable", None, seconds, sha, str(error))
    needed = max(min_seconds, 1 / SAMPLE_RATE)
    if len(samples) < needed * rate:
        notes.append(f"{seconds:.2f} s, at least {needed:g} s are needed")
        return Clip("audio_too_short", None, seconds, sha, _joined(notes))
    mono = one_channel(samples, rate, channel)
    notes += [scaled, mono.note]
    if (level := level_dbfs(mono.waveform)) < SILENCE_DBFS:
        notes.append(f"{level:.0f} dBFS without a constant offset, silence is below {SILENCE_DBFS:g} dBFS")
        return Clip("audio_silent", None, seconds, sha, _joined(notes))
    waveform = mono.waveform
    if rate != SAMPLE_RATE:
        waveform = soxr.resample(waveform, rate, SAMPLE_RATE, quality="HQ")
        notes.append(f"resampled from {rate} Hz")
    if seconds > max_seconds:
        notes.append(f"cut to its first {max_seconds:g} s of {seconds:.0f} s")
    waveform = np.ascontiguousarray(waveform, np.float32)
    recording = measured(waveform, original=mono.waveform) if measure_recording else None
    return Clip("ok", waveform, seconds, sha, _joined(notes), mono.channel, mono.are_two_voices, recording)


def clip_seconds(path: Path) -> float | None:
    """Length in seconds without decoding; ``None`` if it cannot be read."""
    try:
        path = at_hand(path)
        return length(path) if path.is_file() else None  # a pipe or a device may never end
    except (OSError, ValueError):
        return None


def _at_full_scale(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], str]:
    """The samples at full scale 1, and a note if they were at the scale of integers; raises ValueError if neither."""
    peak = max(float(samples.max()), -float(samples.min())) if samples.size else 0.0
    if not np.isfinite(peak):
        raise ValueError("it has samples that are not finite")
    if peak <= 1 or (peak <= LOUDEST and not np.array_equal(samples, np.rint(samples))):
        return samples, ""
    scale = next((scale for scale in INTEGER_SCALES if peak <= scale), None)
    if scale is None:
        raise ValueError(f"its samples go up to {peak:.3g}; expected are -1 to 1, or the scale of integers")
    note = f"its samples go up to {peak:.6g} (integers of {scale.bit_length()} bits) and were divided by {scale}"
    return samples / np.float32(scale), note


def _joined(notes: list[str]) -> str:
    return "; ".join(filter(None, notes))
