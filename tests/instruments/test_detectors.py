"""Detectors: which faces are found, which one is read, and how it is cut and aligned."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from audit.instruments import instrument
from audit.instruments.detectors import REGISTRY, Face, detector
from audit.instruments.faces import ALIGNED_SIDE, SIDE, FaceFinder, align_face, cut_face
from benchmarks.false_detections import pictures
from tests.conftest import ROOT

Image = np.ndarray
PORTRAITS = sorted((ROOT / "datasets" / "synthetic_bilingual" / "portraits").glob("*.jpg"))[:12]


@pytest.fixture(scope="module")
def portraits() -> list[Image]:
    """Portraits of the embedded cohort, BGR."""
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in PORTRAITS]


@pytest.fixture(scope="module")
def yunet() -> FaceFinder:
    return FaceFinder()


@pytest.mark.parametrize("name", ["dlib", "opencv", "yunet"])
def test_every_detector_finds_a_portrait_with_its_eyes(name: str, portraits: list[Image]) -> None:
    assert name in REGISTRY.available()
    finder = FaceFinder(name)
    faces = [found[0] for found in map(finder.faces, portraits[:4]) if found]
    assert len(faces) >= 3
    assert all(0 < face.score <= 1 for face in faces)
    assert all(
        face.right_eye is None or face.left_eye is None or face.right_eye[0] < face.left_eye[0] for face in faces
    )


def test_upside_down_faces_are_dropped(yunet: FaceFinder, portraits: list[Image]) -> None:
    assert all(yunet.faces(portrait) for portrait in portraits)
    turned = [np.ascontiguousarray(portrait[::-1, ::-1]) for portrait in portraits]
    assert [len(yunet.faces(portrait)) for portrait in turned] == [0] * len(portraits)


def test_faces_are_counted_and_the_largest_is_read(yunet: FaceFinder, portraits: list[Image]) -> None:
    one, other = (cv2.resize(portrait, (SIDE, SIDE)) for portrait in portraits[:2])
    small = cv2.resize(other, (SIDE // 2, SIDE // 2))
    beside = np.full((SIDE, SIDE + SIDE // 2, 3), 127, np.uint8)
    beside[:, :SIDE], beside[: SIDE // 2, SIDE:] = one, small
    faces = yunet.faces(beside)
    assert len(faces) == 2
    assert faces[0].width > faces[1].width and faces[0].x < SIDE < faces[1].x
    (reading,) = instrument("embedded", similarity=["FaceRes"]).read([np.ascontiguousarray(beside[:, :, ::-1])])
    assert reading.faces == 2


def test_the_order_counts_area_and_score_or_area_alone() -> None:
    """By hand: 100 x 100 at .8 is 8,000; 95 x 95 at .95 is 8,574."""
    large, sure = Face(0, 0, 100, 100, score=0.8), Face(0, 0, 95, 95, score=0.95)
    assert max([large, sure], key=detector("yunet").order) is sure
    assert max([large, sure], key=detector("dlib").order) is large
    upper, lower = Face(0, 5, 10, 10), Face(0, 9, 10, 10)
    assert max([lower, upper], key=detector("yunet").order) is upper


def test_at_most_one_of_200_pictures_without_a_face_has_one(yunet: FaceFinder) -> None:
    assert sum(bool(yunet.faces(picture)) for _, picture in pictures()) <= 1


def test_a_picture_cut_as_fairface_cuts_is_left_as_it_is(portraits: list[Image]) -> None:
    """A box that lies in the picture as the median box does: the cut is the picture itself."""
    geometry = detector("yunet").geometry
    picture = np.asarray(cv2.resize(portraits[0], (SIDE, SIDE)), np.uint8)
    height, width = SIDE / geometry.box_to_side, 150.0
    box = Face(geometry.box_at[0] * SIDE - width / 2, geometry.box_at[1] * SIDE - height / 2, width, height)
    assert np.abs(cut_face(picture, box, geometry).astype(int) - picture).max() <= 1


@pytest.mark.parametrize(("degrees", "turned"), [(10, False), (-14, False), (16, True), (-30, True)])
def test_only_a_tilted_head_is_turned(degrees: float, turned: bool, portraits: list[Image]) -> None:
    geometry, angle = detector("yunet").geometry, math.radians(degrees)
    eyes = [(112 + side * 30 * math.cos(angle), 90 + side * 30 * math.sin(angle)) for side in (1, -1)]
    picture = np.asarray(cv2.resize(portraits[0], (SIDE, SIDE)), np.uint8)
    level, tilted = Face(40, 30, 140, 180), Face(40, 30, 140, 180, left_eye=eyes[0], right_eye=eyes[1])
    same = np.array_equal(cut_face(picture, level, geometry), cut_face(picture, tilted, geometry))
    assert same is not turned


def test_aligning_recovers_a_planted_similarity() -> None:
    """Five points at ArcFace's places, moved, scaled and turned: the aligned picture shows them at those places."""
    places = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    angle, scale = math.radians(20), 2.5
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = places @ turn.T + (150, 40)
    picture = np.zeros((500, 500, 3), np.uint8)
    for point in points:
        cv2.circle(picture, tuple(map(int, point.round())), 5, (255, 255, 255), -1)
    landmarks = np.zeros((68, 2), np.float32)
    for at, point in zip((slice(36, 42), slice(42, 48), 30, 48, 54), points, strict=True):
        landmarks[at] = point
    aligned = align_face(picture, landmarks)
    assert aligned.shape == (ALIGNED_SIDE, ALIGNED_SIDE, 3)
    for x, y in places.round().astype(int):
        assert aligned[y, x, 0] == 255
    assert aligned.mean() < 15
