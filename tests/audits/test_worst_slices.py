"""The table of the worst slices: which columns and metrics are searched, suppression, and the report's sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.audit import Audit
from audit.checks.slice_columns import slice_columns
from audit.checks.strata import Strata
from audit.core.errors import PlanError
from audit.core.plan import MeasureSettings
from audit.reports import write_report
from audit.reports.report.worst_slices import slice_sentences

TRUTH = {"groups": ["asian", "black", "white"], "speakers_per_group": 80, "languages": ["en", "zh"]}


def run_with(planted: float = 0.0) -> audit.Run:
    """A run with accents; women of accent welsh have no face at the rate ``planted``, others at .05."""
    run = audit.simulate(TRUTH)
    frame, rng = run.observations, np.random.default_rng(0)
    of, names = pd.factorize(frame["speaker_id"])
    accent = np.resize(["welsh", "scottish", "irish"], len(names))[of]
    women = ((accent == "welsh") & (frame["gender"] == "woman")).to_numpy()
    lost = rng.random(len(frame)) < np.where(women, planted or 0.05, 0.05)
    frame.insert(list(frame.columns).index("status"), "accent", accent)
    for name in frame:
        if name.startswith("rendered_") and name != "rendered_status":
            frame[name] = frame[name].mask(lost)
    frame["status"] = frame["status"].mask(lost, "no_face")
    frame["rendered_status"] = frame["rendered_status"].mask(lost, "no_face")
    return replace(run, held=frame)


def measured(run: audit.Run, **settings: object) -> Audit:
    return audit.measure(run, settings=MeasureSettings.model_validate({"resamples": 200, **settings}))


@pytest.fixture(scope="module")
def planted() -> Audit:
    return measured(run_with(0.6))


def rows(of: Audit, metric: str) -> pd.DataFrame:
    frame = of.tables["worst_slices"].frame
    return frame[frame["metric"] == metric]


def test_planted_slice_comes_first(planted: Audit) -> None:
    worst = rows(planted, "no_face").iloc[0]
    assert worst["slice"] == "gender woman, accent welsh"
    assert [worst[f"{what}_{i}"] for i in (1, 2, 3) for what in ("column", "value")] == [
        *("gender", "woman", "accent", "welsh", "", "")
    ]
    assert (worst["group"], worst["language"]) == ("all", "all")
    assert worst["value"] > 0.5
    assert worst["difference_low"] > 0
    assert worst["p_value"] <= 0.05


def test_every_metric_with_failures_is_searched(planted: Audit) -> None:
    found = planted.tables["worst_slices"].frame
    assert set(found["metric"]) >= {"read_own_group", "gender_right", "age_error", "no_face"}
    assert not [name for name in found["metric"].unique() if name.startswith(("similarity", "retrieval", "feature"))]


def test_without_planted_slice_none_is_shown() -> None:
    found = rows(measured(run_with()), "no_face")
    assert (found["p_value"] > 0.05).all()
    assert (found["difference_low"] <= 0).all()


def test_sentences_name_the_slice_and_the_search(planted: Audit, tmp_path: Path) -> None:
    worst = rows(planted, "no_face").iloc[0]
    sentence = next(line for line in slice_sentences(planted) if line.startswith("No usable face"))
    assert f"of {worst['n_slices']} slices, gender woman, accent welsh fails most" in sentence
    null = slice_sentences(measured(run_with()))
    assert any("No usable face: none of" in line and "more than chance allows" in line for line in null)
    page = write_report(planted, tmp_path).read_text("utf-8")
    assert "Worst slices" in page
    assert "gender woman, accent welsh fails most" in page


def test_depth_and_columns_limit_the_search() -> None:
    run = run_with(0.6)
    assert "worst_slices" not in measured(run, slice_depth=0).tables
    one = rows(measured(run, slice_depth=1, slice_columns=["accent"]), "no_face")
    assert one.iloc[0]["slice"] == "accent welsh"
    assert one.iloc[0]["n_slices"] == 3


@pytest.mark.parametrize("named", ["speaker_id", "group_source", "seconds", "nothing"])
def test_columns_that_cannot_be_searched_are_refused(named: str) -> None:
    with pytest.raises(PlanError, match=f"measure.slice_columns names {named}"):
        measured(run_with(), slice_columns=[named])


def test_no_slice_reveals_fewer_speakers_than_are_suppressed() -> None:
    run = run_with(0.6)
    frame = run.observations
    women = frame[(frame["accent"] == "welsh") & (frame["gender"] == "woman")]["speaker_id"].unique()
    # all but three welsh speakers are women: both slices together would reveal the three
    welsh_men = frame[(frame["accent"] == "welsh") & (frame["gender"] != "woman")]["speaker_id"].unique()
    kept = replace(run, held=frame[~frame["speaker_id"].isin(welsh_men[3:])].reset_index(drop=True))
    assert len(women) > 10
    shown = rows(measured(kept), "no_face")["slice"]
    hidden = rows(measured(kept, suppress_below=5), "no_face")["slice"]
    assert {"accent welsh", "gender woman, accent welsh"} & set(shown)
    assert "gender woman, accent welsh" not in set(hidden)


def test_age_is_searched_in_bands() -> None:
    ages = [*np.arange(18.0, 66.0), np.nan]
    age = slice_columns(Strata(pd.DataFrame({"speaker_id": range(49), "age": ages, "status": "ok"})))["age"]
    assert list(age.cat.categories) == ["up to 29", "30 to 39", "40 to 49", "50 and over"]
    assert age.isna().tolist() == [False] * 48 + [True]


def test_ages_of_few_speakers_are_not_searched() -> None:
    frame = pd.DataFrame({"speaker_id": range(3), "age": [20.0, 30.0, 40.0], "gender": [*"xyy"], "status": "ok"})
    assert slice_columns(Strata(frame)).columns.tolist() == ["gender"]


def test_ids_sources_numbers_and_constant_columns_are_left_out() -> None:
    frame = pd.DataFrame(
        {
            "clip_id": [*"abcd"],
            "speaker_id": [*"wxyz"],
            "cluster": [*"ppqq"],
            "group": ["asian", "asian", "white", "unknown"],
            "language": ["en", "zh", "und", "zh"],
            "group_source": ["annotator", "metadata"] * 2,
            "site": "one",
            "loudness": [-20.0, -21.0, -22.0, -23.0],
            "status": "ok",
        }
    )
    found = slice_columns(Strata(frame))
    assert found.columns.tolist() == ["group", "language"]
    assert found["language"].isna().tolist() == [False, False, True, False]


def test_a_column_of_codes_is_searched_only_if_it_is_named() -> None:
    frame = pd.DataFrame(
        {"speaker_id": [*"abcd"], "group": ["x", "x", "y", "y"], "gender": "woman", "cue": ["-1", "1", "-1", "1"]}
    ).assign(status="ok")
    assert slice_columns(Strata(frame)).columns.tolist() == ["group"]
    assert slice_columns(Strata(frame), ["cue"]).columns.tolist() == ["cue"]
