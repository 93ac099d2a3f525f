"""The portraits of the embedded cohort: all there, small, found by the detector, and read as the fiction says."""

from __future__ import annotations

import runpy
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from audit.instruments import instrument

COHORT = Path(__file__).parents[2] / "datasets" / "synthetic_bilingual"
FOLDERS = {"audited": "portraits", "training": "training/portraits", "validation": "training/portraits"}
SIDE = 224
ALL_BYTES = 4_000_000


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The table of speakers, each with the file of the portrait."""
    drawn: pd.DataFrame = runpy.run_path(str(COHORT / "build" / "speakers.py"))["draw"]()
    places = zip(drawn["split"], drawn["speaker_id"], strict=True)
    return drawn.assign(file=[COHORT / FOLDERS[split] / f"{speaker}.jpg" for split, speaker in places])


@pytest.fixture(scope="module")
def read(table: pd.DataFrame) -> pd.DataFrame:
    """The audited speakers with what the embedded instrument reads in their portraits."""
    audited = table[table["split"] == "audited"]
    pictures = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in audited["file"]]
    readings = instrument("embedded", similarity=["SFace"]).read(pictures)
    return audited.assign(
        found=[one.status == "ok" for one in readings],
        race=[max(one.race, key=lambda label: one.race[label]) if one.race else "" for one in readings],
        gender_read=["" if one.man is None else "man" if one.man > 0.5 else "woman" for one in readings],
        age_read=[np.nan if one.age is None else one.age for one in readings],
        feature=[one.embeddings.get("SFace") for one in readings],
    )


def test_every_speaker_has_a_portrait_of_the_stated_size(table):
    for file in table["file"]:
        assert cv2.imread(str(file)).shape == (SIDE, SIDE, 3)


def test_every_portrait_has_a_speaker(table):
    on_disk = {file for folder in set(FOLDERS.values()) for file in (COHORT / folder).iterdir()}
    assert on_disk == set(table["file"])


def test_all_portraits_together_stay_small(table):
    assert sum(file.stat().st_size for file in table["file"]) < ALL_BYTES


def test_no_two_speakers_share_a_portrait(table):
    assert len({file.read_bytes() for file in table["file"]}) == len(table)


def test_a_face_is_found_in_every_audited_portrait(read):
    assert list(read.loc[~read["found"], "speaker_id"]) == []


def test_every_group_is_read_correctly_in_at_least_four_fifths(read):
    right = (read["race"] == read["group"]).groupby(read["group"]).mean()
    assert set(right.index) == {"asian", "indian", "black", "white"}
    assert (right >= 0.80).all(), right.to_dict()


def test_gender_is_read_correctly_in_every_group_and_sex(read):
    right = (read["gender_read"] == read["gender"]).groupby([read["group"], read["gender"]]).mean()
    assert len(right) == 8
    assert (right >= 0.85).all(), right.to_dict()


def test_age_read_follows_age_drawn(read):
    for _, cell in read.groupby(["group", "gender"]):
        assert cell["age"].corr(cell["age_read"]) > 0.6


def test_portraits_of_one_group_and_sex_differ(read):
    """They are more similar than photographs of strangers (see FACES.md), but all faces differ."""
    for _, cell in read.groupby(["group", "gender"]):
        features = np.stack(list(cell["feature"]))
        cosines = (features @ features.T)[np.triu_indices(len(features), 1)]
        assert cosines.mean() < 0.55
        assert cosines.max() < 0.85
