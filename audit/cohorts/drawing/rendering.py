"""Rendering of a portrait from one cell of the appearance model, a seed and an age."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from audit.cohorts.drawing.appearance import SYMMETRIC_GRID, Cell
from audit.cohorts.drawing.frame import (
    CHIN,
    EYE_CORNERS,
    JAW_CORNER,
    SIDE,
    Array,
    Frame,
    X,
    Y,
    blur,
    ellipse,
    inverse,
    remap,
)
from audit.core.arrays import Picture

PAPER = np.array([190, 128, 128], np.float32)  # the plain background of the faces learnt from, YCrCb
TEXTURE, SHAPE, UNEVEN = 0.70, 0.90, 0.30  # spread of what is drawn, in standard deviations of the faces learnt from
TYPICAL = 2.0  # how far, in the same unit, all faces of a cell are moved away from the means of the nearest groups
NEAREST = 2  # number of these groups
LIMIT = 1.8  # numbers beyond this are drawn again
EXPOSURE = (1.10, 1.35)
BANDS = ((1.0, 2.5), (2.2, 2.1), (5.0, 1.35))  # sigma of a blur, and contrast of the finer detail against the mean's
YOUNGEST = 20  # years; the model was learnt from no younger face


@dataclass(frozen=True)
class Regions:
    """Soft masks of the mean frame, [224, 224], 0 to 1: where a face varies, and where the neck and clothes are."""

    frame: Frame

    @cached_property
    def face(self) -> Array:
        """The face with a soft edge."""
        return blur(cv2.dilate(self.frame.face, np.ones((7, 7))), 4)

    @cached_property
    def upper(self) -> Array:
        """Above the corners of the jaw."""
        return np.asarray(1 / (1 + np.exp((Y - self.frame.shape[JAW_CORNER, 1] + 12) / 9)))

    @cached_property
    def hair(self) -> Array:
        """Outside the face, above the jaw."""
        return np.asarray((1 - self.face) * self.upper)

    @cached_property
    def body(self) -> Array:
        """Outside the face, below the jaw."""
        return np.asarray((1 - self.face) * (1 - self.upper))

    @cached_property
    def neck(self) -> Array:
        """The middle part of the body."""
        return self.body * blur((np.abs(X - (SIDE - 1) / 2) < 52).astype(np.float32), 5)

    @cached_property
    def eyes(self) -> Array:
        """The eyes and their surroundings."""
        middles = [self.frame.shape[ids].mean(0) for ids in EYE_CORNERS]
        return np.asarray(np.clip(np.sum([ellipse(middle, 24, 14, 4) for middle in middles], axis=0), 0, 1))

    @cached_property
    def inner(self) -> Array:
        """Well inside the face (bool)."""
        return np.asarray(cv2.erode(self.frame.face, np.ones((15, 15))) > 0.5)

    @cached_property
    def spread(self) -> Array:
        """Share of the drawn variation that is kept, by pixel and channel: [224, 224, 4]."""
        face = self.face * (1 - 0.5 * self.eyes)
        colour = 0.6 * face + 0.35 * self.hair + 0.08 * self.body
        light = face + 0.55 * self.hair + 0.15 * self.body
        return np.dstack([light, colour, colour, 0.2 * self.face + 0.4 * self.hair + 0.2 * self.body])


def _draw(rng: np.random.Generator, count: int) -> Array:
    """Standard normal numbers, those beyond LIMIT drawn again."""
    numbers = rng.standard_normal(count)
    while (np.abs(numbers) > LIMIT).any():
        numbers = np.where(np.abs(numbers) > LIMIT, rng.standard_normal(count), numbers)
    return numbers.astype(np.float32)


def _typical(cell: Cell) -> Array:
    """Coefficients of length TYPICAL that lead away from the nearest groups' means, from each by the same share."""
    far = np.linalg.norm(cell.towards, axis=0)
    nearest = np.argsort(far)[:NEAREST]
    away = -(cell.towards[:, nearest] / far[nearest]).sum(1)
    return np.asarray(TYPICAL * away / np.linalg.norm(away))


