"""Conversion of pictures to RGB with 8 bits: bit depths by the file, and transparency on white."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BACKGROUND: Final = "white"
"""The colour that is shown behind transparent parts."""
RANGES: Final = (1, 255, 65_535)
"""The largest values to which the numbers of a picture without a stated bit depth are scaled."""
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
"""Tags of TIFF files."""


class UnsupportedDepth(ValueError):
    """The numbers of a picture cannot be scaled to 8 bits; the message says why."""


def in_rgb(image: Image.Image, file: Image.Image) -> tuple[Image.Image, list[str]]:
    """An image as RGB with 8 bits, and what was converted; ``file`` is the opened file that it comes from.

    16-bit grey is scaled by the bit depth of the file. Float and 32-bit grey, which state no largest value, are scaled
    by the smallest of 1, 255 and 65,535 that no pixel exceeds.

    Raises
    ------
    UnsupportedDepth
        If a number is negative, above 65,535 or not finite.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _scaled(image, file)
    if not image.has_transparency_data:
        return image.convert("RGB"), []
    layers = image.convert("RGBA")
    lowest, _ = layers.getchannel("A").getextrema()
    if lowest == 255:  # opaque everywhere
        return layers.convert("RGB"), []
    ground = Image.new("RGBA", layers.size, BACKGROUND)
    return Image.alpha_composite(ground, layers).convert("RGB"), [f"transparency was composited on {BACKGROUND}"]


def _scaled(image: Image.Image, file: Image.Image) -> tuple[Image.Image, list[str]]:
    """Grey with more than 8 bits, as RGB."""
    values = np.asarray(image, np.float64)
    tags = getattr(file, "tag_v2", {})
    if image.mode.startswith("I;"):
        bits = int(tags.get(_BITS_PER_SAMPLE, (16,))[0])
        largest, depth = 2**bits - 1, f"{bits}-bit grey was scaled to 8 bits"
    elif file.format == "PPM":  # which Pillow scales to 16 bits
        largest, depth = 65_535, "16-bit grey was scaled to 8 bits"
    else:
        largest = _largest(values, "float" if image.mode == "F" else "32-bit")
        depth = f"{'float' if image.mode == 'F' else '32-bit'} grey was scaled from 0 to {largest}"
    shown = np.rint(np.clip(values / largest, 0, 1) * 255).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == 0:  # TIFF: 0 is white
        shown = 255 - shown
    return Image.fromarray(shown).convert("RGB"), [depth]


def _largest(values: NDArray[np.float64], kind: str) -> int:
    if not np.isfinite(values).all():
        raise UnsupportedDepth(f"{kind} grey with numbers that are not finite; supported are 0 to 1, 255 or 65,535")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > RANGES[-1]:
        raise UnsupportedDepth(f"{kind} grey from {low:g} to {high:g}; supported are 0 to 1, 255 or 65,535")
    return next(largest for largest in RANGES if high <= largest)
