"""Compression of the appearance model: quantised coefficients in the file that the package draws from.

The format is described at audit.cohorts.drawing.appearance.read_appearance.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from audit.cohorts.drawing.appearance import CHANNELS, FIELDS, FORMAT_VERSION, Cell
from audit.cohorts.drawing.frame import Array, Frame

SHARED = ("ageing_texture", "ageing_shape")  # the same for all groups of a gender
ROWS = {"mean_texture": 224, "ageing_texture": 112, "textures": 112, "uneven_textures": 112}
"""Lowest frequencies that are kept, in rows and columns; of shapes all 57."""
STEP = {
    "mean_texture": {"luma": 2, "red": 2, "blue": 2, "matte": 8},
    "ageing_texture": {"luma": 1, "red": 1, "blue": 1, "matte": 4},
    "textures": {"luma": 4, "red": 4, "blue": 4, "matte": 16},
    "uneven_textures": {"luma": 8, "red": 8, "blue": 8, "matte": 16},
    "mean_shape": {"x": 0.1, "y": 0.1},
    "ageing_shape": {"x": 0.1, "y": 0.1},
    "shapes": {"x": 0.3, "y": 0.3},
    "more_shapes": {"x": 0.3, "y": 0.3},
    "uneven_shapes": {"x": 0.6, "y": 0.6},
}
"""Quantisation step of the coefficients of the orthonormal transform: grey levels for textures, pixels for shapes."""


def write_appearance(path: Path, frame: Frame, cells: dict[tuple[str, str], Cell]) -> str:
    """Write the model file; returns its sha256."""
    groups, genders = (list(dict.fromkeys(key[place] for key in cells)) for place in (0, 1))
    table = [[cells[group, gender] for group in groups] for gender in genders]
    arrays: dict[str, Array] = {
        "format_version": np.array(FORMAT_VERSION),
        "groups": np.array(groups),
        "genders": np.array(genders),
        "landmarks": frame.shape,
        "towards": np.array([[cell.towards for cell in row] for row in table], np.float32),
    }
    for field, (kind, _) in FIELDS.items():
        for place, channel in enumerate(CHANNELS[kind]):
            rows, step = ROWS.get(field), STEP[field][channel]
            kept = [[_lowest(getattr(cell, field).channels[place].coefficients, rows) for cell in row] for row in table]
            coefficients = np.moveaxis(np.array(kept), (3, 4), (0, 1))  # frequency first: the zeros lie together
            if field in SHARED:
                coefficients = coefficients[:, :, :, :1]
            quantised = np.rint(coefficients / step)
            if np.abs(quantised).max() > np.iinfo(np.int16).max:
                raise ValueError(f"{field}.{channel}: a step of {step} is too small for 16 bits")
            arrays[f"{field}.{channel}"] = np.ascontiguousarray(quantised, np.int16)
            arrays[f"{field}.{channel}.step"] = np.float32(step)
    with zipfile.ZipFile(path, "w") as file:  # as numpy's npz, but by LZMA, which takes a fifth less
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_LZMA)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lowest(coefficients: Array, rows: int | None) -> Array:
    return coefficients[:, :rows, : rows and rows // 2]
