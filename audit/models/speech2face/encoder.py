"""The voice encoder (Oh et al. 2019, table 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.models.speech2face.config import KERNEL, POOLED, STRIDES, Configuration


class VoiceEncoder(nn.Module):
    """Spectrogram [B, channels, time, frequency] to the face feature [B, feature].

    Nine convolutions of kernel 4 x 4 without padding, each followed by ReLU and batch norm, four of them by a pool
    of 2 in time only; after the ninth the average over all of time, then its ReLU and batch norm; two fully connected
    layers with a ReLU between. According to the authors, faces collapse to an average without batch norm.

    With ``configuration.average_spectrum`` the first of these layers has a second input, the clip's long-term average
    spectrum: the mean over time of each band, relative to the mean over all bands, with batch norm. Small convolutions
    learn the colour of a voice slowly, because it is a small difference of averages; this input states it.
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        widths = (configuration.input_channels, *configuration.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, KERNEL, stride)
            for before, after, stride in zip(widths, widths[1:], STRIDES, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in configuration.channels)
        channels, _, bins = configuration.encoder_shapes()[-1]
        self.first = nn.Linear(channels * bins, configuration.hidden)
        self.second = nn.Linear(configuration.hidden, configuration.feature)
        self.spectrum = (
            nn.Sequential(
                nn.BatchNorm1d(configuration.input_bins), nn.Linear(configuration.input_bins, configuration.hidden)
            )
            if configuration.average_spectrum
            else None
        )

    def forward(self, spectrogram: Tensor) -> Tensor:
        """The face feature of each clip."""
        x = spectrogram
        last = len(self.convolutions) - 1
        for place, (convolution, norm, pooled) in enumerate(zip(self.convolutions, self.norms, POOLED, strict=True)):
            x = convolution(x)
            if place == last:
                x = x.mean(2, keepdim=True)
            x = norm(torch.relu(x))
            if pooled:
                even = x.shape[2] // 2 * 2
                x = torch.maximum(x[:, :, 0:even:2], x[:, :, 1:even:2])
        hidden: Tensor = self.first(x.flatten(1))
        if self.spectrum is not None:
            bands = spectrogram.mean((1, 2))
            hidden = hidden + self.spectrum(bands - bands.mean(1, keepdim=True))
        feature: Tensor = self.second(torch.relu(hidden))
        return feature
