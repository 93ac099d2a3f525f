"""Batched augmentation of waveforms and faces on the device, seeded by torch's generator.

Maintained libraries for waveform augmentation work clip by clip in numpy, several times slower than a training step.
The operations preserve timbre: pitch and vocal tract change by a few per cent, and no clip is normalised by its own
spectrum.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from audit.training.landmarks import MIRRORED
from audit.training.plan import VoiceStage


def symmetric(reach: float, *shape: int) -> Tensor:
    """Uniform draws in [-reach, reach]."""
    return (torch.rand(*shape) * 2 - 1) * reach


def crops(waveforms: Tensor, length: int) -> Tensor:
    """A random crop of each clip: [B, T] to [B, length]; whole clips if they are not longer or length is 0."""
    total = waveforms.shape[1]
    if length <= 0 or length >= total:
        return waveforms
    starts = torch.randint(0, total - length + 1, (len(waveforms), 1))
    return waveforms.gather(1, (starts + torch.arange(length)).to(waveforms.device))


def sped(waveforms: Tensor, factor: float) -> Tensor:
    """The batch sped up by the factor, which raises pitch and formants; resampled by FFT: [B, T] to [B, T / factor]."""
    length = waveforms.shape[1]
    wanted = round(length / factor)
    faster: Tensor = torch.fft.irfft(torch.fft.rfft(waveforms), n=wanted) * (wanted / length)
    return faster


def coloured(waveforms: Tensor, rms_db: float, sample_rate: int) -> Tensor:
    """Each clip filtered by a random smooth frequency response on the mel axis, like that of a microphone.

    The response is a sum of cosines of 1 to 6 half-periods, each with a normal gain of ``rms_db`` dB root mean square.
    """
    spectrum = torch.fft.rfft(waveforms)
    hertz = torch.linspace(0, sample_rate / 2, spectrum.shape[1])
    place = torch.log1p(hertz / 700) / math.log1p(sample_rate / 1400)
    patterns = math.sqrt(2) * torch.cos(math.pi * torch.arange(1, 7)[:, None] * place)
    decibels = (rms_db * torch.randn(len(waveforms), 6) @ patterns).to(waveforms.device)
    filtered: Tensor = torch.fft.irfft(spectrum * 10 ** (decibels / 20), n=waveforms.shape[1])
    return filtered


def noisy(waveforms: Tensor, least_db: float) -> Tensor:
    """The clips with white noise, at a signal-to-noise ratio of ``least_db`` to ``least_db + 30`` dB."""
    level = waveforms.square().mean(1, keepdim=True).sqrt()
    depth = (least_db + 30 * torch.rand(len(waveforms), 1)).to(waveforms.device)
    return waveforms + torch.randn(waveforms.shape).to(waveforms.device) * level * 10 ** (-depth / 20)


def augmented(waveforms: Tensor, settings: VoiceStage, sample_rate: int) -> Tensor:
    """Crop, speed, colour, noise and gain according to the plan; the vocal tract is changed in the mel filters."""
    length = round(settings.crop_seconds * sample_rate) or waveforms.shape[1]
    factor = 1.0 + float(symmetric(settings.pitch, 1))
    made = sped(crops(waveforms, round(length * factor)), factor) if settings.pitch else crops(waveforms, length)
    if settings.colour_db:
        made = coloured(made, settings.colour_db, sample_rate)
    if settings.noise_db:
        made = noisy(made, settings.noise_db)
    gain = 10 ** (symmetric(settings.gain_db, len(made), 1) / 20)
    return made * gain.to(made.device)


def mirrored(landmarks: Tensor) -> Tensor:
    """The landmarks [B, 72, 2] of the mirrored pictures."""
    return landmarks[:, MIRRORED] * landmarks.new_tensor([-1.0, 1.0])


def mixes(count: int, speakers: int) -> tuple[Tensor, Tensor]:
    """Which three of the speakers are mixed, and their weights, which sum to 1: [count, 3] each.

    About 70 % of the mixes are the first speaker alone. A mix may extrapolate beyond its speakers, by up to a quarter
    of their distance from the even mix.
    """
    chosen = torch.rand(count, speakers).argsort(1)[:, :3]
    raw = torch.rand(count, 3).pow(2) + 1e-3
    mix = raw / raw.sum(1, keepdim=True)
    mix = mix + 0.25 * (mix - 1 / 3) * torch.rand(count, 1)
    return chosen, torch.where(torch.rand(count, 1) < 0.7, torch.tensor([1.0, 0.0, 0.0]), mix)


def lit(pictures: Tensor) -> Tensor:
    """Pictures with random lighting: brightness, contrast, colour temperature, and a gradient."""
    count, _, height, width = pictures.shape
    device = pictures.device
    gain = 1 + symmetric(0.08, count, 1, 1, 1).to(device) + symmetric(0.02, count, 3, 1, 1).to(device)
    power = torch.exp(symmetric(0.12, count, 1, 1, 1)).to(device)
    angle = torch.rand(count, 1, 1, 1).to(device) * 2 * torch.pi
    x = torch.linspace(-1, 1, width, device=device)[None, None, None, :]
    y = torch.linspace(-1, 1, height, device=device)[None, None, :, None]
    shade = 1 + 0.1 * torch.rand(count, 1, 1, 1).to(device) * (angle.cos() * x + angle.sin() * y)
    return (pictures.clamp(1e-3, 1).pow(power) * gain * shade).clamp(0, 1)


def nudged(pictures: Tensor) -> Tensor:
    """Pictures slightly rotated, scaled and shifted, like differently framed portraits."""
    count = len(pictures)
    angle, size = symmetric(0.04, count), 1 + symmetric(0.04, count)
    rows = torch.stack((size * angle.cos(), -size * angle.sin(), symmetric(0.04, count),
                        size * angle.sin(), size * angle.cos(), symmetric(0.04, count)), 1)  # fmt: skip
    grid = functional.affine_grid(rows.reshape(count, 2, 3).to(pictures), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
