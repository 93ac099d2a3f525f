"""Array types of a clip and a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""One clip, mono: shape [T], nominally in [-1, 1]; the sample rate is passed separately."""

Picture = NDArray[np.uint8]
"""One picture: shape [H, W, 3], RGB, 0 to 255."""
