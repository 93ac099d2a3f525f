"""The fit of the appearance model: for each group and gender a mean face, its change with age, and how faces vary.

After the warp by landmarks, a smooth optical flow to the mean of the cell aligns what has no landmarks (hair, ears,
brows), so that means stay sharp.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from faces_frame import FAR, places
from faces_training import DRAWN, GROUPS, Faces

from audit.cohorts.drawing.appearance import FIELDS, SYMMETRIC_GRID, Cell, Fields
from audit.cohorts.drawing.frame import GRID, SIDE, Array, Frame, X, Y, blur, ellipse, remap

COMPONENTS, SHAPE_COMPONENTS, UNEVEN_COMPONENTS = 50, 20, 20
OWN = 0.65  # share of the variation that comes from faces of the own group; the rest from those of the other groups


@dataclass(frozen=True)
class Learnt:
    """A cell of the model, and how many faces it was learnt from."""

    cell: Cell
    faces: int
    effective_faces: Array  # of each of the 50 components: 1 / sum of fourth powers of its unit weights


def refine(faces: Faces) -> tuple[Array, Array]:
    """Textures after the flow (float16), and the shape as the places of the grid's nodes."""
    frame, texture = faces.frame, faces.texture
    flow_finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow_finder.setFinestScale(1)
    inner = blur(cv2.erode(frame.face, np.ones((9, 9))), 5)[..., None]
    light = texture[..., 0].copy()
    total = np.zeros((*light.shape, 2), np.float32)
    for _ in range(2):
        for one in range(len(GROUPS)):
            for sex in (0, 1):
                cell = np.flatnonzero((faces.group == one) & (faces.man == sex))
                aim = _levelled(_even(light[cell].mean(0)[..., None])[..., 0])
                for n in cell:
                    flow = np.asarray(flow_finder.calc(aim, _levelled(light[n]), np.empty(0, np.float32)))
                    # inside the face the landmarks are good already: there the flow may only bend gently
                    rough, gentle = blur(flow, 6), blur(flow, 11)
                    flow = 0.8 * np.clip(rough + (0.8 * gentle - rough) * inner, -4, 4)
                    total[n] = flow + remap(total[n], X + flow[..., 0], Y + flow[..., 1], cv2.INTER_LINEAR)
                    light[n] = remap(texture[n, ..., 0], X + total[n, ..., 0], Y + total[n, ..., 1])
    moved = np.empty(texture.shape, np.float16)
    shapes = np.empty((len(texture), *GRID.shape), np.float32)
    for face, bend in enumerate(total):
        moved[face] = remap(texture[face], X + bend[..., 0], Y + bend[..., 1])
        nodes = GRID + remap(bend, GRID[..., 0], GRID[..., 1], cv2.INTER_LINEAR)
        shapes[face] = (places(frame, nodes.reshape(-1, 2)) @ np.vstack([faces.shape[face], FAR])).reshape(GRID.shape)
    return moved, shapes


def _levelled(light: Array) -> Array:
    return np.asarray(np.clip((light - light.mean()) / light.std() * 50 + 128, 0, 255).astype(np.uint8))


def _mirrored(texture: Array) -> Array:
    return np.asarray(texture[..., ::-1, :])


def _even(texture: Array) -> Array:
    return np.asarray((texture + _mirrored(texture)) / 2)


def _mirrored_shape(shape: Array) -> Array:
    mirrored: Array = shape[..., ::-1, :].copy()
    mirrored[..., 0] = SIDE - 1 - mirrored[..., 0]
    return mirrored


def _combined(weights: Array, faces: Array) -> Array:
    return np.tensordot(weights.T.astype(np.float32), faces, 1)


def _seen(texture: Array, weight: Array) -> Array:
    """What counts when directions are looked for: the face more than its surroundings, colour more than light."""
    features = texture[..., :3] * np.array([1, 1.5, 1.5], np.float32) * weight
    return np.asarray(features[:, ::2, ::2].reshape(len(texture), -1))


def _directions(gram: Array, count: int) -> Array:
    return np.linalg.eigh(gram)[1][:, ::-1][:, :count]


