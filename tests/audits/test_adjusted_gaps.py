"""Tables of adjusted gaps, bands and trends: planted causes, counts, plan keys, suppression and the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits import continuous
from audit.audits.audit import Audit
from audit.core.errors import PlanError
from audit.core.plan import MeasureSettings, Plan
from audit.reports import write_report

TABLES = ("adjusted_gaps", "bands", "trends")


def noisy_run(shift: float, effect: float, speakers: int = 150) -> audit.Run:
    """A run in which noise causes misread gender; one group has more noise by ``shift``, and more by ``effect``."""
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": speakers, "clips_per_language": 1})
    seen, rng = run.observations.copy(), np.random.default_rng(0)
    inside = (seen["group"] == "asian").to_numpy()
    noise = rng.normal(shift * inside)
    wrong = rng.random(len(seen)) < 1 / (1 + np.exp(1.5 - noise - effect * inside))
    other = seen["gender"].map({"woman": "man", "man": "woman"})
    seen["rendered_gender"] = np.where(wrong, other, seen["gender"])
    seen["rendered_gender_man"] = (seen["rendered_gender"] == "man").astype(float)
    seen["recording_snr"] = 25 - 5 * noise
    of_speaker = dict(zip(sorted(set(seen["speaker_id"])), rng.integers(18, 80, 2 * speakers), strict=True))
    seen["age"] = seen["speaker_id"].map(of_speaker).astype(float)
    return replace(run, held=seen)


def gap(measured: Audit, metric: str = "gender_right", group: str = "asian") -> pd.Series:
    frame = measured.tables["adjusted_gaps"].frame
    return frame[(frame["metric"] == metric) & (frame["group"] == group)].iloc[0]


@pytest.fixture(scope="module")
def noise() -> Audit:
    return audit.measure(noisy_run(1.0, 0.0))


@pytest.mark.parametrize(("shift", "effect"), [(1.0, 0.0), (0.0, 1.0)])
def test_noise_explains_its_gap_and_no_other(shift: float, effect: float) -> None:
    found = gap(audit.measure(noisy_run(shift, effect)))
    assert found["unadjusted_high"] < 0
    assert (found["adjusted_high"] < 0) == (effect > 0)
    assert (found["e_value_end"] > 1) == (effect > 0)
    assert found["overlap"] == "yes"
    assert found["adjusted_for"] == "age, gender, signal-to-noise ratio and the squares of numbers"


def test_findings_do_not_depend_on_the_adjustment(noise: Audit) -> None:
    other = audit.measure(noisy_run(1.0, 0.0), settings=MeasureSettings(adjust_for=("age",)))
    assert [finding.as_dict() for finding in other.findings] == [finding.as_dict() for finding in noise.findings]
    assert gap(other)["adjusted_for"].startswith("age")
    assert "adjust_for" not in noise.settings
    assert other.settings["adjust_for"] == ["age"]


def test_a_run_without_covariates_says_so() -> None:
    run = noisy_run(1.0, 0.0, speakers=20)
    seen = run.observations.drop(columns="recording_snr").assign(age=np.nan, gender="woman")
    found = gap(audit.measure(replace(run, held=seen)))
    assert pd.isna(found["adjusted"])
    assert found["method"].startswith("not adjusted: no covariate is known for most speakers and varies")
    assert "without age, gender (unknown for most speakers, or equal for nearly all)" in found["method"]


def test_clips_without_a_value_are_counted_by_group() -> None:
    run = noisy_run(1.0, 0.0, speakers=40)
    seen = run.observations.copy()
    first = seen.index[seen["group"] == "asian"][:7]
    seen.loc[first, "recording_snr"] = np.nan
    measured = audit.measure(replace(run, held=seen))
    n = int((seen["group"] == "asian").sum())
    assert (gap(measured)["n_left_out"], gap(measured)["n_clips"]) == (7, n - 7)
    assert gap(measured, group="white")["n_left_out"] == 0


@pytest.mark.parametrize(
    ("names", "words"),
    [(("ages",), "'ages', did you mean 'age'"), (("speaker_id",), "'speaker_id'"), (("rendered_age",), "rendered_age")],
)
def test_a_column_that_cannot_be_adjusted_for_is_refused(names: tuple[str, ...], words: str) -> None:
    run = noisy_run(0.0, 0.0, speakers=6)
    with pytest.raises(PlanError, match=f"adjust_for names .*{words}.*recording_snr"):
        audit.measure(run, settings=MeasureSettings(adjust_for=names))


def test_nothing_to_adjust_for_leaves_the_table_out() -> None:
    plan = Plan.parse("[measure]\nadjust_for = []\n")
    measured = audit.measure(noisy_run(0.0, 0.0, speakers=6), settings=plan.measure)
    assert "adjusted_gaps" not in measured.tables
    assert "trends" in measured.tables


def test_bands_and_trends_of_a_planted_cause(noise: Audit) -> None:
    bands = noise.tables["bands"].frame
    of_noise = bands[(bands["metric"] == "gender_right") & (bands["attribute"] == "recording_snr")]
    assert len(of_noise) == 4
    assert of_noise["band"].iloc[0] == "below 18"
    assert of_noise["value"].is_monotonic_increasing
    trends = noise.tables["trends"].frame
    curve = trends[(trends["metric"] == "gender_right") & (trends["attribute"] == "recording_snr")]
    assert (len(curve), curve["curve"].is_monotonic_increasing) == (9, True)
    assert curve["q_value"].max() < 0.01
    age = trends[(trends["metric"] == "gender_right") & (trends["attribute"] == "age")]
    assert age["q_value"].min() > 0.05


def test_further_columns_of_numbers_have_bands() -> None:
    run = noisy_run(0.0, 0.0, speakers=30)
    seen = run.observations
    seen.insert(1, "years_of_english", np.arange(len(seen)) % 17.0)
    frame = audit.measure(replace(run, held=seen)).tables["bands"].frame
    labels = frame[frame["attribute"] == "years_of_english"]["band"].unique().tolist()
    assert labels[0].startswith("up to ") and labels[-1].endswith(" and over")


def test_other_groupings_have_gaps_too() -> None:
    run = noisy_run(0.0, 1.0, speakers=40)
    seen = run.observations
    seen.insert(1, "accent", np.where(seen["group"] == "asian", "welsh", "scottish"))
    measured = audit.measure(replace(run, held=seen), settings=MeasureSettings(group_by=("accent",)))
    frame = measured.tables["adjusted_gaps"].frame
    welsh = frame[(frame["grouping"] == "accent") & (frame["group"] == "welsh") & (frame["metric"] == "gender_right")]
    assert welsh["adjusted"].tolist() == [gap(measured)["adjusted"]]


def test_the_same_run_gives_the_same_tables(noise: Audit) -> None:
    again = audit.measure(noisy_run(1.0, 0.0))
    for name in TABLES:
        assert again.tables[name].as_dict() == noise.tables[name].as_dict()


def test_many_clips_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuous, "MOST_CLIPS", 100)
    measured = audit.measure(noisy_run(1.0, 0.0))
    for name in TABLES:
        frame = measured.tables[name].frame
        words = "a random sample of 50 of 300 speakers, with at most 2 random clips of each speaker"
        assert frame["method"].str.contains(words, regex=False).all()
        assert frame["n_clips"].max() <= 100


def test_small_groups_are_suppressed() -> None:
    run = noisy_run(0.0, 1.0, speakers=30)
    seen = run.observations
    few = sorted(set(seen["speaker_id"]))[:4]
    seen["group"] = seen["group"].astype(object).mask(seen["speaker_id"].isin(few), "black")
    measured = audit.measure(replace(run, held=seen), settings=MeasureSettings(suppress_below=6))
    found = gap(measured, group="black")
    assert pd.isna(found["unadjusted"])
    assert pd.isna(found["n_speakers"])
    assert found["method"].startswith("suppressed")


def test_the_report_has_both_gaps_and_a_chart(noise: Audit, tmp_path: Path) -> None:
    page = write_report(noise, tmp_path).read_text()
    assert "Is it the recording?" in page
    assert "What was adjusted for may explain the gap" in page
    assert "Gaps without and with adjustment" in page
    charts = sorted(path.name for path in (tmp_path / "figures").glob("trend-*.svg"))
    assert any("recording-snr" in name for name in charts)
    assert 'aria-label="Gender read as labelled along Signal-to-noise ratio, dB: curve with intervals and band.' in page
