"""The front end: waveforms to the normalised log-mel spectrograms on which the published encoder was trained."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE

LEVEL: Final = 10 ** (-23 / 20)
"""Root mean square of a clip: -23 dB of full scale."""
SAMPLES: Final = round(10.26 * SAMPLE_RATE)
MEAN, SPREAD = -5.460994, 3.1129124
"""Mean and standard deviation of the log-mel values of the published training set."""

WINDOW: Final = 400
HOP: Final = 160
FFT: Final = 512
LOW_HZ, HIGH_HZ = 20.0, 8000.0
FLOOR: Final = float(np.finfo(np.float32).eps)


def levelled(waveform: Waveform) -> NDArray[np.float64]:
    """A clip with that root mean square, clipped and rounded to 16 bits; zeros stay zeros."""
    sound = np.asarray(waveform, np.float64)
    level = np.sqrt(np.mean(sound**2))
    if level > 0:
        sound = sound * (LEVEL / level)
    return np.clip(np.rint(sound * 32768), -32768, 32767) / 32768


@lru_cache(maxsize=1)
def mel_filters(bands: int) -> NDArray[np.float64]:
    """Kaldi's triangular filters [257, bands] between 20 and 8000 Hz, on the mel scale 1127 ln(1 + f / 700)."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127 * np.log1p(hertz / 700))

    low, high = mel(np.array([LOW_HZ, HIGH_HZ])).tolist()
    edges = np.linspace(low, high, bands + 2)
    grid = mel(np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT)[:, None]
    rising = (grid - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - grid) / (edges[2:] - edges[1:-1])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None))


def log_mel(sound: NDArray[np.float64], bands: int) -> NDArray[np.float64]:
    """Kaldi's log-mel energies [frames, bands] of samples from -1 to 1 at 16 kHz.

    Frames of 25 ms every 10 ms; in each the mean is removed, pre-emphasis .97, Hann window.
    """
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    frames = frames - frames.mean(1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), FFT)) ** 2
    return np.asarray(np.log(np.maximum(power @ mel_filters(bands), FLOOR)))


def spectrogram(waveform: Waveform, bands: int = 128) -> NDArray[np.float32]:
    """The encoder's input [1024, bands] of a clip [T] at 16 kHz, levelled, then cut or repeated to 10.26 s."""
    sound = np.resize(levelled(waveform), SAMPLES)
    return np.asarray((log_mel(sound, bands) - MEAN) / (2 * SPREAD), np.float32)
