"""A telephone channel: its band and its coding only (no noise, no echo, no packet loss)."""

from __future__ import annotations

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE

LINE_RATE: Final = 8_000
BAND: Final = (300.0, 3_400.0)
"""Hz: the telephone band of ITU-T G.712."""
LINE_DBOV: Final = -26.0
"""The speech's level on the line (root mean square) against full scale, as ITU-T P.830 sets it for tests of coders."""

_BIAS, _MOST, _FULL = 132, 32_635, 32_768


def telephoned(waveform: Waveform) -> Waveform:
    """Pass a clip through a telephone line; the duration stays, the level is not restored.

    Resampled to 8 kHz (soxr, high quality), filtered to 300 to 3,400 Hz (Butterworth, fourth order at each edge,
    causal, as a line is), set to -26 dB under full scale, or lower where its highest peak would not fit, coded and
    decoded by G.711 mu-law, and resampled to 16 kHz.

    Parameters
    ----------
    waveform : ndarray
        Mono, shape [T], at 16 kHz.

    Examples
    --------
    >>> hum = np.sin(2 * np.pi * 60 * np.arange(16_000) / 16_000).astype(np.float32)
    >>> received = telephoned(0.3 * (hum + np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)))
    >>> spectrum = np.abs(np.fft.rfft(received))
    >>> len(received), bool(spectrum[60] < 0.003 * spectrum[1000])
    (16000, True)
    """
    line = soxr.resample(waveform.astype(np.float64), SAMPLE_RATE, LINE_RATE, quality="HQ")
    passed = signal.sosfilt(signal.butter(4, BAND, "bandpass", fs=LINE_RATE, output="sos"), line)
    level, peak = float(np.sqrt(np.mean(passed**2))), float(np.abs(passed).max())
    if peak == 0:
        return np.zeros_like(waveform)
    gain = min(10 ** (LINE_DBOV / 20) / level, _MOST / _FULL / peak)
    codes = mu_law(np.round(passed * gain * _FULL).astype(np.int64))
    decoded = from_mu_law(codes) / _FULL
    received = soxr.resample(decoded, LINE_RATE, SAMPLE_RATE, quality="HQ")
    whole = np.zeros(len(waveform), np.float32)
    whole[: min(len(received), len(whole))] = received[: len(whole)]
    return whole


def mu_law(samples: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Encode 16-bit samples by ITU-T G.711 mu-law: sign, three-bit segment, four-bit step, inverted.

    Examples
    --------
    >>> mu_law(np.array([0, 32_635, -32_635, 1_000])).tolist()
    [255, 128, 0, 206]
    """
    size = np.minimum(np.abs(samples), _MOST) + _BIAS
    segment = np.floor(np.log2(size)).astype(np.int64) - 7
    step = (size >> (segment + 3)) & 15
    sign = np.where(samples < 0, 128, 0)
    return np.asarray(~(sign | segment << 4 | step) & 255, np.uint8)


def from_mu_law(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Decode mu-law codes to 16-bit samples.

    Examples
    --------
    >>> from_mu_law(np.array([255, 128, 0, 206], np.uint8)).tolist()
    [0, 32124, -32124, 988]
    """
    plain = ~codes.astype(np.int64) & 255
    size = (((plain & 15) << 3) + _BIAS << (plain >> 4 & 7)) - _BIAS
    return np.asarray(np.where(plain & 128, -size, size), np.int64)
