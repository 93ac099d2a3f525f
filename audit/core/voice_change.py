"""Change of a voice: its pitch, the resonances of its vocal tract, and how long it takes to speak.

A phase vocoder makes the clip longer by the wanted ratio, resampling brings it back to its length with every frequency
raised by that ratio, and each frame is then given the smooth spectral envelope that it had before, or that envelope on
another axis of frequency. A shift of pitch that moved the envelope too would change two things at once: how high the
voice is, and how large the speaker sounds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from audit.core.arrays import Waveform

WINDOW: Final = 1024
"""Samples of a frame: 64 ms at 16 kHz, about six periods of a low voice."""
HOP: Final = WINDOW // 4
_HANN: Final[NDArray[np.float64]] = signal.windows.hann(WINDOW, sym=False)
QUEFRENCY: Final = 32
"""Cepstral coefficients of the envelope: 2 ms at 16 kHz, shorter than a period of any voice up to 500 Hz."""
REACH_DB: Final = 30.0
"""The largest correction of the envelope."""
FLOOR_DB: Final = -80.0
"""The envelope's floor relative to the clip's loudest bin; nothing below it is corrected."""

WARPED: Final = 0.85
"""Share of the Nyquist frequency up to which resonances move in proportion; above, the axis is bent back to it."""

Spectrogram = NDArray[np.complex128]
"""Frames by frequency: shape [frames, WINDOW // 2 + 1]."""


def shifted(waveform: Waveform, semitones: float) -> Waveform:
    """Shift the pitch of a clip; duration and spectral envelope are kept. See :func:`changed`.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)
    >>> higher = shifted(tone, 12)
    >>> len(higher), int(np.abs(np.fft.rfft(higher)).argmax())
    (16000, 880)
    """
    return changed(waveform, semitones)


def changed(waveform: Waveform, semitones: float = 0.0, *, tract: float = 1.0, duration: float = 1.0) -> Waveform:
    """Change pitch, vocal tract length and duration of a clip, each without the others.

    Parameters
    ----------
    waveform : ndarray
        Mono, shape [T], at 16 kHz.
    semitones : float
        Upwards if positive: the fundamental is multiplied by ``2 ** (semitones / 12)``.
    tract : float
        Length of the vocal tract as a multiple of the speaker's own: resonances below 5 kHz are divided by it.
    duration : float
        Length of the result as a multiple of the clip's.

    Returns
    -------
    ndarray
        Shape [round(duration * T)], float32. The level is not restored.

    Notes
    -----
    Phase vocoder with the phases of each peak's region locked to the peak's (Laroche and Dolson 1999, "Improved phase
    vocoder time-scale modification of audio", identity phase locking); envelope by the first cepstral coefficients of
    each frame's logarithmic magnitude (Oppenheim and Schafer 1968), put back as Röbel and Rodet (2005) do. The
    resonances of a uniform tube are inversely proportional to its length (Fant 1960); the envelope is moved by the
    piecewise linear warp of vocal tract length normalisation, which keeps the Nyquist frequency (Lee and Rose 1996).
    """
    if (not semitones and tract == 1 and duration == 1) or len(waveform) < WINDOW:
        return waveform
    length = round(duration * len(waveform))
    before = _frames(waveform.astype(np.float64), HOP / duration)
    after = before
    if semitones or duration != 1:
        longer = _stretched(waveform.astype(np.float64), 2 ** (semitones / 12) * duration)
        after = _frames(signal.resample(longer, length))
    before, after = (spectra[: min(len(before), len(after))] for spectra in (before, after))
    gap = _warped(_envelope(before), tract) - _envelope(after)
    reach = REACH_DB / 20 * np.log(10)
    corrected = after * np.exp(np.clip(gap, -reach, reach))
    return np.ascontiguousarray(_sound(corrected, length), np.float32)


def _warped(envelope: NDArray[np.float64], tract: float) -> NDArray[np.float64]:
    """The envelopes of a tract that is ``tract`` times as long."""
    if tract == 1:
        return envelope
    nyquist = WINDOW // 2
    bend = WARPED * nyquist * min(tract, 1.0)
    place = np.interp(np.arange(nyquist + 1), [0, bend / tract, nyquist], [0, bend, nyquist])
    below = np.minimum(place.astype(np.int64), nyquist - 1)
    share = place - below
    return np.asarray((1 - share) * envelope[:, below] + share * envelope[:, below + 1])


def _frames(sound: NDArray[np.float64], hop: float = HOP) -> Spectrogram:
    """Short-time spectra, the first frame centred on the first sample; ``hop`` may be fractional."""
    padded = np.pad(sound, (WINDOW // 2, WINDOW))
    starts = np.floor(np.arange(int(len(sound) / hop) + 1) * hop).astype(np.int64)
    views = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[starts]
    return np.asarray(np.fft.rfft(views * _HANN), np.complex128)


def _sound(spectra: Spectrogram, length: int) -> NDArray[np.float64]:
    """Overlap and add, divided by the windows' own sum of squares (Griffin and Lim 1984)."""
    frames = np.fft.irfft(spectra, n=WINDOW) * _HANN
    sound, weight = np.zeros((2, max((len(frames) - 1) * HOP, length) + WINDOW))
    for i, frame in enumerate(frames):
        sound[i * HOP : i * HOP + WINDOW] += frame
        weight[i * HOP : i * HOP + WINDOW] += _HANN**2
    start = WINDOW // 2
    return (sound / np.maximum(weight, 1e-3))[start : start + length]


def _stretched(sound: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """The sound ``ratio`` times as long, at the same pitch."""
    spectra = _frames(sound, HOP / ratio)
    starts = np.floor(np.arange(len(spectra)) * HOP / ratio)
    steps = np.diff(starts)
    magnitude, phase = np.abs(spectra), np.angle(spectra)
    turning = 2 * np.pi * np.arange(WINDOW // 2 + 1) / WINDOW
    made = np.empty_like(spectra)
    made[0], running = spectra[0], phase[0]
    for i in range(1, len(spectra)):
        drift = phase[i] - phase[i - 1] - turning * steps[i - 1]
        drift -= 2 * np.pi * np.round(drift / (2 * np.pi))
        running = running + (turning + drift / steps[i - 1]) * HOP
        region = _nearest_peak(magnitude[i])
        running = running[region] + phase[i] - phase[i][region]
        made[i] = magnitude[i] * np.exp(1j * running)
    return _sound(made, round(len(sound) * ratio))


def _nearest_peak(magnitude: NDArray[np.float64]) -> NDArray[np.int64]:
    """For every bin, the bin of the nearest peak; itself if there is no peak."""
    inner = magnitude[2:-2]
    is_peak = np.ones(len(inner), bool)
    for shift in (-2, -1, 1, 2):
        is_peak &= inner > magnitude[2 + shift : len(magnitude) - 2 + shift]
    peaks = np.flatnonzero(is_peak) + 2
    bins = np.arange(len(magnitude))
    if not len(peaks):
        return bins
    borders = (peaks[1:] + peaks[:-1]) / 2
    return peaks[np.searchsorted(borders, bins)]


def _envelope(spectra: Spectrogram) -> NDArray[np.float64]:
    """The smooth logarithmic envelope of each frame."""
    magnitude = np.abs(spectra)
    floor = max(float(magnitude.max(initial=0.0)) * 10 ** (FLOOR_DB / 20), 1e-12)
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude, floor)))
    cepstrum[:, QUEFRENCY + 1 : -QUEFRENCY] = 0
    return np.asarray(np.fft.rfft(cepstrum).real, np.float64)
