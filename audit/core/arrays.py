"""The arrays that pass between the layers: one clip's sound, one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""One clip, mono: shape [T], nominally in [-1, 1]; its sample rate is given next to it."""

Picture = NDArray[np.uint8]
"""One picture: shape [H, W, 3], RGB, 0 to 255."""
