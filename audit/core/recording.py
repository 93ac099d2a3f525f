"""Recording quality of a clip: seconds of speech, loudness, signal-to-noise ratio, bandwidth and clipping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Waveform
from audit.stats.settings import Kind

RATE: Final = 16_000
"""The sample rate of the waveforms, in Hz."""
MAX_SNR_DB: Final = 60.0
"""The largest signal-to-noise ratio that is stored: a value of 60 dB means 60 or more."""

_AT_ONCE: Final = RATE
"""Samples that are processed at a time: larger arrays would be new memory for every clip, which takes longer."""
_FRAME: Final = RATE // 50
"""Frames of 20 ms for levels."""
_DIGITAL_SILENCE_DB: Final = 100.0
"""Frames this much below the loudest one were not recorded: they are softer than the rounding of 16 bits."""
_FLOOR_SHARE: Final = 0.05
_RISE_DB: Final = 3.0
_ACTIVE_DB: Final = 15.9
_HANGOVER: Final = 10
"""In frames: pauses within speech of up to 200 ms count as speech, as in ITU-T P.56."""
_ROUNDS: Final = 20

_FFT: Final = 512
_HANN: Final[NDArray[np.float64]] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
_FALL_DB: Final = 50.0
_LOWEST_PEAK_HZ: Final = 100.0

_STEP: Final = RATE // 10
_BLOCK: Final = 4 * _STEP
"""BS.1770: blocks of 400 ms that overlap by 75 %."""
_ABSOLUTE_LUFS: Final = -70.0
_RELATIVE_LU: Final = -10.0
_OFFSET_LUFS: Final = -0.691

_RUN: Final = 3
_FLAT: Final = 1e-4


@dataclass(frozen=True)
class RecordingMeasure:
    """A measure of recording quality: what tables, reports and adjustments need to know about its numbers.

    Attributes
    ----------
    name : str
        The field of :class:`Recording`.
    unit : str
        A name in :data:`audit.core.units.UNITS`.
    label : str
        The name in reports.
    words : str
        What it measures, as a short phrase.
    digits : int
        Decimal places that are stored.
    kind : {"rate", "mean"}
        Whether its values are shares in [0, 1] or any real numbers.
    largest : float or None
        The largest possible value, if there is one: a clip may exceed it.

    Examples
    --------
    >>> [measure.column for measure in RECORDING][:2]
    ['recording_speech_seconds', 'recording_loudness']
    """

    name: str
    unit: str
    label: str
    words: str
    digits: int = 2
    kind: Kind = "mean"
    largest: float | None = None

    @property
    def column(self) -> str:
        """The column of the observations."""
        return f"recording_{self.name}"

    def of(self, recording: Recording) -> float | None:
        """The value of a clip."""
        value: float | None = getattr(recording, self.name)
        return value


RECORDING: Final = (
    RecordingMeasure("speech_seconds", "seconds", "seconds of speech", "length of the parts with speech"),
    RecordingMeasure("loudness", "LUFS", "loudness", "integrated loudness by ITU-R BS.1770-4"),
    RecordingMeasure(
        "snr", "dB", "signal-to-noise ratio", "level of speech over that of its quietest pauses", largest=MAX_SNR_DB
    ),
    RecordingMeasure(
        "bandwidth",
        "Hz",
        "bandwidth",
        "highest frequency at which the long-term spectrum is within 50 dB of its peak",
        largest=RATE / 2,
    ),
    RecordingMeasure(
        "clipped", "share", "clipped samples", "share of samples in runs at the clip's extreme value", 6, "rate"
    ),
)
"""The measures of recording quality, in the order of the fields of :class:`Recording` and of their columns."""


@dataclass(frozen=True)
class Recording:
    """The recording quality of a clip, as the model hears it.

    Attributes
    ----------
    speech_seconds : float or None
        Seconds of speech; ``None`` below 0.4 s.
    loudness : float or None
        Integrated loudness in LUFS; ``None`` below 0.4 s, and where every block is below -70 LUFS.
    snr : float or None
        Signal-to-noise ratio in dB, at most 60; ``None`` below 0.4 s, and without speech or pauses.
    bandwidth : float or None
        In Hz, in steps of 31.25; ``None`` below 0.4 s, and for silence.
    clipped : float or None
        Share of samples in runs at the clip's extreme value, in [0, 1].
    """

    speech_seconds: float | None
    loudness: float | None
    snr: float | None
    bandwidth: float | None
    clipped: float | None


def measured(waveform: Waveform, *, original: Waveform | None = None) -> Recording:
    """The recording quality of a clip.

    Parameters
    ----------
    waveform : ndarray
        Mono, float32 of shape [T], T > 0, at 16 kHz: what the model hears.
    original : ndarray, optional
        The same sound before resampling, of shape [T2]. Clipping is measured on it, since resampling rounds flat tops
        off; by default on the waveform.

    Notes
    -----
    Formulas and limits are in docs/reference/method.md, "Recording quality". Only the loudness depends on the gain.

    - Speech: frames of 20 ms, each without its mean, that are more than 3 dB above the noise floor (the mean of the
      quietest 5 % of the frames, without digital silence) and less than 15.9 dB below the mean power of the frames of
      speech, with pauses of up to 200 ms (margin and hangover of ITU-T P.56, 2011).
    - Signal-to-noise ratio: ``10 log10((S - N) / N)``, where S is the mean power of speech and N that of the frames up
      to 3 dB above the noise floor.
    - Loudness: ITU-R BS.1770-4 with the filters of pyloudnorm.
    - Bandwidth: the highest frequency at which the mean power spectrum is at most 50 dB below its peak above 100 Hz.
    - Clipping: three or more consecutive samples within 0.01 % of the largest or smallest one.

    Examples
    --------
    >>> tone = (0.1 * np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE)).astype(np.float32)
    >>> found = measured(tone)
    >>> round(found.loudness), found.speech_seconds, found.snr  # a steady tone has no pauses
    (-23, 0.0, None)
    """
    clipped = _clipped(waveform if original is None else original)
    speech_seconds = loudness = snr = bandwidth = None
    if len(waveform) >= _BLOCK:
        speech_seconds, snr = _speech(waveform)
        loudness, bandwidth = _loudness(waveform), _bandwidth(waveform)
    exact = Recording(speech_seconds, loudness, snr, bandwidth, clipped)
    return Recording(*(None if (value := m.of(exact)) is None else round(value, m.digits) for m in RECORDING))


def recording_columns(recording: Recording | None) -> dict[str, float | None]:
    """The columns of an observation; all null for a clip that was not measured."""
    return {m.column: None if recording is None else m.of(recording) for m in RECORDING}


def _frames(waveform: Waveform, size: int) -> Iterator[Waveform]:
    """Frames of ``size`` samples without overlap, some at a time: arrays of shape [frames, size]."""
    frames = waveform[: len(waveform) // size * size].reshape(-1, size)
    step = _AT_ONCE // size
    for start in range(0, len(frames), step):
        yield frames[start : start + step]


def _speech(waveform: Waveform) -> tuple[float, float | None]:
    """Seconds of speech, and the signal-to-noise ratio in dB."""
    # a constant offset and rumble are not heard
    centred = (frames - frames.mean(axis=1, keepdims=True) for frames in _frames(waveform, _FRAME))
    power = np.concatenate([np.einsum("ij,ij->i", frames, frames) for frames in centred]).astype(np.float64) / _FRAME
    loudest = float(power.max())
    if loudest == 0:
        return 0.0, None
    recorded = power[power > loudest * 10 ** (-_DIGITAL_SILENCE_DB / 10)]
    quietest = np.sort(recorded)[: max(1, round(_FLOOR_SHARE * len(recorded)))]
    threshold = float(quietest.mean()) * 10 ** (_RISE_DB / 10)
    speech = power > threshold
    for _ in range(_ROUNDS):  # the threshold depends on the level of speech, which depends on the threshold
        if not speech.any():
            return 0.0, None
        active = power > max(threshold, float(power[speech].mean()) * 10 ** (-_ACTIVE_DB / 10))
        if np.array_equal(active, speech):
            break
        speech = active
    noise = float(recorded[recorded <= threshold].mean())
    speech = _bridged(speech)
    signal = float(power[speech].mean()) - noise
    seconds = int(speech.sum()) * _FRAME / RATE
    if signal <= 0:
        return seconds, None
    return seconds, float(10 * np.log10(signal / max(noise, signal * 10 ** (-MAX_SNR_DB / 10))))


def _bridged(speech: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames of speech, with pauses of up to ``_HANGOVER`` frames between two of them."""
    place = np.arange(len(speech))
    before = np.maximum.accumulate(np.where(speech, place, -len(speech)))
    after = np.minimum.accumulate(np.where(speech, place, 2 * len(speech))[::-1])[::-1]
    return after - before <= _HANGOVER + 1


