"""Sizes of the two networks. Tests use smaller ones; the published checkpoints fit only :data:`PUBLISHED`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATCH: Final = 16
STRIDE: Final = 10
"""Side of the spectrogram's square patches, and the step between them, in bands and frames."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of encoder and decoder.

    Attributes
    ----------
    bands, frames : int
        Mel bands and frames of the spectrogram.
    layers, heads, width : int
        Layers of the transformer, attention heads of each, and length of its tokens.
    feature : int
        Length of the face feature, which is the encoder's output and the decoder's input.
    shared : tuple of int
        Widths of the decoder's layers before its two branches.
    landmark_layers : tuple of int
        Hidden widths of the landmark branch.
    landmarks : int
        Outputs of that branch: x and y of 72 points.
    base : int
        Side in pixels of the texture branch's first map.
    channels : tuple of int
        Channels of that map and of the transposed convolutions, each of which doubles the side.

    Examples
    --------
    >>> PUBLISHED.patches, PUBLISHED.side
    (1212, 224)
    """

    bands: int = 128
    frames: int = 1024
    layers: int = 12
    heads: int = 12
    width: int = 768
    feature: int = 4096
    shared: tuple[int, ...] = (3072, 2048)
    landmark_layers: tuple[int, ...] = (1024, 512, 256)
    landmarks: int = 144
    base: int = 14
    channels: tuple[int, ...] = (256, 128, 64, 32, 32)

    @property
    def patches(self) -> int:
        """Number of patches of a spectrogram."""
        across, up = ((size - PATCH) // STRIDE + 1 for size in (self.frames, self.bands))
        return across * up

    @property
    def side(self) -> int:
        """Height and width of the pictures in pixels."""
        return int(self.base * 2 ** (len(self.channels) - 1))


PUBLISHED: Final = Sizes()
