"""The craniofacial measures: a made-up face on squared paper, measured by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audit.checks.metrics.craniofacial import MEASURES, craniofacial_measures

NAMES = [measure.name for measure in MEASURES]


def paper_face() -> np.ndarray:
    """Eyes 100 apart; every other point that a measure needs, on whole numbers."""
    face = np.zeros((1, 68, 2), np.float64)
    at = {
        1: (-80, 10), 15: (160, 10),  # zygion: 240 apart
        4: (-40, 130), 12: (120, 130),  # gonion: 160 apart
        8: (40, 200),  # gnathion
        27: (40, 0), 33: (40, 60),  # nasion and subnasale: 60
        31: (20, 50), 35: (60, 50),  # alare: 40 apart
        32: (30, 57), 34: (50, 57),
        48: (10, 100), 54: (70, 100),  # cheilion: 60 apart
        50: (30, 87), 52: (50, 87), 51: (40, 90), 62: (40, 98), 66: (40, 104), 57: (40, 120),
    }  # fmt: skip
    for number, place in at.items():
        face[0, number] = place
    # each eye: its corners 40 apart, its centre in the middle
    face[0, 36], face[0, 39], face[0, 37:39], face[0, 40:42] = (-30, 0), (10, 0), (-10, 0), (-10, 0)
    face[0, 42], face[0, 45], face[0, 43:45], face[0, 46:48] = (70, 0), (110, 0), (90, 0), (90, 0)
    return face


def test_every_measure_by_hand() -> None:
    expected = {
        "upper_lip_height": 0.38,  # from 60 to 98
        "lateral_upper_lip_heights": 0.30,  # from 57 to 87, on both sides
        "jaw_width": 1.60,
        "nose_height": 0.60,
        "nose_width": 0.40,
        "labio_oral_region": 0.60,
        "mandibular_index": 96 / 160,  # from 104 to 200
        "intercanthal_index": 60 / 140,
        "nasal_index": 40 / 60,
        "vermilion_height_index": 8 / 16,
        "mouth_face_width_index": 60 / 240,
        # each half has the corners (0, 60), (10, 57), (20, 50), (0, 0) from the axis: 600 + 640 by the shoelace, halved
        "nose_area": 2 * (600 + 640) / 2 / 100**2,
    }
    assert dict(zip(NAMES, craniofacial_measures(paper_face())[0], strict=True)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "moved",
    [
        lambda f: f * 3.5,
        lambda f: np.add(f, (300, -40)),
        lambda f: f * (-1, 1),
        lambda f: f @ np.array([[0, 1], [-1, 0]]),
    ],
    ids=["larger", "elsewhere", "mirrored", "turned"],
)
def test_size_place_and_turn_do_not_matter(moved) -> None:  # type: ignore[no-untyped-def]
    straight, other = (craniofacial_measures(face) for face in (paper_face(), moved(paper_face())))
    np.testing.assert_allclose(other, straight, atol=2e-6)


def test_each_measure_moves_with_its_own_points_alone() -> None:
    wider = paper_face()
    wider[0, 48], wider[0, 54] = (0, 100), (80, 100)
    changed = craniofacial_measures(wider)[0] != craniofacial_measures(paper_face())[0]
    assert {name for name, moved in zip(NAMES, changed, strict=True) if moved} == {
        "labio_oral_region",
        "mouth_face_width_index",
    }


def test_a_face_that_was_not_read_has_no_measures_and_a_flat_one_no_index() -> None:
    faces = np.concatenate([paper_face(), np.full((1, 68, 2), np.nan), paper_face()]).astype(np.float32)
    faces[2, 27] = faces[2, 33]  # no height of the nose to divide by
    found = craniofacial_measures(faces)
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()
    assert np.isnan(found[2, NAMES.index("nasal_index")]) and math.isfinite(found[2, NAMES.index("nose_width")])


def test_none_in_none_out() -> None:
    assert craniofacial_measures(np.zeros((0, 68, 2), np.float32)).shape == (0, 12)
