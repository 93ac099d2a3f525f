"""Alignment of real faces: outline of the hair, similarity transforms, mean shape, and the warp into the mean frame."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay
from scipy.spatial.distance import cdist

from audit.cohorts.drawing.frame import OVAL, SIDE, Array, Frame, Y, remap

MESH = 468  # points of the face mesh; ten more follow for the irises, then the outline of the hair
RAYS = np.radians(np.linspace(-205, 25, 25))  # from the middle of the face, downwards positive: -90 is up
EYES = ([33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
        [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249])  # fmt: skip
LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])
NOSE_BRIDGE, NOSE_TIP, TOP = 168, 1, 10
FAR = np.array([[x, y] for x in np.linspace(-90, 314, 7) for y in np.linspace(-90, 314, 7)
                if x in (-90, 314) or y in (-90, 314)])  # fmt: skip


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


def skin(frame: Frame) -> Array:
    """Cheeks, nose and forehead, where tone and light are measured: bool, [224, 224]."""
    mask = frame.face > 0
    for ids, scale in [(one, 1.5) for one in EYES] + [(LIPS, 1.25)] + [(one, 1.4) for one in BROWS]:
        mask &= frame.polygon(ids, scale) == 0
    top, bottom = frame.shape[TOP, 1] + 25, frame.shape[NOSE_TIP, 1] + 25
    return np.asarray(mask & (top < Y) & (bottom > Y))


def places(frame: Frame, nodes: Array) -> sparse.csr_matrix:
    """Matrix that takes the points of a shape (and FAR) to the places of the ``nodes`` of the mean frame."""
    corners = np.vstack([frame.shape, FAR])
    mesh = Delaunay(corners)
    inside = mesh.find_simplex(nodes)
    base = mesh.transform[inside]
    weights = np.einsum("nij,nj->ni", base[:, :2], nodes - base[:, 2])
    weights = np.c_[weights, 1 - weights.sum(1)]
    rows = np.repeat(np.arange(len(nodes)), 3)
    return sparse.csr_matrix((weights.ravel(), (rows, mesh.simplices[inside].ravel())), (len(nodes), len(corners)))
