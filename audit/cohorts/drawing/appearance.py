"""The appearance model: for each group and gender a mean face, its change with age, and the directions of variation.

An active appearance model (Cootes, Edwards & Taylor, *Active Appearance Models*, PAMI 2001) of textures and shapes in
one mean frame. Every field (a channel of a texture, a coordinate of a shape) is stored as coefficients of the discrete
cosine transform. Linear combinations are taken on the coefficients, so a portrait costs one inverse transform for each
channel. Fields that are symmetric about the middle of the face have only even columns of coefficients, antisymmetric
ones only odd columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.fft import dctn, idctn

from audit.cohorts.drawing.frame import GRID, SIDE, Array

FORMAT_VERSION: Final = 1

CHANNELS: Final = {"texture": ("luma", "red", "blue", "matte"), "shape": ("x", "y")}
"""Channels of a texture (Y, Cr, Cb and the matte of the person, 0 to 255) and of a shape (pixels)."""

SYMMETRIC_GRID: Final = (GRID + [SIDE - 1, 0] + GRID[:, ::-1] * [-1, 1]) / 2
"""The nodes of the shape grid, symmetric about the middle of the frame; shapes are stored as offsets from it."""

FIELDS: Final = {
    "mean_texture": ("texture", False),
    "ageing_texture": ("texture", False),
    "textures": ("texture", False),
    "uneven_textures": ("texture", True),
    "mean_shape": ("shape", False),
    "ageing_shape": ("shape", False),
    "shapes": ("shape", False),
    "more_shapes": ("shape", False),
    "uneven_shapes": ("shape", True),
}
"""Fields of a cell: texture or shape, and whether they vary between left and right (``uneven``)."""


@dataclass(frozen=True)
class Spectra:
    """Fields of one channel as coefficients of the orthonormal cosine transform (type 2).

    Attributes
    ----------
    coefficients : ndarray
        Shape [n, rows, columns], float32: the lowest frequencies of each field.
    side : int
        Side of the field in pixels or nodes.
    odd : bool
        Whether the fields are antisymmetric about the vertical middle line; otherwise they are symmetric.
    """

    coefficients: Array
    side: int
    odd: bool

    @classmethod
    def of(cls, fields: Array, odd: bool) -> Spectra:
        """Transform fields, [n, side, side], without loss if they have the stated symmetry."""
        transformed = np.asarray(dctn(fields.astype(np.float32), axes=(1, 2), norm="ortho"))
        return cls(np.ascontiguousarray(transformed[:, :, int(odd) :: 2]), fields.shape[1], odd)

    def combined(self, weights: Array) -> Array:
        """The sum of the fields by ``weights`` ([n]): float32, [side, side]."""
        # einsum without BLAS: the order of summation does not depend on the number of threads
        total = np.einsum("n,nij->ij", weights.astype(np.float32), self.coefficients, optimize=False)
        full = np.zeros((self.side, self.side), np.float32)
        rows, columns = total.shape
        full[:rows, int(self.odd) : int(self.odd) + 2 * columns : 2] = total
        return np.asarray(idctn(full, norm="ortho"))


@dataclass(frozen=True)
class Fields:
    """Textures or shapes: the spectra of each channel."""

    channels: tuple[Spectra, ...]

    @classmethod
    def of(cls, kind: str, uneven: bool, fields: Array) -> Fields:
        """Transform fields, [n, side, side, channels]; ``kind`` is ``texture`` or ``shape``."""
        odd = channel_symmetry(kind, uneven)
        return cls(tuple(Spectra.of(fields[..., place], one) for place, one in enumerate(odd)))

    def __len__(self) -> int:
        return len(self.channels[0].coefficients)

    def combined(self, weights: Array) -> Array:
        """The sum of the fields by ``weights`` ([n]): float32, [side, side, channels]."""
        return np.stack([channel.combined(weights) for channel in self.channels], -1)

    def only(self) -> Array:
        """The field, where there is only one."""
        return self.combined(np.ones(1, np.float32))


def channel_symmetry(kind: str, uneven: bool) -> tuple[bool, ...]:
    """Whether each channel is antisymmetric: x changes its sign in the mirror, the other channels do not.

    Examples
    --------
    >>> channel_symmetry("shape", uneven=False)
    (True, False)
    """
    return tuple(uneven != (channel == "x") for channel in CHANNELS[kind])


@dataclass(frozen=True)
class Cell:
    """The model of one group and gender.

    Attributes
    ----------
    mean_texture, mean_shape : Fields
        The mean face at 40 years; the shape as offsets from ``SYMMETRIC_GRID``.
    ageing_texture, ageing_shape : Fields
        The change in ten years.
    textures, shapes : Fields
        n symmetric directions of variation of the texture, and the shape that goes with each; unit: one standard
        deviation of the faces learnt from.
    more_shapes : Fields
        m directions of variation of the shape that the texture does not explain.
    towards : ndarray
        Where the means of the other groups lie, as coefficients of ``textures`` and ``more_shapes``: [n + m, groups].
    uneven_textures, uneven_shapes : Fields
        Directions of variation between left and right.
    """

    mean_texture: Fields
    mean_shape: Fields
    ageing_texture: Fields
    ageing_shape: Fields
    textures: Fields
    shapes: Fields
    more_shapes: Fields
    towards: Array
    uneven_textures: Fields
    uneven_shapes: Fields


@dataclass(frozen=True)
class AppearanceModel:
    """Cells by group and gender, and the landmarks of the mean shape ([points, 2], pixels)."""

    landmarks: Array
    cells: dict[tuple[str, str], Cell]


def read_appearance(path: Path) -> AppearanceModel:
    """Read a model file.

    Arrays of the file: ``format_version``; ``groups`` and ``genders`` (names); ``landmarks`` (float64, [points, 2]);
    ``towards`` (float32, [genders, groups, n + m, other groups]); and for each field and channel
    ``FIELD.CHANNEL`` (int16, [rows, columns, genders, groups or 1, n], quantised coefficients; 1 where the groups of a
    gender share the field) and ``FIELD.CHANNEL.step`` (float32, the quantisation step).

    Raises
    ------
    ValueError
        If the format version is another one.
    """
    with np.load(path, allow_pickle=False) as file:
        version = int(file["format_version"])
        if version != FORMAT_VERSION:
            raise ValueError(f"{path.name} has format version {version}; this release reads {FORMAT_VERSION}")
        arrays = {name: file[name] for name in file.files}
    groups, genders = [str(name) for name in arrays["groups"]], [str(name) for name in arrays["genders"]]
    cells: dict[tuple[str, str], Cell] = {}
    for row, gender in enumerate(genders):
        for column, group in enumerate(groups):
            fields = {field: _fields(arrays, field, row, column) for field in FIELDS}
            cells[group, gender] = Cell(towards=arrays["towards"][row, column], **fields)
    return AppearanceModel(arrays["landmarks"], cells)


def _fields(arrays: dict[str, Array], field: str, gender: int, group: int) -> Fields:
    kind, uneven = FIELDS[field]
    side = SIDE if kind == "texture" else len(GRID)
    channels: list[Spectra] = []
    for channel, odd in zip(CHANNELS[kind], channel_symmetry(kind, uneven), strict=True):
        stored, step = arrays[f"{field}.{channel}"], arrays[f"{field}.{channel}.step"]
        shared = stored.shape[3] == 1
        coefficients = np.moveaxis(stored[:, :, gender, 0 if shared else group], -1, 0) * step
        channels.append(Spectra(np.ascontiguousarray(coefficients, np.float32), side, odd))
    return Fields(tuple(channels))