def _bandwidth(waveform: Waveform) -> float | None:
    """The highest frequency at which the mean power spectrum is at most 50 dB below its peak."""
    offset = waveform.mean(dtype=np.float64)
    power = np.zeros(_FFT // 2 + 1)
    for frames in _frames(waveform, _FFT):
        spectra = np.fft.rfft((frames - offset) * _HANN, axis=1)
        power += (spectra.real**2 + spectra.imag**2).sum(axis=0)
    step = RATE / _FFT
    peak = float(power[int(np.ceil(_LOWEST_PEAK_HZ / step)) :].max())
    if peak <= 0:
        return None
    return float(np.flatnonzero(power >= peak * 10 ** (-_FALL_DB / 10))[-1]) * step


def _loudness(waveform: Waveform) -> float | None:
    """Integrated loudness in LUFS by ITU-R BS.1770-4; an incomplete block at the end is not used."""
    from scipy import signal  # imported late: it takes half a second, and only runs need it

    numerator, denominator = _k_weighting()
    state, steps = np.zeros(len(denominator) - 1), []
    for part in _frames(waveform, _STEP):
        weighted, state = signal.lfilter(numerator, denominator, part.ravel(), zi=state)
        steps.append(np.einsum("ij,ij->i", *[weighted.reshape(-1, _STEP)] * 2))
    power = np.lib.stride_tricks.sliding_window_view(np.concatenate(steps), _BLOCK // _STEP).sum(axis=1) / _BLOCK
    power = power[_lufs(power) >= _ABSOLUTE_LUFS]
    if not len(power):
        return None
    gated = power[_lufs(power) > _lufs(power.mean()) + _RELATIVE_LU]
    return float(_lufs(gated.mean()))


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    return np.asarray(_OFFSET_LUFS + 10 * np.log10(np.maximum(power, 1e-30)))


@cache
def _k_weighting() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numerator and denominator of the K-weighting of BS.1770: its two filters in one."""
    from pyloudnorm import IIRfilter  # imported late, like scipy.signal

    # De Man's filters agree with the tables of BS.1770; pyloudnorm's default ones differ by 0.1 dB at 997 Hz
    shelf = IIRfilter(3.99984385397, 0.7071752369554193, 1681.9744509555319, RATE, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, RATE, "high_pass_DeMan")
    return np.convolve(shelf.b, high_pass.b), np.convolve(shelf.a, high_pass.a)


def _clipped(samples: Waveform) -> float:
    """The share of samples in runs of three or more within 0.01 % of the largest or smallest sample."""
    top, bottom = float(samples.max()), float(samples.min())
    peak = max(top, -bottom)
    if peak == 0:
        return 0.0
    near, half = _FLAT * peak, peak / 2  # below half of the peak, an extreme is that of a one-sided signal
    upper, lower = top - near if top >= half else np.inf, bottom + near if bottom <= -half else -np.inf
    at = np.flatnonzero((samples >= upper) | (samples <= lower))
    runs = np.diff(np.append(np.flatnonzero(np.diff(at) > 1), len(at) - 1), prepend=-1)
    return int(runs[runs >= _RUN].sum()) / len(samples)
