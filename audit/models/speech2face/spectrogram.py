"""From waveforms to the encoder's input, in batches, on the model's device."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE
from audit.models.speech2face.config import FFT, HOP, WINDOW, Configuration

LEVEL = 10 ** (-25 / 20)
"""Root mean square of a levelled clip: -25 dBFS."""

POWER_FLOOR = 1e-6
MEL_LOW, MEL_HIGH = 60.0, 7600.0


def fit_length(waveform: Waveform, samples: int) -> Waveform:
    """The first ``samples`` of a clip; a shorter one is repeated from its start (the paper's rule)."""
    return np.resize(waveform, samples)


def batch_of(waveforms: Sequence[Waveform], samples: int) -> Tensor:
    """Clips as one tensor [B, samples], float32."""
    return torch.from_numpy(np.stack([fit_length(waveform, samples) for waveform in waveforms]).astype(np.float32))


def stft(waveforms: Tensor) -> Tensor:
    """Short-time Fourier transform without padding at the ends: [B, T] to complex [B, frames, 257].

    Hann window of 400 samples (periodic), hop of 160, zero-padded to 512. Equal to ``scipy.signal.stft`` with
    ``boundary=None, padded=False`` times the window's sum.
    """
    window = torch.hann_window(WINDOW, device=waveforms.device, dtype=waveforms.dtype)
    spectrum: Tensor = torch.fft.rfft(waveforms.unfold(-1, WINDOW, HOP) * window, n=FFT)
    return spectrum


def mel_filters(bands: int, warp: float = 1.0) -> Tensor:
    """Triangular mel filters [257, bands] between 60 and 7600 Hz, each of unit sum (O'Shaughnessy 1987's scale).

    ``warp`` multiplies every band's frequency: a change of vocal-tract length (Jaitly & Hinton 2013).
    """
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (MEL_LOW, MEL_HIGH))
    edges = 700 * (10 ** (torch.linspace(low, high, bands + 2, dtype=torch.float64) / 2595) - 1) * warp
    grid = torch.arange(FFT // 2 + 1, dtype=torch.float64)[:, None] * SAMPLE_RATE / FFT
    rising = (grid - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - grid) / (edges[2:] - edges[1:-1])
    filters = torch.minimum(rising, falling).clamp(min=0)
    return (filters / filters.sum(0).clamp(min=1e-3)).float()


class Spectrogram(nn.Module):
    """Waveforms [B, T] to the encoder's input [B, channels, frames, bins]."""

    filters: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.front, self.levelled = configuration.front, configuration.levelled
        if self.front == "mel":
            self.register_buffer("filters", mel_filters(configuration.mel_bands), persistent=False)
            self.register_buffer("mean", torch.zeros(configuration.mel_bands))
            self.register_buffer("spread", torch.ones(configuration.mel_bands))

    def forward(self, waveforms: Tensor, filters: Tensor | None = None) -> Tensor:
        """The encoder's input; training may pass other mel filters."""
        if self.levelled:
            loudness = waveforms.square().mean(-1, keepdim=True).sqrt()
            waveforms = waveforms * (LEVEL / loudness.clamp(min=1e-5))
        spectrum = stft(waveforms)
        if self.front == "complex":
            parts = torch.stack((spectrum.real, spectrum.imag), 1)
            return parts.sign() * parts.abs().pow(0.3)
        return (self.log_mel(spectrum, filters) - self.mean) / self.spread

    def log_mel(self, spectrum: Tensor, filters: Tensor | None = None) -> Tensor:
        """Logarithm of mel-band power: complex [B, frames, 257] to [B, 1, frames, bands]."""
        power = spectrum.real.square() + spectrum.imag.square()
        return (power @ (self.filters if filters is None else filters) + POWER_FLOOR).log()[:, None]
