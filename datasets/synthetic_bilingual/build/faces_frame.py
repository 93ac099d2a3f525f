"""The frame all faces are brought into: mesh indices, regions, masks, and warps to and from the mean shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay
from scipy.spatial.distance import cdist

Array = NDArray[Any]

SIDE = 224
STEP = 4  # pixels between the nodes of the shape grid
MESH = 468  # points of the face mesh; ten more follow for the irises, then the outline of the hair
RAYS = np.radians(np.linspace(-205, 25, 25))  # from the middle of the face, downwards positive: -90 is up
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
EYES = ([33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
        [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249])  # fmt: skip
LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])
NOSE_BRIDGE, NOSE_TIP, TOP, CHIN, JAW_CORNER = 168, 1, 10, 152, 58

X, Y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
GRID = np.stack(np.meshgrid(*[np.minimum(np.arange(0, SIDE + 1, STEP), SIDE - 1)] * 2), -1).astype(np.float32)
"""Nodes of the shape grid in the mean frame, [57, 57, 2] as (x, y)."""
FAR = np.array([[x, y] for x in np.linspace(-90, 314, 7) for y in np.linspace(-90, 314, 7)
                if x in (-90, 314) or y in (-90, 314)])  # fmt: skip


def read_picture(path: Path) -> Array:
    """A picture as BGR uint8."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise OSError(f"{path} is no picture that can be read")
    return picture


def blur(picture: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def ellipse(centre: Array, width: float, height: float, sigma: float) -> Array:
    """A soft spot, 1 in its middle."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(mask, (int(centre[0]), int(centre[1])), (int(width), int(height)), 0, 0, 360, 1, -1)
    return blur(mask, sigma)


def remap(picture: Array, x: Array, y: Array, how: int = cv2.INTER_CUBIC) -> Array:
    return cv2.remap(
        picture, np.asarray(x, np.float32), np.asarray(y, np.float32), how, borderMode=cv2.BORDER_REPLICATE
    )


def hair_outline(points: Array, matte: Array) -> Array:
    """Where each ray leaves the person, at least just beyond the face: [25, 2]."""
    centre = (points[NOSE_BRIDGE] + points[4]) / 2
    unit = np.stack([np.cos(RAYS), np.sin(RAYS)], 1)
    radii = np.arange(40, 190, 1.0)
    way = centre + unit[:, None] * radii[None, :, None]
    inside = ((way >= 1) & (way < SIDE - 1)).all(-1)
    value = remap(matte, way[..., 0], way[..., 1], cv2.INTER_LINEAR)
    oval = points[OVAL] - centre
    angle, length = np.arctan2(oval[:, 1], oval[:, 0]), np.hypot(*oval.T)
    apart = np.abs((angle[None] - RAYS[:, None] + np.pi) % (2 * np.pi) - np.pi)
    least = np.take_along_axis(np.broadcast_to(length, apart.shape), np.argsort(apart, 1)[:, :2], 1).mean(1) + 4
    left = ((value < 110) | ~inside) & (radii[None] > least[:, None])
    first = np.where(left.any(1), left.argmax(1), len(radii) - 1)
    radius = radii[first] + 10.0 * ~inside[np.arange(len(RAYS)), first]
    padded = np.pad(radius, 2, "edge")
    radius = np.array([np.median(padded[i : i + 5]) for i in range(len(RAYS))])
    padded = np.pad(radius, 1, "edge")
    radius = np.maximum((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, least + 3)
    return np.asarray(centre + unit * radius[:, None])


def similarity(points: Array, onto: Array) -> tuple[complex, Array, Array]:
    """Scale and turn (one complex number) and the two centres that bring the mesh of ``points`` onto another's."""
    mine, other = points[:MESH].mean(0), onto[:MESH].mean(0)
    a, b = (points[:MESH] - mine) @ [1, 1j], (onto[:MESH] - other) @ [1, 1j]
    return complex((np.conj(a) * b).sum() / (np.abs(a) ** 2).sum()), mine, other


def moved(points: Array, by: tuple[complex, Array, Array]) -> Array:
    turned = ((points - by[1]) @ [1, 1j]) * by[0]
    return np.stack([turned.real, turned.imag], 1) + by[2]


def align(shapes: Array) -> tuple[Array, Array]:
    """Shapes without turn, scale and place, and their mean made symmetric about the middle of the frame."""
    mean = shapes.mean(0)
    reference, aligned = mean, shapes
    for _ in range(3):
        aligned = np.stack([moved(shape, similarity(shape, reference)) for shape in shapes])
        reference = moved(aligned.mean(0), similarity(aligned.mean(0), mean))
    shift = np.array([(SIDE - 1) / 2 - reference[NOSE_BRIDGE, 0], 0])
    aligned, reference = aligned + shift, reference + shift
    mirrored = reference * [-1, 1] + [SIDE - 1, 0]
    partner = linear_sum_assignment(cdist(reference, mirrored))[1]
    return aligned, (reference + mirrored[partner]) / 2


@dataclass(frozen=True)
class Frame:
    """The mean shape, and the masks that follow from it."""

    shape: Array

    def polygon(self, ids: list[int], scale: float = 1.0) -> Array:
        corners = self.shape[ids]
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [((corners - corners.mean(0)) * scale + corners.mean(0)).astype(np.int32)], 1)
        return mask

    @property
    def face(self) -> Array:
        return self.polygon(OVAL, 0.97).astype(np.float32)

    @property
    def skin(self) -> Array:
        """Cheeks, nose and forehead: where tone and light are measured."""
        mask = self.face > 0
        for ids, scale in [(one, 1.5) for one in EYES] + [(LIPS, 1.25)] + [(one, 1.4) for one in BROWS]:
            mask &= self.polygon(ids, scale) == 0
        top, bottom = self.shape[TOP, 1] + 25, self.shape[NOSE_TIP, 1] + 25
        return np.asarray(mask & (top < Y) & (bottom > Y))

    def places(self, nodes: Array) -> sparse.csr_matrix:
        """Matrix that takes the points of a shape (and FAR) to the places of the ``nodes`` of the mean frame."""
        corners = np.vstack([self.shape, FAR])
        mesh = Delaunay(corners)
        inside = mesh.find_simplex(nodes)
        base = mesh.transform[inside]
        weights = np.einsum("nij,nj->ni", base[:, :2], nodes - base[:, 2])
        weights = np.c_[weights, 1 - weights.sum(1)]
        rows = np.repeat(np.arange(len(nodes)), 3)
        return sparse.csr_matrix((weights.ravel(), (rows, mesh.simplices[inside].ravel())), (len(nodes), len(corners)))


def inverse(places: Array) -> tuple[Array, Array]:
    """For each pixel of a picture the point of the mean frame that lies there (fixed-point iteration)."""
    offset = (places - GRID).astype(np.float32)
    x, y = X.copy(), Y.copy()
    last = GRID.shape[0] - 1
    for _ in range(30):
        there = remap(offset, np.clip(x / STEP, 0, last), np.clip(y / STEP, 0, last), cv2.INTER_LINEAR)
        x, y = 0.3 * x + 0.7 * (X - there[..., 0]), 0.3 * y + 0.7 * (Y - there[..., 1])
    return blur(x, 0.8), blur(y, 0.8)
