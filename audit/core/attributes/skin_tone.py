"""Skin tone, measured on skin pixels without a classifier: individual typology angle, hue and nearest Monk swatch.

Light and camera change the colours of a photograph, so one picture says little about a person. Portrait, ceiling and
rendered face of one speaker can be compared in pairs; see the check S2F008.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.core.attributes.attribute import Attribute, Floats, Landmarks, Number, Probed, Read, Reads
from audit.core.metric import Metric
from audit.core.vocabulary import group_members

MONK_SWATCHES: Final = (
    "#f6ede4",
    "#f3e7db",
    "#f7ead0",
    "#eadaba",
    "#d7bd96",
    "#a07e56",
    "#825c43",
    "#604134",
    "#3a312a",
    "#292420",
)
"""The ten swatches of the Monk Skin Tone scale from light to dark, as sRGB values (Monk 2019, skintone.google)."""

SEPARATION: Final[Mapping[str, float]] = {
    "asian": 0.57,
    "indian": 0.68,
    "black": 0.77,
    "middle_eastern": 0.55,
    "latino_hispanic": 0.59,
}
"""How well the typology angle separates photographs of each race label from those of white people: area under the ROC
curve on FairFace's training pictures (``scripts/skin_tone_study.py``). 0.5 is chance."""

FEWEST_PIXELS: Final = 30
"""Fewest skin pixels from which a tone is measured."""

_CHEEKS: Final = ((1, 2, 3, 4, 48, 31, 40, 41), (15, 14, 13, 12, 54, 35, 47, 46))
_BROWS: Final = (18, 19, 20, 23, 24, 25)
_DARKEST: Final = 3.0
_GREY: Final = 0.1
# The regions' outlines as indices into dlib's 68 points. A pixel this dark in L* has no reliable colour. In a grey
# picture chroma is not exactly 0, because the conversion rounds.


def separation(group: str) -> float | None:
    """The area under the ROC curve by which the typology angle separates photographs of a group and of white people.

    For a label of several races it is the smallest of theirs; ``None`` if one of them was not measured.

    Examples
    --------
    >>> separation("black"), separation("asian|indian"), separation("unknown")
    (0.77, 0.57, None)
    """
    found = [SEPARATION.get(race) for race in group_members(group)]
    known = [auc for auc in found if auc is not None]
    return min(known) if known and len(known) == len(found) else None


def typology_angle(lab: Floats) -> Floats:
    """Individual typology angle in degrees: ``atan((L* - 50) / b*) * 180 / pi`` (Chardon et al. 1991).

    Above 55 is very light, from 10 to 28 tan, below -30 dark (Del Bino et al. 2006). It is defined for the yellowish
    colours of skin, ``b* > 0``.

    Parameters
    ----------
    lab : float array of shape (..., 3)
        CIELAB colours.

    Examples
    --------
    >>> typology_angle(np.array([[70.0, 10.0, 20.0], [40.0, 10.0, 10.0]])).tolist()
    [45.0, -45.0]
    """
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50, lab[..., 2])))


def hue_angle(lab: Floats) -> Floats:
    """Hue in degrees, ``atan2(b*, a*) * 180 / pi``: 0 is red, 90 yellow (Thong et al. 2023, section 3)."""
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])))


