"""Skin tone: the typology angle by hand, on painted faces, and where there is no skin to measure."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from audit.core.attributes import attributes
from audit.core.attributes.skin_tone import ATTRIBUTE, MONK_SWATCHES, hue_angle, skin_colour, typology_angle

SIDE = 200


def landmarks() -> np.ndarray:
    """A frontal face's 68 points, roughly placed: jaw, brows, nose, eyes and mouth."""
    jaw = [(100 - 80 * np.cos(np.pi * i / 16), 90 + 90 * np.sin(np.pi * i / 16)) for i in range(17)]
    brows = [(40 + 10 * i, 70) for i in range(5)] + [(120 + 10 * i, 70) for i in range(5)]
    nose = [(100, 80 + 10 * i) for i in range(4)] + [(90 + 5 * i, 118) for i in range(5)]
    eyes = [(x + 8 * np.cos(a), 85 - 5 * np.sin(a)) for x in (60, 140) for a in np.linspace(np.pi, -2 * np.pi / 3, 6)]
    mouth = [(100 + 25 * np.cos(a), 145 + 10 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 20)]
    return np.array([*jaw, *brows, *nose, *eyes, *mouth], np.float32)


def painted(colour: str) -> np.ndarray:
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.full((SIDE, SIDE, 3), rgb, np.uint8)


def from_lab(lightness: float, a: float, b: float) -> np.ndarray:
    rgb = cv2.cvtColor(np.full((1, 1, 3), (lightness, a, b), np.float32), cv2.COLOR_LAB2RGB)
    return np.full((SIDE, SIDE, 3), (rgb[0, 0] * 255).round(), np.uint8)


@pytest.mark.parametrize(
    ("lab", "angle", "hue"),
    [((70, 20, 20), 45.0, 45.0), ((50, 0, 10), 0.0, 90.0), ((40, 10, 10), -45.0, 45.0)],
)
def test_the_angles_equal_their_formulas(lab: tuple[float, ...], angle: float, hue: float) -> None:
    colour = np.array(lab, float)
    assert typology_angle(colour) == pytest.approx(angle)
    assert hue_angle(colour) == pytest.approx(hue)


@pytest.mark.parametrize("number", range(1, 11))
def test_a_face_in_a_monk_swatch_is_read_as_that_swatch(number: int) -> None:
    read = ATTRIBUTE.measure(painted(MONK_SWATCHES[number - 1]), landmarks())  # type: ignore[misc]
    row = ATTRIBUTE.row("rendered", read)
    assert row["rendered_skin_tone"] == f"monk_{number:02d}"
    assert ATTRIBUTE.fault(read) == ""


def test_lighter_skin_by_a_known_amount_moves_the_angle_by_that_amount() -> None:
    before, after = from_lab(45, 12, 18), from_lab(60, 12, 18)
    angles = [typology_angle(skin_colour(picture, landmarks())) for picture in (before, after)]
    expected = np.degrees(np.arctan(10 / 18) - np.arctan(-5 / 18))
    assert angles[1] - angles[0] == pytest.approx(expected, abs=1)  # eight bits a channel


def test_hair_and_shadow_over_one_region_do_not_move_the_colour() -> None:
    picture = from_lab(60, 12, 18)
    clean = skin_colour(picture, landmarks())
    picture[:68] = (20, 15, 10)  # hair down to the brows
    np.testing.assert_allclose(skin_colour(picture, landmarks()), clean, atol=0.5)


@pytest.mark.parametrize("picture", [np.full((SIDE, SIDE, 3), 128, np.uint8), from_lab(60, 10, -20)])
def test_without_yellow_there_is_no_skin_tone(picture: np.ndarray) -> None:
    assert ATTRIBUTE.measure(picture, landmarks()) is None  # type: ignore[misc]


def test_landmarks_outside_of_the_picture_give_no_skin_tone() -> None:
    assert skin_colour(painted("#d7bd96"), landmarks() + 10 * SIDE) is None


def test_scores_are_missing_where_nothing_was_read() -> None:
    read = ATTRIBUTE.measure(painted("#d7bd96"), landmarks())  # type: ignore[misc]
    rows = [ATTRIBUTE.row("rendered", one) | {"rendered_status": "ok"} for one in (read, None)]
    scores = ATTRIBUTE.score(ATTRIBUTE.reads(pd.DataFrame(rows), "rendered"))
    assert np.isfinite(scores["skin_ita"]).tolist() == [True, False]


def test_it_is_a_registered_attribute() -> None:
    assert attributes(("race", "skin_tone"))[1] is ATTRIBUTE
