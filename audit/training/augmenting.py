"""Augmentation in batches, on the device, drawn from torch's generator alone: waveforms and faces.

No library of waveform augmentation is used: those that are kept work clip by clip in numpy and bring a resampler and a
pitch shifter of their own, several times slower than the training step itself; what is needed here are five short
operations on a batch. None of them takes the timbre away: pitch and vocal tract move by a few per cent, and no clip is
normalised by its own spectrum.
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
    """A random cut of each clip: [B, T] to [B, length]; whole clips where they are no longer than that.

    Examples
    --------
    >>> crops(torch.arange(10.0).repeat(3, 1), 4).shape
    torch.Size([3, 4])
    """
    total = waveforms.shape[1]
    if length <= 0 or length >= total:
        return waveforms
    starts = torch.randint(0, total - length + 1, (len(waveforms), 1))
    return waveforms.gather(1, (starts + torch.arange(length)).to(waveforms.device))


def sped(waveforms: Tensor, factor: float) -> Tensor:
    """The batch played faster by the factor, so that pitch and formants rise together; resampled exactly by FFT.

    Examples
    --------
    >>> sped(torch.zeros(2, 1000), 1.25).shape
    torch.Size([2, 800])
    """
    length = waveforms.shape[1]
    wanted = round(length / factor)
    spectrum = torch.fft.rfft(waveforms)
    bins = wanted // 2 + 1
    spectrum = (
        spectrum[:, :bins] if bins <= spectrum.shape[1] else functional.pad(spectrum, (0, bins - spectrum.shape[1]))
    )
    faster: Tensor = torch.fft.irfft(spectrum, n=wanted) * (wanted / length)
    return faster


def coloured(waveforms: Tensor, spread_db: float, sample_rate: int) -> Tensor:
    """Each clip through a microphone of its own: a smooth curve over the mel axis up to half the sample rate.

    The curve is a sum of cosines of 1 to 6 half-periods, each with a normal gain of ``spread_db`` dB root mean square.
    """
    spectrum = torch.fft.rfft(waveforms)
    hertz = torch.linspace(0, sample_rate / 2, spectrum.shape[1])
    place = torch.log1p(hertz / 700) / math.log1p(sample_rate / 1400)
    patterns = math.sqrt(2) * torch.cos(math.pi * torch.arange(1, 7)[:, None] * place)
    decibels = (spread_db * torch.randn(len(waveforms), 6) @ patterns).to(waveforms.device)
    heard: Tensor = torch.fft.irfft(spectrum * 10 ** (decibels / 20), n=waveforms.shape[1])
    return heard


def noisy(waveforms: Tensor, least_db: float) -> Tensor:
    """White noise on each clip, from ``least_db`` to 30 dB more under its voice."""
    level = waveforms.square().mean(1, keepdim=True).sqrt()
    depth = (least_db + 30 * torch.rand(len(waveforms), 1)).to(waveforms.device)
    return waveforms + torch.randn(waveforms.shape).to(waveforms.device) * level * 10 ** (-depth / 20)


def augmented(waveforms: Tensor, settings: VoiceStage, sample_rate: int) -> Tensor:
    """Cut, speed, colour, noise and gain, as the plan says; the vocal tract is moved in the mel filters."""
    length = round(settings.crop_seconds * sample_rate) or waveforms.shape[1]
    factor = 1.0 + float(symmetric(settings.pitch, 1))
    heard = sped(crops(waveforms, round(length * factor)), factor) if settings.pitch else crops(waveforms, length)
    if settings.colour_db:
        heard = coloured(heard, settings.colour_db, sample_rate)
    if settings.noise_db:
        heard = noisy(heard, settings.noise_db)
    gain = 10 ** (symmetric(settings.gain_db, len(heard), 1) / 20)
    return heard * gain.to(heard.device)


def mirrored(landmarks: Tensor) -> Tensor:
    """Landmarks [B, 72, 2] of the mirrored pictures."""
    return landmarks[:, MIRRORED] * landmarks.new_tensor([-1.0, 1.0])


def mixing_weights(count: int, speakers: int, pure: float = 0.4, among: int = 3, reach: float = 0.25) -> Tensor:
    """Rows [count, speakers] that sum to 1: some pure speakers, the others mixes of ``among``, or a little beyond.

    Parameters
    ----------
    count, speakers : int
        Rows and columns.
    pure : float
        Share of rows with a single speaker.
    among : int
        How many are mixed.
    reach : float
        How far beyond the mixed speakers a mix may lie.
    """
    chosen = torch.rand(count, speakers).argsort(1)[:, :among]
    raw = torch.rand(count, among).pow(2) + 1e-3
    mix = raw / raw.sum(1, keepdim=True)
    mix = mix + reach * (mix - 1 / among) * torch.rand(count, 1)
    single = torch.zeros(count, among)
    single[:, 0] = 1
    mix = torch.where(torch.rand(count, 1) < pure, single, mix)
    return torch.zeros(count, speakers).scatter(1, chosen, mix)


def lit(pictures: Tensor) -> Tensor:
    """Pictures in another light: brightness, contrast, warmth, and a soft gradient across."""
    count, _, height, width = pictures.shape
    device = pictures.device
    gain = 1 + symmetric(0.08, count, 1, 1, 1).to(device) + symmetric(0.02, count, 3, 1, 1).to(device)
    power = torch.exp(symmetric(0.12, count, 1, 1, 1)).to(device)
    angle = torch.rand(count, 1, 1, 1).to(device) * 2 * torch.pi
    x = torch.linspace(-1, 1, width, device=device)[None, None, None, :]
    y = torch.linspace(-1, 1, height, device=device)[None, None, :, None]
    shade = 1 + 0.1 * torch.rand(count, 1, 1, 1).to(device) * (angle.cos() * x + angle.sin() * y)
    return (pictures.clamp(1e-3, 1).pow(power) * gain * shade).clamp(0, 1)


def nudged(pictures: Tensor, shift: float = 0.04, scale: float = 0.04, turn: float = 0.04) -> Tensor:
    """Pictures moved, scaled and turned a little, as portraits of other hands are framed."""
    count = len(pictures)
    angle, size = symmetric(turn, count), 1 + symmetric(scale, count)
    rows = torch.stack((size * angle.cos(), -size * angle.sin(), symmetric(shift, count),
                        size * angle.sin(), size * angle.cos(), symmetric(shift, count)), 1)  # fmt: skip
    grid = functional.affine_grid(rows.reshape(count, 2, 3).to(pictures), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
