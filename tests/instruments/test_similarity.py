"""Similarity models: two are shipped; a third-party one, and an attribute measured in pixels, need no change here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from audit.cohorts import Cohort
from audit.cohorts.importing import embedded
from audit.core.attributes import ALWAYS, Attribute, Number, Read
from audit.core.errors import ModelError
from audit.core.pictures import read_picture
from audit.instruments import instrument
from audit.instruments.reader import DeepFaceInstrument
from audit.instruments.similarity import Embed, FoundFace, SimilarityModel, available, similarity_models
from audit.runs.harness.cache import cache_key


def _embed(faces: Sequence[FoundFace]) -> list[np.ndarray]:
    means = [face.cut.mean(axis=(0, 1)) for face in faces if face.cut is not None]
    return [(mean / np.linalg.norm(mean)).astype(np.float32) for mean in means]


def _build(allow_download: bool) -> tuple[Embed, Mapping[str, Path]]:
    return _embed, {}


def _brightness(picture: np.ndarray, landmarks: np.ndarray) -> Read:
    assert landmarks.shape == (68, 2)
    return float(picture.mean())


COLOUR = SimilarityModel(name="Colour", summary="mean colour", dimension=3, takes="cut", build=_build)
BRIGHTNESS = Attribute(name="brightness", summary="Mean", numbers=(Number(low=0, high=255),), measure=_brightness)
UNREAD = Attribute(name="unread", summary="Not measured", numbers=(Number(),))


def test_the_shipped_models_are_listed_with_the_default_first() -> None:
    assert list(available()) == ["SFace", "FaceRes", "Dlib"]
    assert [(model.name, model.dimension) for model in similarity_models(["SFace", "FaceRes"])] == [
        ("SFace", 128),
        ("FaceRes", 1024),
    ]


@pytest.mark.parametrize("names", [["VGG-Face"], ["Dlib", "Dlib"], [f"{__name__}:UNREAD"]])
def test_other_names_are_refused(names: list[str]) -> None:
    with pytest.raises(ModelError, match="Each once, of SFace, FaceRes, Dlib"):
        similarity_models(names)


def test_third_party_models_and_attributes_are_read_by_the_embedded_instrument() -> None:
    cohort = Cohort.read(embedded("synthetic_bilingual"))
    picture = read_picture(cohort.root / cohort.table["portrait"].iloc[0]).pixels
    assert picture is not None
    plain = instrument("embedded", similarity=["FaceRes", "Dlib"], attributes=ALWAYS, remember=0)
    reader = instrument(
        "embedded",
        similarity=["Dlib", f"{__name__}:COLOUR"],
        attributes=["race", "gender", "age", f"{__name__}:BRIGHTNESS"],
        remember=0,
    )
    assert isinstance(reader, DeepFaceInstrument)
    before, after = plain.read([picture])[0], reader.read([picture])[0]
    assert after.attributes == {**before.attributes, "brightness": float(picture.mean())}
    assert (after.embeddings["Dlib"] == before.embeddings["Dlib"]).all()
    assert reader.similarity_models == ("Dlib", "Colour")
    assert after.embeddings["Colour"].shape == (3,)
    assert {model.name: len(before.embeddings[model.name]) for model in similarity_models(["FaceRes", "Dlib"])} == {
        model.name: model.dimension for model in similarity_models(["FaceRes", "Dlib"])
    }
    described = reader.describe()["attributes"]
    assert isinstance(described, dict) and described["brightness"]["measured_by"].endswith(":_brightness")
    assert cache_key(plain, {}) is not None
    assert cache_key(reader, {}) is None  # its answers depend on code that no key covers


def test_an_attribute_that_no_function_measures_is_refused() -> None:
    with pytest.raises(ModelError, match="'unread' cannot be read by this instrument"):
        instrument("embedded", attributes=["race", "gender", "age", f"{__name__}:UNREAD"])
    with pytest.raises(ModelError, match="lacks age"):
        instrument("embedded", attributes=["race", "gender"])