def render(cell: Cell, regions: Regions, seed: int, age: float) -> Picture:
    """Draw and render one portrait.

    Parameters
    ----------
    cell : Cell
        The model of the group and gender.
    regions : Regions
        The masks of the mean frame.
    seed : int
        Seed of all random numbers of the portrait.
    age : float
        Age in years; below 20 the portrait is that of 20.

    Returns
    -------
    ndarray
        Shape [224, 224, 3], uint8, RGB. The same arguments give the same bytes on one machine.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    decades = np.float32((max(age, YOUNGEST) - 40) / 10)
    count = len(cell.textures)
    drawn, uneven = _draw(rng, count + len(cell.more_shapes)), UNEVEN * _draw(rng, len(cell.uneven_textures))
    # The part that would lead from the own group's mean towards another group's mean is removed.
    plane = np.linalg.qr(cell.towards)[0]
    drawn = drawn - plane @ (plane.T @ drawn)
    away = _typical(cell)
    usual, bent = cell.mean_texture.only(), SHAPE * drawn + away

    change = cell.textures.combined(TEXTURE * drawn[:count]) + cell.uneven_textures.combined(uneven)
    texture = usual + decades * cell.ageing_texture.only() + regions.spread * change
    texture += (1 - regions.body)[..., None] * cell.textures.combined(away[:count])
    places = SYMMETRIC_GRID + cell.mean_shape.only() + decades * cell.ageing_shape.only()
    places = places + cell.uneven_shapes.combined(uneven)
    places = places + cell.shapes.combined(bent[:count]) + cell.more_shapes.combined(bent[count:])

    _clothe(texture, regions)
    _even_out(texture, usual[..., 0], regions)
    x, y = inverse(places)
    return _photograph(remap(texture, x, y), remap(blur(regions.frame.face, 3), x, y, cv2.INTER_LINEAR), rng)


def _clothe(texture: Array, regions: Regions) -> None:
    """Add a neck of the skin's tone, and soft grey clothes; in place."""
    below = regions.body - regions.neck
    texture[..., :3] += below[..., None] * (blur(texture[..., :3], 5) - texture[..., :3])
    texture[..., 1:3] -= 0.6 * below[..., None] * (texture[..., 1:3] - 128)
    skin = np.median(texture[regions.inner], 0)
    shade = np.array([0.74 * skin[0], 128 + 0.85 * (skin[1] - 128), 128 + 0.9 * (skin[2] - 128)], np.float32)
    depth = np.clip(1 - (Y - regions.frame.shape[CHIN, 1]) / 60, 0.5, 1)
    texture[..., :3] += (0.8 * regions.neck * depth)[..., None] * (shade - texture[..., :3])
    texture[..., 3] = np.maximum(texture[..., 3], 255 * regions.neck)


def _even_out(texture: Array, usual: Array, regions: Regions) -> None:
    """Bring contrast and sharpness near those of the mean face, whose luminance is ``usual``; in place."""
    light, inner = texture[..., 0], regions.inner
    light += 0.3 * regions.eyes * (light - blur(light, 10))
    middle = light[inner].mean()
    gain = np.clip(1.08 * usual[inner].std() / light[inner].std(), 0.8, 1.3)
    pull = 0.5 * (usual[inner].mean() - middle) * (0.3 + 0.7 * regions.face)
    light[:] = (light - middle) * gain + middle + pull
    finer, finer_usual, sharper = light.copy(), usual, light.copy()
    for sigma, more in BANDS:
        smooth, smooth_usual = blur(finer, sigma), blur(finer_usual, sigma)
        wanted = more * (finer_usual - smooth_usual)[inner].std()
        sharper += (np.clip(wanted / (finer - smooth)[inner].std(), 0.6, 2.2) - 1) * (finer - smooth)
        finer, finer_usual = smooth, smooth_usual
    light[:] = sharper
    texture[..., 1:3] += 0.3 * (texture[..., 1:3] - blur(texture[..., 1:3], 2))
    texture[..., 3] = blur(texture[..., 3], 3)


def _photograph(texture: Array, face: Array, rng: np.random.Generator) -> Picture:
    """Put a graded background behind the person, light the picture and convert it to RGB."""
    matte = np.maximum(np.clip(texture[..., 3] / 255, 0, 1), face)
    person = PAPER + (texture[..., :3] - PAPER) / np.maximum(matte, 0.35)[..., None]
    edge = np.clip((matte - 0.58) / 0.34, 0, 1)
    edge = (edge * edge * (3 - 2 * edge))[..., None]
    from_middle = np.hypot(X / SIDE - 0.5, Y / SIDE - 0.45)
    flat = np.ones((SIDE, SIDE))
    paper = np.dstack(
        [
            rng.uniform(150, 205) + 18 * (1 - 1.6 * from_middle),
            flat * (128 + rng.uniform(-3, 2)),
            flat * (128 + rng.uniform(-2, 5)),
        ]
    )
    picture = person * edge + paper * (1 - edge)
    exposure = rng.uniform(*EXPOSURE)
    gain = exposure / (1 + (exposure - 1) * np.clip(picture[..., :1] / 255, 0, 1) ** 2)  # white stays white
    picture[..., :1] *= gain
    picture[..., 1:3] = 128 + (picture[..., 1:3] - 128) * np.sqrt(gain)
    return np.asarray(cv2.cvtColor(np.clip(picture + 0.5, 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2RGB))
