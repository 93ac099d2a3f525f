"""The face decoder (Cole et al. 2017): landmarks and a texture from a feature, and the warp of the texture."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audit.models.speech2face.config import Configuration
from audit.models.speech2face.warp import Warp


@dataclass(frozen=True)
class Decoded:
    """Output of the decoder.

    Attributes
    ----------
    landmarks : Tensor
        [B, N, 2], from -1 to 1.
    texture : Tensor
        [B, 3, size, size], on the mean face, about 0 to 1.
    picture : Tensor
        [B, 3, size, size]: the texture moved to the landmarks.
    """

    landmarks: Tensor
    texture: Tensor
    picture: Tensor


class FaceDecoder(nn.Module):
    """Features [B, feature] to pictures [B, 3, size, size], RGB, about 0 to 1.

    A first layer shared by both branches (1000 wide in the paper); fully connected layers to the landmarks; a fully
    connected layer and transposed convolutions, each doubling the side, to the texture of the mean face; the warp. The
    branches are added to the mean of the training portraits, which is part of the weights.
    """

    mean_texture: Tensor

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.base, self.count = configuration.base, configuration.landmarks
        self.first = nn.Linear(configuration.feature, configuration.first)
        widths = (configuration.first, *configuration.landmark_layers, 2 * configuration.landmarks)
        self.landmarks = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(widths))
        channels = (*configuration.texture_channels, 3)
        self.spread = nn.Linear(configuration.first, channels[0] * self.base**2)
        self.upward = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in itertools.pairwise(channels)
        )
        self.register_buffer("mean_texture", torch.full((3, configuration.size, configuration.size), 0.5))
        self.warp = Warp(configuration.landmarks, configuration.size)

    def forward(self, feature: Tensor) -> Decoded:
        """Landmarks, textures and pictures of the features."""
        hidden = torch.relu(self.first(feature))
        place = hidden
        for depth, layer in enumerate(self.landmarks):
            place = layer(torch.relu(place) if depth else place)
        landmarks = self.warp.mean + place.float().reshape(-1, self.count, 2)
        x = torch.relu(self.spread(hidden)).reshape(len(hidden), -1, self.base, self.base)
        for depth, layer in enumerate(self.upward):
            x = layer(torch.relu(x) if depth else x)
        texture = self.mean_texture + x.float()
        return Decoded(landmarks, texture, self.warp(texture, landmarks))
