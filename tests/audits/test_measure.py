"""The measure: known truth in, that truth out; what is missing stays missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks.metrics.metric_frame import impostor_similarity, metric_frame
from tests.fakes import NOT_A_FACE, ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]


@pytest.fixture
def run(make_cohort: MakeCohort, tmp_path: Path) -> audit.Run:
    """Twenty asian, twenty white speakers; English clips are rendered as a white man, others as an asian woman."""
    return audit.run(
        audit.Cohort.read(make_cohort(40)), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )


def test_a_failure_that_is_there_is_found(run: audit.Run) -> None:
    finding = audit.measure(run, with_tables=False).finding("S2F001")
    assert finding.outcome == "shown"
    figures = {name: estimate.value for name, estimate in finding.estimates.items()}
    assert figures == {
        "portrait": 0.0,
        "ceiling": 0.0,
        "rendered": 1.0,
        "rendered_other_language": 0.0,
        "excess_over_portrait": 1.0,
        "excess_over_ceiling": 1.0,
        "language_effect": 1.0,
        "rendered_corrected": 1.0,
        "rendered_other_language_corrected": 0.0,
        "not_own": 1.0,
    }
    assert finding.estimate == finding.estimates["excess_over_portrait"]
    assert finding.estimate.n_speakers == 20


def test_a_failure_that_is_not_there_is_not_shown(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = audit.Cohort.read(make_cohort(200))
    honest = audit.run(cohort, model=audit.model("planted"), instrument=ColourInstrument(), out=tmp_path / "run")
    outcomes = {finding.code: finding.outcome for finding in audit.measure(honest, with_tables=False).findings}
    assert outcomes["S2F001"] == "not_shown"
    assert outcomes["S2F003"] == "not_shown"
    assert outcomes["S2F004"] == "not_shown"


def test_two_speakers_show_nothing_and_pass_nothing(make_cohort: MakeCohort, tmp_path: Path) -> None:
    small = audit.run(
        audit.Cohort.read(make_cohort(4)), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    for finding in audit.measure(small, with_tables=False).findings:
        assert finding.outcome == "not_evaluable"
        assert finding.reason


def test_the_figures_of_every_cell(run: audit.Run) -> None:
    frame = audit.measure(run).frame().set_index(["metric", "stage", "group", "language"])
    assert frame.loc[("read_own_group", "rendered", "asian", "en"), "value"] == 0.0
    assert frame.loc[("read_own_group", "rendered", "asian", "zh"), "value"] == 1.0
    assert frame.loc[("read_own_group", "rendered", "white", "all"), "value"] == 0.5
    assert frame.loc[("read_own_group", "portrait", "all", "all"), "value"] == 1.0
    # half of each group are women; English clips show men, others women
    assert frame.loc[("gender_right", "rendered", "asian", "en"), "value"] == 0.5
    assert frame.loc[("no_face", "rendered", "all", "all"), "value"] == 0.0
    intervals = frame[["low", "high"]].dropna()
    assert (intervals["high"] > intervals["low"]).all()


def test_a_missing_face_is_counted_and_never_scored(make_cohort: MakeCohort, tmp_path: Path) -> None:
    class Faceless(LoudnessModel):
        def _render(self, waveform: np.ndarray) -> np.ndarray:
            return NOT_A_FACE if np.sqrt(np.mean(waveform**2)) > 0.2 else super()._render(waveform)

    blank = audit.run(
        audit.Cohort.read(make_cohort(40)), model=Faceless(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    assert set(blank.observations.set_index("language").loc["en", "status"]) == {"no_face"}
    frame = audit.measure(blank).frame().set_index(["metric", "stage", "group", "language"])
    english = frame.loc[("read_white", "rendered", "asian", "en")]
    assert (english["value"], english["n_speakers"], english["n_missing"]) == (
        pytest.approx(np.nan, nan_ok=True),
        0,
        20,
    )
    assert frame.loc[("no_face", "rendered", "asian", "en"), "value"] == 1.0
    assert audit.measure(blank, with_tables=False).finding("S2F001").outcome == "not_evaluable"


def test_an_unknown_group_is_never_judged_and_never_dropped(make_cohort: MakeCohort, tmp_path: Path) -> None:
    folder = make_cohort(12)
    speakers = pd.read_csv(folder / "speakers.csv")
    speakers["group"] = speakers["group"].replace("white", "unknown")
    speakers.to_csv(folder / "speakers.csv", index=False)
    seen = audit.run(
        audit.Cohort.read(folder), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    frame = audit.measure(seen).frame().set_index(["metric", "stage", "group", "language"])
    assert ("read_own_group", "rendered", "unknown", "all") in frame.index
    assert np.isnan(frame.loc[("read_own_group", "rendered", "unknown", "all"), "value"])
    assert frame.loc[("read_white", "rendered", "unknown", "en"), "value"] == 1.0


def test_a_mixed_label_lets_either_read_be_right(make_cohort: MakeCohort, tmp_path: Path) -> None:
    folder = make_cohort(12)
    speakers = pd.read_csv(folder / "speakers.csv")
    speakers["group"] = speakers["group"].replace("asian", "asian|indian")
    speakers.to_csv(folder / "speakers.csv", index=False)
    seen = audit.run(
        audit.Cohort.read(folder), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    result = audit.measure(seen)
    frame = result.frame().set_index(["metric", "stage", "group", "language"])
    assert frame.loc[("read_own_group", "rendered", "asian|indian", "zh"), "value"] == 1.0
    assert "Speakers labelled asian or indian are included" in result.finding("S2F001").sentence


def test_the_same_run_gives_the_same_bytes(run: audit.Run) -> None:
    first = audit.measure(run).to_json()
    assert first == audit.measure(audit.Run.read(run.folder)).to_json()  # type: ignore[arg-type]
    assert audit.Audit.from_json(first).to_json() == first


def test_rows_in_another_order_give_the_same_figures(run: audit.Run) -> None:
    shuffled = audit.Run(run.observations.sample(frac=1, random_state=3), run.manifest)
    straight = audit.Run(run.observations, run.manifest)
    pd.testing.assert_frame_equal(audit.measure(shuffled).frame(), audit.measure(straight).frame())


def test_another_column_can_stratify(run: audit.Run) -> None:
    frame = audit.measure(run, by=("group", "gender")).frame()
    cell = frame[
        (frame["metric"] == "gender_right")
        & (frame["stage"] == "rendered")
        & (frame["group"] == "asian")
        & (frame["language"] == "en")
        & (frame["gender"] == "man")
    ]
    assert cell["value"].tolist() == [1.0]
    with pytest.raises(audit.PlanError, match="names dialect"):
        audit.measure(run, by=("dialect",))


def test_the_impostor_baseline_by_hand() -> None:
    features = np.array([[1, 0], [1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    portraits = np.array([[1, 0], [1, 0], [0, 1], [0.6, 0.8]], np.float32)
    speakers, cell = pd.Series(["a", "a", "b", "c"]), pd.Series(["x"] * 4)
    # a against b (0) and c (0.6); b against a (0) and c (0.8); c has no face
    assert impostor_similarity(features, portraits, speakers, cell)[:3] == pytest.approx([0.3, 0.3, 0.4], abs=1e-6)
    assert np.isnan(impostor_similarity(features, portraits, speakers, cell)[3])
    alone = impostor_similarity(features, portraits, speakers, pd.Series(["x", "x", "y", "z"]))
    assert np.isnan(alone).all()


def test_what_cannot_be_heard_is_not_the_models_failure(make_cohort: MakeCohort, tmp_path: Path) -> None:
    folder = make_cohort(12)
    (folder / "audio" / "s0-en.wav").write_text("no sound")
    seen = audit.run(
        audit.Cohort.read(folder), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    scored = metric_frame(seen).set_index("clip_id")
    assert np.isnan(scored.loc["s0-en", "rendered.no_face"])
    assert scored.loc["s0-zh", "rendered.no_face"] == 0.0
    failures = audit.with_ids(audit.measure(seen), seen).tables["failures"].frame
    assert failures[["clip_id", "status"]].to_numpy().tolist() == [["s0-en", "audio_unreadable"]]
