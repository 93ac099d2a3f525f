"""The paper's craniofacial measures of a face, from its 68 landmarks.

Oh et al. 2019 (Speech2Face) correlate twelve of the craniofacial distances, areas and ratios of Merler et al. 2019
(Diversity in Faces, arXiv 1901.10436), who took them from Farkas (Anthropometry of the Head and Face, 1994). They are
defined by anthropometric points, which this module maps to dlib's points as follows:

nasion n 27, subnasale sn 33, alare al 31 and 35, subalare sbal 32 and 34, labiale superius ls 51 and, next to it, ls'
50 and 52, stomion sto 62 (of the upper lip) and 66 (of the lower), labiale inferius li 57, cheilion ch 48 and 54,
gnathion gn 8, gonion go 4 and 12, zygion zy 1 and 15, endocanthion en 39 and 42, exocanthion ex 36 and 45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


@dataclass(frozen=True)
class Measure:
    """One measure: a length, a ratio of two, or an area.

    ``of`` are the pairs of landmarks between which lengths are measured and averaged; for an area, the edges of the
    polygon in order. ``by`` are the landmarks of the length by which it is divided. ``None``: the distance between the
    eyes (for an area, its square), which makes it independent of the size of the face in the picture.
    """

    name: str
    of: tuple[Span, ...]
    by: Span | None = None
    area: bool = False


MEASURES: Final = (
    Measure("upper_lip_height", ((33, 62),)),
    Measure("lateral_upper_lip_heights", ((32, 50), (34, 52))),
    Measure("jaw_width", ((4, 12),)),
    Measure("nose_height", ((27, 33),)),
    Measure("nose_width", ((31, 35),)),
    Measure("labio_oral_region", ((48, 54),)),
    Measure("mandibular_index", ((66, 8),), by=(4, 12)),
    Measure("intercanthal_index", ((39, 42),), by=(36, 45)),
    Measure("nasal_index", ((31, 35),), by=(27, 33)),
    Measure("vermilion_height_index", ((51, 62),), by=(66, 57)),
    Measure("mouth_face_width_index", ((48, 54),), by=(1, 15)),
    Measure("nose_area", ((27, 31), (31, 32), (32, 33), (33, 34), (34, 35), (35, 27)), area=True),
)
"""The twelve measures in the paper's order."""


def craniofacial_measures(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Every measure of every face.

    ``landmarks``, of shape [n, 68, 2], are dlib's points in any unit; NaN for a face that was not read. The result, of
    shape [n, 12], is in the order of :data:`MEASURES`, dimensionless and rounded to six decimals. Lengths are divided
    by the distance between the eyes' centres (the means of six points each), areas by its square, indices by their own
    length. NaN where the face was not read or the divisor is zero.

    Examples
    --------
    >>> face = np.zeros((1, 68, 2), np.float32)
    >>> face[0, 36:42], face[0, 42:48], face[0, 31], face[0, 35] = (30, 50), (70, 50), (40, 80), (60, 80)
    >>> craniofacial_measures(face)[0, [measure.name for measure in MEASURES].index("nose_width")].item()
    0.5
    """
    points = landmarks.astype(np.float64)
    eyes = _length(points[:, 36:42].mean(axis=1) - points[:, 42:48].mean(axis=1))
    columns = []
    for measure in MEASURES:
        size = _area(points, measure) if measure.area else _mean_length(points, measure.of)
        by = eyes**2 if measure.area else eyes if measure.by is None else _mean_length(points, (measure.by,))
        columns.append(np.divide(size, by, out=np.full(len(points), np.nan), where=by > 0))
    return np.round(np.stack(columns, axis=1), 6)


def _length(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(vector[..., 0], vector[..., 1]))


def _mean_length(points: NDArray[np.float64], spans: tuple[Span, ...]) -> NDArray[np.float64]:
    return np.asarray(np.mean([_length(points[:, a] - points[:, b]) for a, b in spans], axis=0))


def _area(points: NDArray[np.float64], measure: Measure) -> NDArray[np.float64]:
    """The polygon's area by the shoelace formula, half the sum of the cross products along its edges."""
    crosses = [points[:, a, 0] * points[:, b, 1] - points[:, b, 0] * points[:, a, 1] for a, b in measure.of]
    return np.asarray(np.abs(np.sum(crosses, axis=0)) / 2)
