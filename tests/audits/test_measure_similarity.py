"""Retrieval, distances and craniofacial correlations of whole runs; and runs that have no landmarks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import audit
from audit.checks.metrics.craniofacial import MEASURES
from audit.core.arrays import Picture
from audit.core.files import file_digest
from audit.core.pictures import read_picture
from audit.core.plan import MeasureSettings
from audit.instruments.protocol import Reading
from tests.fakes import ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]


class PointingInstrument(ColourInstrument):
    """A fake that finds landmarks: their jaw is as wide as the face is old, and everything else alike in all."""

    name = "pointing (fake)"
    similarity_models = ("FakeFace", "FakeOther")

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        return [self._pointed(reading) for reading in super().read(pictures)]

    @staticmethod
    def _pointed(reading: Reading) -> Reading:
        if reading.status != "ok" or reading.age is None:
            return reading
        points = np.random.default_rng(0).normal(size=(68, 2)).astype(np.float32)
        points[4], points[12] = (-reading.age, 0), (reading.age, 0)
        turn = np.radians(reading.age)
        feature = np.array([np.cos(turn), np.sin(turn)], np.float32)
        embeddings = {"FakeFace": feature, "FakeOther": feature}
        return Reading("ok", reading.race, reading.man, reading.age, embeddings, points)


class OlderModel(LoudnessModel):
    """Shows in English the speaker's own age, in the other language always the same face."""

    def __init__(self, portraits: list[Picture]) -> None:
        super().__init__()
        self.portraits, self.shown = portraits, 0

    def _render(self, waveform: np.ndarray) -> Picture:
        loud = float(np.sqrt(np.mean(waveform**2))) > 0.2
        self.shown += loud
        return self.portraits[self.shown - 1] if loud else self.portraits[0]


@pytest.fixture
def run(make_cohort: MakeCohort, tmp_path: Path) -> audit.Run:
    """Twenty-four speakers aged 30 to 53; English clips are rendered as the speaker's portrait, others all alike."""
    cohort = audit.Cohort.read(make_cohort(24))
    portraits = [
        read_picture(cohort.root / path).pixels
        for path in cohort.table.loc[cohort.table["language"] == "en", "portrait"]
    ]
    model = OlderModel([pixels for pixels in portraits if pixels is not None])
    return audit.run(cohort, model=model, instrument=PointingInstrument(), out=tmp_path / "run")


def table(result: audit.Audit, name: str, *index: str) -> pd.DataFrame:
    return result.tables[name].frame.set_index(list(index))


def test_what_leads_back_to_its_portrait_is_retrieved_and_what_is_alike_in_all_is_not(run: audit.Run) -> None:
    found = table(audit.measure(run), "retrieval", "stage", "first", "group", "language")
    assert found.loc[("rendered", 1, "all", "en"), "value"] == 1.0
    assert found.loc[("ceiling", 1, "asian", "zh"), "value"] == 1.0
    # one face for all 24: first for its own speaker, and among the first 5 and 10 for so many
    for first in (1, 5, 10):
        row = found.loc[("rendered", first, "all", "zh")]
        assert row["value"] == pytest.approx(first / 24, abs=1e-9)
        assert (row["gallery"], row["chance"]) == (24, first / 24)
        assert row["low"] < row["chance"] < row["high"]
    assert set(found.reset_index()["group"]) == {"all", "asian", "white"}


def test_retrieval_and_distances_stand_among_all_figures_for_the_primary_model_alone(run: audit.Run) -> None:
    frame = table(audit.measure(run), "disparities", "metric", "stage", "group", "language")
    assert frame.loc[("retrieval_at_1_fakeface", "rendered", "all", "en"), "value"] == 1.0
    assert frame.loc[("feature_angle_fakeface", "ceiling", "all", "all"), "value"] == 0.0
    # speakers aged 30 to 53 against the first one's 30: 0 to 23 degrees
    assert frame.loc[("feature_angle_fakeface", "rendered", "all", "zh"), "value"] == pytest.approx(11.5, abs=0.02)
    assert 0 < frame.loc[("feature_l2_fakeface", "rendered", "all", "zh"), "value"] < 2 * np.sin(np.radians(23 / 2))
    metrics = set(frame.index.get_level_values("metric"))
    assert "similarity_fakeother" in metrics and "retrieval_at_1_fakeother" not in metrics


def test_a_smaller_gallery_is_a_seeded_sample_of_one_size(run: audit.Run) -> None:
    def rows(seed: int) -> pd.DataFrame:
        settings = MeasureSettings(retrieval_gallery=7, seed=seed)
        return table(audit.measure(run, settings=settings), "retrieval", "stage", "first", "group", "language")

    first = rows(0)
    assert set(first["gallery"]) == {7}
    # ten first ones of seven would always hold the own one: no figure
    assert set(first.reset_index()["first"]) == {1, 5}
    pd.testing.assert_frame_equal(first, rows(0))
    assert any(rows(seed)["value"].to_list() != first["value"].to_list() for seed in (1, 2, 3))


