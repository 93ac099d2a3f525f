"""The faces that the generator learns from: chosen, brought into one shape, light and tone, off their background.

All choices look at the picture alone (pose, light, sharpness, what hides the face), with the same limits in every
group; none looks at what an instrument reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from faces_frame import FAR, NOSE_BRIDGE, NOSE_TIP, align, hair_outline, moved, places, similarity, skin
from faces_points import read_picture

from audit.cohorts.drawing.frame import SIDE, Array, Frame, X, Y, blur, remap
from audit.cohorts.drawing.rendering import PAPER

GROUPS = ("asian", "indian", "black", "white", "middle_eastern", "latino_hispanic")
DRAWN = GROUPS[:4]
"""The groups of which portraits are made; the others only help to learn how faces vary."""
GROUP_OF = {
    "East Asian": 0,
    "Southeast Asian": 0,
    "Indian": 1,
    "Black": 2,
    "White": 3,
    "Middle Eastern": 4,
    "Latino_Hispanic": 5,
}
YEARS = {"20-29": 25.0, "30-39": 34.5, "40-49": 44.5, "50-59": 54.5, "60-69": 64.5, "more than 70": 75.0}
LEFT_IN = {"brow": 93, "eyes": 88, "mouth": 94, "hair": 93, "glasses": 82}  # percentiles of what looks hidden or odd


@dataclass(frozen=True)
class Faces:
    """Faces in the mean shape: YCrCb textures with the matte as a fourth channel (0..255), shapes, labels."""

    frame: Frame
    texture: Array  # [n, 224, 224, 4] float32
    shape: Array  # [n, points, 2]
    group: Array  # [n] place in GROUPS
    man: Array  # [n] 0 or 1
    age: Array  # [n] years, middle of FairFace's class
    files: list[str]


def load(fairface: Path, work: Path) -> Faces:
    """Choose, warp and normalise the pictures named in ``work``/points.npz."""
    with np.load(work / "points.npz") as file:
        mesh, mattes, found = file["points"].astype(float), file["mattes"], file["found"]
    kept = frontal(mesh)
    mesh, mattes, found = mesh[kept], mattes[kept], found[kept]
    shapes = np.stack([np.vstack([p, hair_outline(p, m)]) for p, m in zip(mesh, mattes, strict=True)])
    aligned, mean = align(shapes)
    frame = Frame(mean)
    group = np.array([GROUP_OF[race] for race in found[:, 3]])
    man = (found[:, 2] == "Male").astype(int)
    age = np.array([YEARS[years] for years in found[:, 1]])

    to_pixels = places(frame, np.stack([X, Y], -1).reshape(-1, 2).astype(float))
    texture = np.empty((len(found), SIDE, SIDE, 4), np.float32)
    clipped = np.empty(len(found))
    for n, name in enumerate(found[:, 0]):
        picture = read_picture(fairface / name)
        far = moved(FAR, similarity(aligned[n], shapes[n]))
        way = (to_pixels @ np.vstack([shapes[n], far])).reshape(SIDE, SIDE, 2).astype(np.float32)
        x, y = blur(way[..., 0], 1.5), blur(way[..., 1], 1.5)
        flat = remap(picture, x, y)
        clipped[n] = (flat[frame.face > 0].max(-1) >= 252).mean()
        texture[n, ..., :3] = cv2.cvtColor(flat, cv2.COLOR_BGR2YCrCb)
        texture[n, ..., 3] = remap(mattes[n], x, y, cv2.INTER_LINEAR)

    usable, glasses = _usable(frame, texture, aligned, clipped, group)
    _normalise(frame, texture, group, usable)
    chosen = _unhidden(frame, texture, group, man, usable, glasses)
    files = [str(name) for name in found[chosen, 0]]
    return Faces(frame, texture[chosen], aligned[chosen], group[chosen], man[chosen], age[chosen], files)


def frontal(mesh: Array) -> Array:
    """Which faces, by their meshes [n, points, 2], are near-frontal, of usual size and have open eyes: bool, [n]."""
    left, right = mesh[:, 234], mesh[:, 454]
    width = right[:, 0] - left[:, 0]
    yaw = (mesh[:, NOSE_TIP, 0] - (left[:, 0] + right[:, 0]) / 2) / width
    line = mesh[:, 263] - mesh[:, 33]
    roll = np.degrees(np.arctan2(line[:, 1], line[:, 0]))
    pitch = (mesh[:, NOSE_TIP, 1] - (mesh[:, 33, 1] + mesh[:, 263, 1]) / 2) / (mesh[:, 152, 1] - mesh[:, 10, 1])
    lids = sum(
        (mesh[:, low, 1] - mesh[:, high, 1]) / np.linalg.norm(mesh[:, one] - mesh[:, other], axis=1) / 2
        for low, high, one, other in ((145, 159, 133, 33), (374, 386, 362, 263))
    )
    straight = (np.abs(yaw) < 0.19) & (np.abs(roll) < 14) & (np.abs(pitch - np.median(pitch)) < 0.095)
    return np.asarray(straight & (width > 110) & (width < 205) & (lids > 0.15))


def _tone(frame: Frame, texture: Array) -> Array:
    """Mean luminance and colour of the skin, and the spread of its luminance: [n, 4]."""
    of_skin = texture[:, skin(frame)]
    return np.asarray(np.c_[of_skin[..., :3].mean(1), of_skin[..., 0].std(1)])


def _usable(frame: Frame, texture: Array, shape: Array, clipped: Array, group: Array) -> tuple[Array, Array]:
    """Which pictures are coloured, lit, sharp and calm enough; and how strong the edges on the nose bridge are."""
    tone, face, on_skin = _tone(frame, texture), frame.face > 0, skin(frame)
    coloured = np.abs(texture[:, face, 1] - 128).mean(1) >= 4
    lop = texture[:, on_skin & (X < SIDE / 2), 0].mean(1) - texture[:, on_skin & (X >= SIDE / 2), 0].mean(1)
    sharp = [cv2.Laplacian(blur(one[..., 0], 1.2), cv2.CV_32F)[face].std() for one in texture]
    sharpness = np.array(sharp) / tone[:, 3].clip(12)
    mouth = np.linalg.norm(shape[:, 14] - shape[:, 13], axis=1) / np.linalg.norm(shape[:, 291] - shape[:, 61], axis=1)
    usable = coloured & (np.abs(lop) < 36) & (mouth < 0.42) & (clipped < 0.08) & (tone[:, 0] > 46) & (tone[:, 0] < 215)
    usable &= sharpness > np.percentile(sharpness, 8)
    for one in range(len(GROUPS)):
        usual = np.median(tone[group == one], 0)
        usable &= (group != one) | (np.abs(tone[:, 1:3] - usual[1:3]) < 22).all(1)
    x, y = frame.shape[NOSE_BRIDGE].astype(int)
    edges = [np.abs(cv2.Sobel(blur(one[..., 0], 1), cv2.CV_32F, 0, 1))[y - 6 : y + 14, x - 9 : x + 10].mean()
             for one in texture]  # fmt: skip
    return usable, np.array(edges) / tone[:, 3].clip(12)


def _normalise(frame: Frame, texture: Array, group: Array, usable: Array) -> None:
    """Bring light and tone of every picture to its group's usual one, and its background to plain paper; in place."""
    tone, on_skin = _tone(frame, texture), skin(frame)
    soft_face, wide_face = blur(frame.face, 2), blur(frame.face, 6)
    across = (X - (SIDE - 1) / 2) / 100
    for one in range(len(GROUPS)):
        usual = np.median(tone[usable & (group == one)], 0)
        for n in np.flatnonzero(group == one):
            picture, gain = texture[n], float(np.clip(usual[3] / max(tone[n, 3], 6), 0.55, 1.6))
            matte = np.maximum(np.clip((picture[..., 3] / 255 - 0.25) / 0.5, 0, 1), soft_face)
            picture[..., 0] = (picture[..., 0] - tone[n, 0]) * gain + usual[0]
            picture[..., 1:3] = (picture[..., 1:3] - tone[n, 1:3]) * np.clip(gain, 0.75, 1.3) + usual[1:3]
            picture[..., :3] = picture[..., :3] * matte[..., None] + PAPER * (1 - matte[..., None])
            np.clip(picture, 0, 255, out=picture)
            light = picture[on_skin, 0]
            slope = ((light - light.mean()) * across[on_skin]).sum() / (across[on_skin] ** 2).sum()
            picture[..., 0] -= 0.8 * slope * np.clip(across, -1, 1) * matte * wide_face
            picture[..., 3] = 255 * matte


