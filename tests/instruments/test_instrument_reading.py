"""What an instrument promises of its readings, on rendered and on photographed faces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.core.vocabulary import RACES
from audit.instruments import Instrument, Reading, instrument, offline
from tests.conftest import ROOT

BLANK = np.full((224, 224, 3), 255, np.uint8)


@pytest.fixture(scope="session")
def embedded() -> Instrument:
    """The embedded instrument, which remembers nothing, so that every reading is made anew."""
    return instrument("embedded", similarity=["FaceRes"], remember=0)


@pytest.fixture(scope="session")
def faces(shared_data: Path) -> list[Picture]:
    """Seventeen pictures from the development data: portraits, rendered faces and photographs."""
    released = shared_data / "speech2face_released" / "figures" / "voxceleb"
    places = [*sorted((released / "Face_ori").glob("*.jpg"))[:6], *sorted((released / "Face_exg0").glob("*.jpg"))[:5]]
    places += sorted((shared_data / "fairface" / "val").glob("*.jpg"))[:6]
    return [read_rgb(place) for place in places]


def read_rgb(path: Path) -> Picture:
    """The picture in a file, RGB."""
    return np.ascontiguousarray(np.asarray(cv2.imread(str(path)), dtype=np.uint8)[:, :, ::-1])


def same(one: Reading, other: Reading) -> bool:
    """Whether two readings agree in every bit."""
    return (
        one.status == other.status
        and dict(one.race) == dict(other.race)
        and (one.man, one.age) == (other.man, other.age)
        and list(one.embeddings) == list(other.embeddings)
        and all(np.array_equal(one.embeddings[name], other.embeddings[name]) for name in one.embeddings)
        and np.array_equal(one.landmarks, other.landmarks)
        and one.faces == other.faces
    )


@pytest.mark.parametrize("size", [1, 3, 17])
def test_what_is_read_does_not_depend_on_the_batch_or_the_order(
    embedded: Instrument, faces: list[Picture], size: int
) -> None:
    together = embedded.read(faces)
    order = np.random.default_rng(size).permutation(len(faces))
    apart: dict[int, Reading] = {}
    for start in range(0, len(faces), size):
        chosen = order[start : start + size]
        apart.update(zip(chosen.tolist(), embedded.read([faces[i] for i in chosen]), strict=True))
    assert all(same(together[i], apart[i]) for i in range(len(faces)))


def test_readings_are_cached(faces: list[Picture]) -> None:
    forgetful = instrument("embedded", similarity=["FaceRes"], remember=0)
    mindful = instrument("embedded", similarity=["FaceRes"], remember=3)
    again = mindful.read([faces[0], faces[0], *faces[:5], faces[0]])
    expected = forgetful.read([faces[0], faces[0], *faces[:5], faces[0]])
    assert all(same(one, other) for one, other in zip(again, expected, strict=True))
    assert same(mindful.read(faces[:1])[0], expected[0])


def test_a_reading_is_complete_and_in_its_ranges(embedded: Instrument, faces: list[Picture]) -> None:
    found = [reading for reading in embedded.read(faces) if reading.status == "ok"]
    assert len(found) >= 11
    for reading in found:
        assert tuple(reading.race) == RACES
        assert sum(reading.race.values()) == pytest.approx(1, abs=1e-5)
        assert reading.man is not None and 0 <= reading.man <= 1
        assert reading.age is not None and 0 <= reading.age <= 100
        assert reading.embeddings["FaceRes"].shape == (1024,)
        assert reading.embeddings["FaceRes"].dtype == np.float32
        assert np.linalg.norm(reading.embeddings["FaceRes"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "picture",
    [
        BLANK,
        np.zeros((1, 1, 3), np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8),
        np.zeros((3, 500, 3), np.uint8),
    ],
    ids=["blank", "one pixel", "noise", "a stripe"],
)
def test_a_picture_without_a_face_is_never_scored(embedded: Instrument, picture: Picture) -> None:
    assert embedded.read([picture]) == [Reading("no_face", faces=0)]


def test_the_blank_portraits_of_the_release_have_no_face(embedded: Instrument, shared_data: Path) -> None:
    folder = shared_data / "speech2face_released" / "figures" / "voxceleb" / "Face_ori"
    blank = [read_rgb(path) for path in sorted(folder.glob("*Zz_*.jpg"))]
    assert len(blank) == 8
    assert {reading.status for reading in embedded.read(blank)} == {"no_face"}


def test_nothing_in_nothing_out(embedded: Instrument) -> None:
    assert list(embedded.read([])) == []


@pytest.mark.parametrize("scale", [0.4, 3.0])
def test_the_size_of_the_picture_hardly_matters(embedded: Instrument, faces: list[Picture], scale: float) -> None:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = [
        np.asarray(cv2.resize(face, None, fx=scale, fy=scale, interpolation=method), np.uint8) for face in faces[:11]
    ]
    for before, after in zip(embedded.read(faces[:11]), embedded.read(sized), strict=True):
        assert after.status == before.status == "ok"
        assert before.embeddings["FaceRes"] @ after.embeddings["FaceRes"] > 0.8


@pytest.mark.parametrize(
    "wrong",
    [BLANK[:, :, 0], BLANK.astype(np.float32), BLANK[:, :, :1], BLANK[:0], None],
    ids=["grey", "floats", "one channel", "empty", "none"],
)
def test_an_invalid_picture_is_refused(embedded: Instrument, wrong: Picture) -> None:
    with pytest.raises(ModelError, match="Allowed: uint8, shape"):
        embedded.read([BLANK, wrong])


def test_the_reads_of_the_release_are_those_of_the_paper(embedded: Instrument, shared_data: Path) -> None:
    """Speakers coded Black: read as black in the portraits and the ceiling, hardly ever in the rendered faces."""
    folder = shared_data / "speech2face_released" / "figures" / "voxceleb"
    shares = {}
    for stage in ("Face_ori", "Face_f2f", "Face_exg0"):
        pictures = [read_rgb(path) for path in sorted((folder / stage).glob("???2*.jpg"))]
        reads = embedded.read(pictures)
        shares[stage] = np.mean([max(read.race, key=lambda label: read.race[label]) == "black" for read in reads])
    assert shares["Face_ori"] > 0.85 and shares["Face_f2f"] > 0.85 and shares["Face_exg0"] < 0.15


def test_importing_the_instruments_loads_no_heavy_part() -> None:
    heavy = "torch", "deepface", "cv2", "onnxruntime"
    code = f"import sys, audit.instruments as i; i.available(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_landmarks_are_at_plausible_places() -> None:
    """On portraits of the embedded cohort, which are at hand everywhere."""
    places = sorted((ROOT / "datasets" / "synthetic_bilingual" / "portraits").glob("*.jpg"))[:6]
    portraits = [read_rgb(place) for place in places]
    reader = instrument("embedded", similarity=["FaceRes"], remember=0)
    doubled = [np.asarray(cv2.resize(portrait, None, fx=2, fy=2), np.uint8) for portrait in portraits]
    for portrait, reading, larger in zip(portraits, reader.read(portraits), reader.read(doubled), strict=True):
        points = reading.landmarks
        assert points is not None and points.shape == (68, 2) and points.dtype == np.float32
        height, width = portrait.shape[:2]
        assert (points > -0.1 * height).all() and (points < 1.1 * np.array([width, height])).all()
        right_eye, left_eye, nose, mouth, chin = (
            points[of].mean(axis=0) for of in (slice(36, 42), slice(42, 48), [33], slice(48, 60), [8])
        )
        assert right_eye[0] < nose[0] < left_eye[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < mouth[1] < chin[1]
        apart = float(np.linalg.norm(left_eye - right_eye))
        assert larger.landmarks is not None
        assert np.abs(larger.landmarks / 2 - points).mean() < 0.05 * apart


def test_the_landmarks_weights_are_named(embedded: Instrument) -> None:
    described = embedded.describe()["landmarks"]
    assert isinstance(described, dict) and described["points"] == 68
    assert [len(digest) for digest in described["weights"].values()] == [64]


def test_without_the_landmarks_weights_there_is_no_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    find = offline.find_weights
    monkeypatch.setattr(offline, "find_weights", lambda name: None if "68" in name else find(name))
    with pytest.raises(ModelError, match="68-point model is not installed"):
        instrument("embedded", similarity=["FaceRes"])
