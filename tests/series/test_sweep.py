"""Sweeps: many models on one cohort, resumed, with a shared cache, and without a ranking."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.core.errors import ModelError, RunError
from audit.series.sweep import swept
from audit.series.sweeping import labels_of
from tests.comparisons.test_compare import described
from tests.fakes import ColourInstrument
from tests.probing_fixture import Deaf, PitchAndLanguage, bilingual_voices
from tests.series_fixture import releases, sweep_of_three


@pytest.fixture(scope="module")
def made() -> audit.Sweep:
    return sweep_of_three()


def test_every_model_is_compared_with_the_first_in_the_given_order(made: audit.Sweep) -> None:
    links = dict.fromkeys((step.since, step.change.candidate, step.overall) for step in made.steps)
    assert list(links) == [("z", "worse", False), ("z", "a", False)]
    assert list(made.frame()["model"].unique()) == made.labels == ["z", "worse", "a"]


def test_models_are_told_apart_only_beyond_noise(made: audit.Sweep) -> None:
    assert made.apart["worse"] > 0
    assert made.apart["a"] == 0
    assert "worse differs from z." in made.sentences
    assert "a cannot be told apart from z." in made.sentences


def test_every_model_has_the_outcome_of_every_check(made: audit.Sweep) -> None:
    outcomes = {(verdict.run, verdict.check): verdict.outcome for verdict in made.verdicts}
    assert outcomes["worse", "S2F001"] == "shown"
    assert outcomes["z", "S2F001"] == outcomes["a", "S2F001"] != "shown"
    assert audit.Sweep.from_json(made.to_json()).to_json() == made.to_json()


def test_runs_of_different_cohorts_are_refused() -> None:
    run = releases()[0]
    with pytest.raises(RunError, match="cohort's digest"):
        swept({"a": run, "b": described(run, cohort__digest="other")})


def test_every_model_has_its_own_run_and_the_same_call_resumes(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(bilingual_voices(tmp_path / "voices", 2, seconds=1.5))
    reader, progress = ColourInstrument(), list[tuple[int, int]]()
    models = [PitchAndLanguage(), Deaf()]

    def again() -> audit.Sweep:
        return audit.sweep(
            models, cohort, out=tmp_path / "out", instrument=reader, progress=lambda *done: progress.append(done)
        )

    first = again()
    assert first.labels == [PitchAndLanguage.name, Deaf.name]
    folders = {path.name for path in (tmp_path / "out" / "runs").iterdir()}
    assert folders >= {"pitch-and-language-fake", "deaf-fake"}
    n_clips = len(cohort.table)
    assert progress[-1] == (2 * n_clips, 2 * n_clips)
    pictures = reader.pictures_read
    assert again().to_json() == first.to_json()
    assert reader.pictures_read == pictures, "a finished run is not read again"


def test_an_unknown_model_is_refused_before_any_runs(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(bilingual_voices(tmp_path / "voices", 2, seconds=1.0))
    with pytest.raises(ModelError):
        audit.sweep(["planted", "no such model"], cohort, out=tmp_path / "out", instrument=ColourInstrument())
    with pytest.raises(RunError, match="two or more"):
        audit.sweep(["planted"], cohort, out=tmp_path / "out", instrument=ColourInstrument())
    assert not (tmp_path / "out").exists()


def test_models_of_one_name_have_their_own_labels() -> None:
    assert labels_of(["planted", "mine", "planted"]) == ["planted", "mine", "planted 2"]