def test_a_measure_that_goes_with_the_portraits_and_those_that_cannot(run: audit.Run) -> None:
    found = table(audit.measure(run), "craniofacial", "measure", "stage", "group")
    assert len(found) == len(MEASURES) * 2 * 3
    assert found.loc[("jaw_width", "ceiling", "all"), "method"] == "no interval: all 24 speakers lie on one line"
    # English clips carry the own jaw, others always the same: so the means over both still lie on one line
    assert found.loc[("jaw_width", "rendered", "asian"), "value"] == pytest.approx(1, abs=1e-9)
    assert found.loc[("jaw_width", "rendered", "asian"), "n_clips"] == 24
    nose = found.loc[("nose_width", "rendered", "white")]
    assert nose["method"] == "not estimable: all 12 speakers have the same first value"
    assert np.isnan(nose["value"]) and nose["n_speakers"] == 12
    assert found.loc[("jaw_width", "rendered", "white"), "others"] < 0


def test_landmarks_are_read_on_demand_and_stand_in_no_frame(run: audit.Run) -> None:
    assert not [name for name in run.observations if "landmarks" in name]
    points = run.landmarks("rendered")
    assert points.shape == (48, 68, 2) and points.dtype == np.float32
    ages = run.observations["rendered_age"].to_numpy()
    assert points[:, 12, 0].tolist() == ages.tolist()
    shuffled = audit.Run(run.observations.sample(frac=1, random_state=1), run.manifest, run.folder)
    assert shuffled.landmarks("rendered")[:, 12, 0].tolist() == shuffled.observations["rendered_age"].tolist()
    assert audit.Run(run.observations, run.manifest).landmarks("rendered").shape == (48, 0, 2)


def test_similarity_does_not_depend_on_row_order(run: audit.Run) -> None:
    shuffled = audit.Run(run.observations.sample(frac=1, random_state=3), run.manifest, run.folder)
    settings = MeasureSettings(retrieval_gallery=7)
    for name in ("retrieval", "craniofacial"):
        one, other = (audit.measure(each, settings=settings).tables[name].frame for each in (run, shuffled))
        pd.testing.assert_frame_equal(one, other)


def without_landmarks(folder: Path, parts: slice) -> audit.Run:
    """The run as it was before instruments found landmarks."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for path in sorted((folder / "observations").glob("part-*.parquet"))[parts]:
        kept = pq.read_table(path)
        kept = kept.drop_columns([name for name in kept.column_names if name.endswith("_landmarks")])
        pq.write_table(kept, path)
        manifest["parts"][path.name] = file_digest(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return audit.Run.read(folder)


def test_a_run_made_before_there_were_landmarks_is_measured_without_them(run: audit.Run, tmp_path: Path) -> None:
    after = audit.measure(run)
    older = without_landmarks(tmp_path / "run", slice(None))
    assert older.landmarks("portrait").shape == (48, 0, 2)
    before = audit.measure(older)
    assert before.tables["craniofacial"].frame.empty
    assert audit.Audit.from_json(before.to_json()).to_json() == before.to_json()
    pd.testing.assert_frame_equal(before.frame(), after.frame())
    assert before.run["digest"] == after.run["digest"]


def test_a_run_that_was_finished_later_has_landmarks_for_its_later_parts(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    audit.run(
        audit.Cohort.read(make_cohort(8)),
        model=LoudnessModel(),
        instrument=PointingInstrument(),
        out=tmp_path / "run",
        settings=audit.Plan.parse("[run]\npart = 4\n").run,
    )
    mixed = without_landmarks(tmp_path / "run", slice(2))
    assert np.isnan(mixed.landmarks("portrait")).all(axis=(1, 2)).tolist() == [True] * 8 + [False] * 8


def test_an_instrument_without_landmarks_works_as_before(make_cohort: MakeCohort, tmp_path: Path) -> None:
    plain = audit.run(
        audit.Cohort.read(make_cohort(12)), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    result = audit.measure(plain)
    assert result.tables["craniofacial"].frame.empty
    assert not result.tables["retrieval"].frame.empty


def test_a_simulated_run_has_neither_features_nor_landmarks() -> None:
    truth = {"groups": ["asian", "white"], "speakers_per_group": 10, "clips_per_language": 1, "languages": ["en"]}
    result = audit.measure(audit.simulate(truth))
    assert result.tables["retrieval"].frame.empty and result.tables["craniofacial"].frame.empty
