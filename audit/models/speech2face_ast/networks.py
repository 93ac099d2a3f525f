"""The two networks, with the published names of their tensors.

The encoder is the Audio Spectrogram Transformer of Gong, Chung and Glass (2021, arXiv 2104.01778) with a ReLU at its
end; its tensors have the names that the library transformers gave them before version 5. The decoder follows Cole et
al. (2017, arXiv 1701.04851).
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from audit.models.speech2face_ast.sizes import PATCH, STRIDE, Sizes


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-12)


class Block(nn.Module):
    """Tokens [B, N, width] after attention and two linear layers, each after a layer norm and added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.layernorm_before, self.layernorm_after = _norm(width), _norm(width)
        inputs = nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")})
        dense = nn.ModuleDict({"dense": nn.Linear(width, width)})
        self.attention = nn.ModuleDict({"attention": inputs, "output": dense})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * width, width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """The changed tokens."""
        normed = self.layernorm_before(tokens)
        query, key, value = (
            layer(normed).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in self.attention.get_submodule("attention").children()
        )
        mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        tokens = tokens + self.attention.get_submodule("output.dense")(mixed)
        widened = functional.gelu(self.intermediate["dense"](self.layernorm_after(tokens)))
        changed: Tensor = tokens + self.output["dense"](widened)
        return changed


class Embeddings(nn.Module):
    """Spectrograms [B, frames, bands] to tokens [B, 2 + patches, width]: two learned ones and one for each patch."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.distillation_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, sizes.patches + 2, sizes.width))
        self.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(1, sizes.width, PATCH, STRIDE)})

    def forward(self, spectrograms: Tensor) -> Tensor:
        """The tokens with their positions added."""
        patches = self.patch_embeddings["projection"](spectrograms.transpose(1, 2)[:, None]).flatten(2).transpose(1, 2)
        learned = [token.expand(len(patches), -1, -1) for token in (self.cls_token, self.distillation_token)]
        return torch.cat([*learned, patches], 1) + self.position_embeddings


class VoiceEncoder(nn.Module):
    """Spectrograms [B, frames, bands] to face features [B, feature], at least 0 (89.34 M parameters as published)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        blocks = nn.ModuleList(Block(sizes.width, sizes.heads) for _ in range(sizes.layers))
        encoder = nn.ModuleDict({"layer": blocks})
        self.audio_spectrogram_transformer = nn.ModuleDict(
            {"embeddings": Embeddings(sizes), "encoder": encoder, "layernorm": _norm(sizes.width)}
        )
        last = {"layernorm": _norm(sizes.width), "dense": nn.Linear(sizes.width, sizes.feature)}
        self.classifier = nn.ModuleList([nn.ModuleDict(last)])

    def forward(self, spectrograms: Tensor) -> Tensor:
        """The features: from the mean of the two learned tokens after all layers."""
        tokens = self.audio_spectrogram_transformer["embeddings"](spectrograms)
        for block in self.audio_spectrogram_transformer.get_submodule("encoder.layer").children():
            tokens = block(tokens)
        token = self.audio_spectrogram_transformer["layernorm"](tokens)[:, :2].mean(1)
        for layer in self.classifier.get_submodule("0").children():
            token = layer(token)
        return torch.relu(token)


def _dense(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU())


class FaceDecoder(nn.Module):
    """Face features [B, feature] to pictures [B, 3, side, side], RGB, about 0 to 1 (125.60 M parameters as published).

    The published decoder also has a landmark branch, which does not change the picture: it is loaded and not computed.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        last, first = sizes.shared[-1], sizes.channels[0]
        self.pre_layers = nn.Sequential(*itertools.starmap(_dense, itertools.pairwise((sizes.feature, *sizes.shared))))
        widths = (last, *sizes.landmark_layers)
        places = nn.Sequential(nn.Linear(widths[-1], sizes.landmarks))
        self.landmark_layers = nn.Sequential(*itertools.starmap(_dense, itertools.pairwise(widths)), places)
        layers = [nn.Sequential(nn.Linear(last, first * sizes.base**2), nn.ReLU())]
        for number, (before, after) in enumerate(itertools.pairwise(sizes.channels)):
            square = [nn.Unflatten(1, (first, sizes.base, sizes.base))] if number == 0 else []
            doubled = nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1)
            layers.append(nn.Sequential(*square, doubled, nn.ReLU()))
        self.texture_layers = nn.Sequential(*layers, nn.Sequential(nn.Conv2d(sizes.channels[-1], 3, 1)))

    def forward(self, features: Tensor) -> Tensor:
        """The pictures."""
        pictures: Tensor = self.texture_layers(self.pre_layers(features))
        return pictures