def skin_colour(picture: Picture, landmarks: Landmarks) -> Floats | None:
    """The median CIELAB colour of the skin of cheeks and forehead.

    Parameters
    ----------
    picture : ndarray
        RGB, uint8, shape [H, W, 3].
    landmarks : ndarray
        dlib's 68 points: shape [68, 2], x and y in pixels.

    Returns
    -------
    ndarray or None
        Shape [3]: L* in [0, 100], a* and b*, under D65. The median is taken within each of the three regions, then over
        the regions, so that hair on the forehead or a shadow on one cheek counts for one region only. ``None`` with
        fewer than :data:`FEWEST_PIXELS` pixels of skin in the picture.
    """
    import cv2

    medians, n_pixels = [], 0
    for outline in _regions(np.asarray(landmarks, np.float64)):
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline.round().astype(np.int32)], 1)
        pixels = picture[mask == 1]
        if not len(pixels):
            continue
        lab = cv2.cvtColor((pixels[None] / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
        lab = lab[lab[:, 0] > _DARKEST]
        if len(lab):
            medians.append(np.median(lab, axis=0))
            n_pixels += len(lab)
    return np.median(medians, axis=0).astype(np.float64) if n_pixels >= FEWEST_PIXELS else None


def _regions(points: Floats) -> list[Floats]:
    """The outlines of both cheeks and the forehead, each of shape [n, 2]."""
    cheeks = []
    for indices in _CHEEKS:
        outline = points[list(indices)]
        # shrunk towards its middle, away from beard, nose and lower lid
        cheeks.append(outline.mean(axis=0) + 0.7 * (outline - outline.mean(axis=0)))
    brows = points[list(_BROWS)]
    up = points[27] - points[33]  # along the nose, from its base to its root
    low, high = brows + 0.2 * up, brows + 0.6 * up
    return [*cheeks, np.concatenate([low, high[::-1]])]


def _measure(picture: Picture, landmarks: Landmarks) -> Read:
    lab = skin_colour(picture, landmarks)
    if lab is None or lab[2] <= 0:  # without yellow there is no skin colour: coloured light
        return None
    chroma = float(np.hypot(lab[1], lab[2]))
    if chroma < _GREY:
        return None
    numbers = (float(typology_angle(lab)), float(hue_angle(lab)), float(lab[0]), chroma)
    return dict(zip(("ita", "hue", "lightness", "chroma"), (round(number, 3) for number in numbers), strict=True))


@lru_cache(maxsize=1)
def _swatches() -> NDArray[np.float64]:
    """The swatches in CIELAB: shape [10, 3]."""
    import cv2

    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in MONK_SWATCHES], np.float32)
    return np.asarray(cv2.cvtColor(rgb[None] / np.float32(255), cv2.COLOR_RGB2LAB)[0], np.float64)


def _nearest_swatch(numbers: Floats) -> NDArray[np.int64]:
    """The swatch with the smallest CIELAB distance to each colour."""
    _, hue, lightness, chroma = numbers.T
    lab = np.stack([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))], axis=1)
    return np.asarray(np.linalg.norm(lab[:, None] - _swatches()[None], axis=2).argmin(axis=1), np.int64)


def _score(reads: Reads) -> Mapping[str, Floats]:
    return {"skin_ita": reads.where_read(reads.number("ita")), "skin_hue": reads.where_read(reads.number("hue"))}


ATTRIBUTE: Final = Attribute(
    name="skin_tone",
    summary="skin tone from skin pixels, without a classifier: typology angle (ITA), hue, nearest Monk swatch",
    labels=tuple(f"monk_{number:02d}" for number in range(1, len(MONK_SWATCHES) + 1)),
    numbers=(
        Number("ita", "degrees", -90, 90),
        Number("hue", "degrees", 0, 180),
        Number("lightness", "", 0, 100),
        Number("chroma", "", 0),
    ),
    label_of=_nearest_swatch,
    optional=True,
    metrics=(
        Metric("skin_ita", "mean", "typology angle of the skin; higher is lighter", unit="degrees", label="skin ITA"),
        Metric("skin_hue", "mean", "hue angle of the skin; higher is yellower", unit="degrees", label="skin hue"),
    ),
    score=_score,
    measure=_measure,
    probed=Probed(
        title="the skin tone",
        sentence="the typology angle of the skin changes by {}",
        margin=5.0,
        number="ita",
        metrics=(Metric("skin_ita", "mean", "typology angle of the skin", unit="degrees"),),
        score=lambda reads: {"skin_ita": reads.where_read(reads.number("ita"))},
    ),
)