def _unhidden(frame: Frame, texture: Array, group: Array, man: Array, usable: Array, glasses: Array) -> Array:
    """Leave out what 30 directions of variation cannot explain (hats, hands, glasses), the same share in each cell."""
    small = np.stack([cv2.resize(one[..., :3], (56, 56), interpolation=cv2.INTER_AREA) for one in texture])
    flat = small.reshape(len(small), -1)
    rest = np.zeros_like(flat)
    for sex in (0, 1):
        mine = man == sex
        learnt = usable & mine
        for _ in range(2):
            means = np.stack([flat[learnt & (group == one)].mean(0) for one in range(len(GROUPS))])
            centred = flat - means[group]
            _, spread, axes = np.linalg.svd(centred[learnt], full_matrices=False)
            limit = 2.5 * spread[:30] / np.sqrt(learnt.sum())
            left = centred - np.clip(centred @ axes[:30].T, -limit, limit) @ axes[:30]
            rest[mine] = left[mine]
            error = (left**2).sum(1)
            learnt = usable & mine & (error < np.percentile(error[learnt], 85))
    energy = (rest.reshape(small.shape) ** 2).sum(-1)
    face = cv2.resize(frame.face, (56, 56), interpolation=cv2.INTER_AREA) > 0.5
    row, eyes = np.arange(56)[:, None], frame.shape[NOSE_BRIDGE, 1] / 4
    regions = {
        "brow": face & (row < eyes - 6),
        "eyes": face & (row >= eyes - 6) & (row < eyes + 9),
        "mouth": face & (row >= eyes + 9),
        "hair": ~face & (row < 20),
    }
    odd = {name: energy[:, mask].mean(1) for name, mask in regions.items()} | {"glasses": glasses}
    chosen = usable.copy()
    for one in range(len(GROUPS)):
        for sex in (0, 1):
            cell = (group == one) & (man == sex)
            for name, share in LEFT_IN.items():
                chosen &= ~cell | (odd[name] < np.percentile(odd[name][usable & cell], share))
    return np.flatnonzero(chosen)
