"""The mean frame of the appearance model: landmarks, masks, and the warp out of the mean shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIDE = 224
STEP = 4  # pixels between the nodes of the shape grid

# Landmarks by their index in MediaPipe's face mesh.
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
EYE_CORNERS = ([33, 133], [263, 362])
CHIN, JAW_CORNER = 152, 58

X, Y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
GRID = np.stack(np.meshgrid(*[np.minimum(np.arange(0, SIDE + 1, STEP), SIDE - 1)] * 2), -1).astype(np.float32)
"""Nodes of the shape grid in the mean frame, [57, 57, 2] as (x, y)."""


def blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur; ``sigma`` in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))


def ellipse(centre: Array, width: float, height: float, sigma: float) -> Array:
    """A soft elliptic mask, [224, 224], 1 in the middle; the half axes in pixels."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(mask, (int(centre[0]), int(centre[1])), (int(width), int(height)), 0, 0, 360, 1, -1)
    return blur(mask, sigma)


def remap(picture: Array, x: Array, y: Array, how: int = cv2.INTER_CUBIC) -> Array:
    """The picture sampled at the places ``x`` and ``y`` (pixels, [H, W] each); the border is repeated outside."""
    places = np.asarray(x, np.float32), np.asarray(y, np.float32)
    return np.asarray(cv2.remap(picture, *places, how, borderMode=cv2.BORDER_REPLICATE))


@dataclass(frozen=True)
class Frame:
    """The mean shape, and the masks that follow from it.

    Attributes
    ----------
    shape : ndarray
        Landmarks of the mean shape, [points, 2] as (x, y) in pixels: the face mesh, then the outline of the hair.
    """

    shape: Array

    def polygon(self, ids: list[int], scale: float = 1.0) -> Array:
        """Mask of the polygon through the landmarks ``ids``, scaled about its centre: uint8, [224, 224], 0 or 1."""
        corners = self.shape[ids]
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [((corners - corners.mean(0)) * scale + corners.mean(0)).astype(np.int32)], 1)
        return mask

    @property
    def face(self) -> Array:
        """Mask of the face without hair and ears: float32, [224, 224], 0 or 1."""
        return self.polygon(OVAL, 0.97).astype(np.float32)


def inverse(places: Array) -> tuple[Array, Array]:
    """For each pixel of a picture, the x and y of the point of the mean frame that lies there.

    Solved by fixed-point iteration.

    Parameters
    ----------
    places : ndarray
        Where the nodes of the shape grid lie in the picture, [57, 57, 2] as (x, y).
    """
    offset = (places - GRID).astype(np.float32)
    x, y = X.copy(), Y.copy()
    last = GRID.shape[0] - 1
    for _ in range(30):
        there = remap(offset, np.clip(x / STEP, 0, last), np.clip(y / STEP, 0, last), cv2.INTER_LINEAR)
        x, y = 0.3 * x + 0.7 * (X - there[..., 0]), 0.3 * y + 0.7 * (Y - there[..., 1])
    return blur(x, 0.8), blur(y, 0.8)
