"""Sizes of the two networks. Tests use smaller ones; the published checkpoints fit only the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATCH: Final = 16
STRIDE: Final = 10
"""Side of the spectrogram's square patches, and the step between them, in bands and frames."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the transformer (``layers`` of ``heads``, tokens of ``width``) and of the decoder's branches.

    Examples
    --------
    >>> Sizes().patches
    1212
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
