"""Reading kept faces again: the same instrument gives the same run, another one only its own readings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import audit
from audit.checks.metrics.metric_frame import metric_frame
from audit.core.arrays import Picture
from audit.core.plan import RunSettings
from audit.instruments.protocol import Reading
from tests.fakes import ColourInstrument, LoudnessModel, fake_face

MakeCohort = Callable[..., Path]


class EveryFaceAWoman(ColourInstrument):
    """A fake instrument that reads every face as a woman's."""

    name = "women (fake)"

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        return [replace_man(reading) for reading in super().read(pictures)]


def replace_man(reading: Reading) -> Reading:
    return Reading(reading.status, reading.race, 0.0, reading.age, reading.embeddings)


@pytest.fixture
def made(make_cohort: MakeCohort, tmp_path: Path) -> audit.Run:
    return audit.run(
        audit.Cohort.read(make_cohort()),
        model=LoudnessModel(),
        instrument=ColourInstrument(),
        out=tmp_path / "made",
        settings=RunSettings(part=5),
    )


def test_the_same_instrument_gives_the_same_run(made: audit.Run, tmp_path: Path) -> None:
    again = audit.read_again(made, instrument=ColourInstrument(), out=tmp_path / "again")
    pd.testing.assert_frame_equal(again.observations, made.observations)
    assert again.digest == made.digest
    assert again.complete
    assert again.manifest["read_from"] == made.digest


def test_another_instrument_changes_its_readings_only(made: audit.Run, tmp_path: Path) -> None:
    again = audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")
    assert set(again.observations["rendered_gender"]) == {"woman"}
    same = [name for name in made.observations if "gender" not in name or name in ("gender", "gender_source")]
    pd.testing.assert_frame_equal(again.observations[same], made.observations[same])
    assert again.manifest["instrument"]["name"] == "women (fake)"
    assert again.manifest["model"] == made.manifest["model"]


def test_further_columns_of_the_cohort_are_kept_whatever_their_names(make_cohort: MakeCohort, tmp_path: Path) -> None:
    folder = make_cohort()
    speakers = pd.read_csv(folder / "speakers.csv")
    speakers.assign(portrait_by="studio", rendered_before=1.5).to_csv(folder / "speakers.csv", index=False)
    cohort = audit.Cohort.read(folder)
    made = audit.run(cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "made")
    again = audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")
    columns = ["portrait_by", "rendered_before"]
    pd.testing.assert_frame_equal(again.observations[columns], made.observations[columns])


def test_clusters_stay_texts_in_the_observations(make_cohort: MakeCohort, tmp_path: Path) -> None:
    folder = make_cohort()
    clips = pd.read_csv(folder / "clips.csv")
    clips.assign(cluster=[7, 7, 7, *[""] * (len(clips) - 3)]).to_csv(folder / "clips.csv", index=False)
    cohort = audit.Cohort.read(folder)
    made = audit.run(cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "made")
    again = audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")
    for run in (audit.Run.read(tmp_path / "made"), audit.Run.read(tmp_path / "again")):
        assert run.observations["cluster"].tolist() == ["7"] * 3 + [""] * (len(clips) - 3)
        assert metric_frame(run)["cluster"].dtype == "category"
    assert again.digest != made.digest


def test_a_clip_on_which_the_model_failed_stays_failed(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = audit.Cohort.read(make_cohort())
    made = audit.run(cohort, model=LoudnessModel(0.3), instrument=ColourInstrument(), out=tmp_path / "made")
    assert "model_error" in set(made.observations["status"])
    again = audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")
    for column in ("status", "detail", "rendered_status"):
        pd.testing.assert_series_equal(again.observations[column], made.observations[column])


def test_a_reading_that_was_broken_off_is_resumed(made: audit.Run, tmp_path: Path) -> None:
    class Breaks(ColourInstrument):
        def read(self, pictures: Sequence[Picture]) -> list[Reading]:
            if self.pictures_read > 8:
                raise KeyboardInterrupt
            return super().read(pictures)

    with pytest.raises(KeyboardInterrupt):
        audit.read_again(made, instrument=Breaks(), out=tmp_path / "again")
    counting = ColourInstrument()
    again = audit.read_again(made, instrument=counting, out=tmp_path / "again")
    assert again.digest == made.digest
    whole = ColourInstrument()
    audit.read_again(made, instrument=whole, out=tmp_path / "whole")
    assert 0 < counting.pictures_read < whole.pictures_read


@pytest.mark.parametrize(("harm", "reason"), [("removed", "file not found"), ("changed", "not the picture that")])
def test_a_face_that_is_missing_or_changed_is_refused(made: audit.Run, tmp_path: Path, harm: str, reason: str) -> None:
    face = sorted((tmp_path / "made" / "faces").glob("*/*.png"))[0]
    face.unlink()
    if harm == "changed":
        Image.fromarray(fake_face("black")).save(face)
    with pytest.raises(audit.RunError, match=f"{face.name} was not opened: {reason}"):
        audit.read_again(made, instrument=ColourInstrument(), out=tmp_path / "again")


def test_a_run_without_faces_is_refused(tmp_path: Path) -> None:
    audit.simulate({"groups": ["asian"], "speakers_per_group": 2}, out=tmp_path / "simulated")
    with pytest.raises(audit.RunError, match="kept no faces"):
        audit.read_again(tmp_path / "simulated", instrument=ColourInstrument(), out=tmp_path / "again")


def test_another_reading_in_the_folder_is_refused(made: audit.Run, tmp_path: Path) -> None:
    audit.read_again(made, instrument=ColourInstrument(), out=tmp_path / "again")
    with pytest.raises(audit.RunError, match="contains another run: its instrument was"):
        audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")


def test_runs_by_two_instruments_are_compared_after_reading_again(made: audit.Run, tmp_path: Path) -> None:
    cohort = audit.Cohort.read(tmp_path / "cohort")
    other = audit.run(cohort, model=LoudnessModel(), instrument=EveryFaceAWoman(), out=tmp_path / "other")
    with pytest.raises(audit.RunError, match="audit read"):
        audit.compare(made, other)
    again = audit.read_again(made, instrument=EveryFaceAWoman(), out=tmp_path / "again")
    assert audit.compare(again, other).checks is not None


def test_the_manifest_names_the_command(made: audit.Run, tmp_path: Path) -> None:
    audit.read_again(made, instrument=ColourInstrument(), out=tmp_path / "again")
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["command"].startswith("audit read")