def fit(faces: Faces) -> dict[tuple[str, str], Learnt]:
    """One cell for each group and sex."""
    texture, shape = refine(faces)
    ten_years = (faces.age - 40) / 10
    face = faces.frame.face
    weight = (0.75 * blur(cv2.dilate(face, np.ones((9, 9))), 8) + 0.25)[..., None]
    cells: dict[tuple[str, str], Learnt] = {}
    for sex, gender in enumerate(("woman", "man")):
        mine = np.flatnonzero(faces.man == sex)
        group, years = faces.group[mine], ten_years[mine]
        x, g = texture[mine].astype(np.float32), shape[mine]
        even, uneven = _even(x), (x - _mirrored(x)) / 2
        even_g, uneven_g = (g + _mirrored_shape(g)) / 2, (g - _mirrored_shape(g)) / 2
        del x
        # Least squares on group and age; a class of age counts by the root of its size, else the young drown the old.
        design = np.zeros((len(mine), len(GROUPS) + 1))
        design[np.arange(len(mine)), group] = 1
        design[:, -1] = years
        size = np.array([((group == a) & (years == b)).sum() for a, b in zip(group, years, strict=True)])
        weighted = design / np.sqrt(size)[:, None]
        solve = np.linalg.solve(weighted.T @ design + np.diag([0.0] * len(GROUPS) + [0.5]), weighted.T)
        means, means_g = np.tensordot(solve, even, 1).astype(np.float32), np.tensordot(solve, even_g, 1)
        rest = even - np.tensordot(design, means, 1).astype(np.float32)
        rest_g = even_g - np.tensordot(design, means_g, 1)
        # No single face may pull far at any one place.
        for part in (rest, uneven):
            limit = 2.2 * part.std(0)
            np.clip(part, -limit, limit, out=part)
        for place, name in enumerate(DRAWN):
            own = group == place
            middle = np.median((even[own] - years[own][:, None, None, None].astype(np.float32) * means[-1]), 0)
            mean = 0.25 * means[place] + 0.75 * middle
            share = np.where(own, np.sqrt(OWN / own.sum()), np.sqrt((1 - OWN) / (~own).sum())).astype(np.float32)
            mixed, mixed_g = rest * share[:, None, None, None], rest_g * share[:, None, None, None]
            seen = _seen(mixed, weight)
            axes = _directions(seen @ seen.T, COMPONENTS)
            shapes = _combined(axes, mixed_g)
            left = (mixed_g - np.tensordot(axes, shapes, 1)).astype(np.float64)
            flat = left.reshape(len(mine), -1)
            tilted = uneven * share[:, None, None, None]
            lop = (tilted[..., :1] * weight)[:, ::2, ::2].reshape(len(mine), -1)
            uneven_axes = _directions(lop @ lop.T, UNEVEN_COMPONENTS)
            # Where the other groups' means lie, in units of the drawn variation (whose covariance is then the identity,
            # so these are the directions of a linear discriminant between the groups).
            features, others = axes.T @ seen, [other for other in range(len(GROUPS)) if other != place]
            gap = _seen(means[others] - means[place], weight)
            towards = (features / (features**2).sum(1, keepdims=True)) @ gap.T
            further = _combined(_directions(flat @ flat.T, SHAPE_COMPONENTS), left)
            basis = further.reshape(SHAPE_COMPONENTS, -1)
            gap_g = means_g[others] - means_g[place] - np.tensordot(towards.T, shapes, 1)
            towards_g = (basis / (basis**2).sum(1, keepdims=True)) @ gap_g.reshape(len(others), -1).T
            parts = {
                "mean_texture": mean[None],
                "ageing_texture": means[-1:],
                "textures": _combined(axes, mixed),
                "uneven_textures": _combined(uneven_axes, tilted),
                "mean_shape": means_g[[place]] - SYMMETRIC_GRID,
                "ageing_shape": means_g[-1:],
                "shapes": shapes,
                "more_shapes": further,
                "uneven_shapes": _combined(uneven_axes, uneven_g * share[:, None, None, None]),
            }
            if gender == "woman":
                _remove_forehead_mark(parts["mean_texture"][0], parts["textures"], faces.frame)
            fields = {field: Fields.of(*FIELDS[field], part) for field, part in parts.items()}
            cell = Cell(towards=np.vstack([towards, towards_g]), **fields)
            cells[name, gender] = Learnt(cell, int(own.sum()), 1 / (axes**4).sum(0))
    return cells


def _remove_forehead_mark(mean: Array, textures: Array, frame: Frame) -> None:
    """Fill the spot above the nose from its surroundings, in place: marks worn there average to a smudge."""
    spot = ellipse(frame.shape[9] - [0, 6], 13, 22, 4)[..., None]
    around = blur(mean[..., :3] * (1 - spot) + 1e-3, 9) / blur(1 - spot[..., 0] + 1e-5, 9)[..., None]
    mean[..., :3] += spot * (around - mean[..., :3])
    textures *= 1 - spot
