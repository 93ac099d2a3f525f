"""The seam with fairlearn: the same point figures, to the last digit that is kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame

import audit
from audit.audits.fairness import speaker_mean
from audit.core.plan import MeasureSettings
from audit.stats import cells
from tests.fakes import NOT_A_FACE, ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]

TRUTH = {
    "groups": ["asian", "asian|indian", "white", "unknown"],
    "speakers_per_group": 12,
    "clips_per_language": 3,
    "languages": ["en", "zh"],
    "icc": 0.4,
    "missing": 0.2,
    "gender_right": 0.8,
    "portrait": {"unknown": {"white": 1.0}},
    "ceiling": {"unknown": {"en": {"white": 1.0}, "zh": {"white": 1.0}}},
    "rendered": {
        "asian": {"en": {"white": 0.5}},
        "unknown": {"en": {"white": 0.5, "black": 0.5}, "zh": {"white": 1.0}},
    },
}


def assert_same_figures(result: audit.Audit) -> None:
    """Every metric, stage, group and language of the table stands in the frame, and is the same number or missing."""
    table = result.frame().set_index(["metric", "stage", "group", "language"])["value"]
    compared = 0
    for stage in ("portrait", "ceiling", "rendered"):
        crossed = result.to_metric_frame(by=("group", "language"), stage=stage)
        by_group = result.to_metric_frame(by=["group"], stage=stage).by_group
        by_language = result.to_metric_frame(by=["language"], stage=stage)
        for metric in crossed.by_group.columns:
            figures = {("all", "all"): crossed.overall[metric]}
            figures |= crossed.by_group[metric].to_dict()
            figures |= {(group, "all"): value for group, value in by_group[metric].items()}
            figures |= {("all", language): value for language, value in by_language.by_group[metric].items()}
            for (group, language), value in figures.items():
                expected = table.get((metric, stage, group, language), np.nan)
                assert value == expected or (np.isnan(value) and np.isnan(expected)), (metric, stage, group, language)
                compared += 1
    assert compared == len(table)


@pytest.mark.parametrize("estimand", ["speaker", "clip"])
def test_a_simulated_run_gives_the_same_figures(estimand: str) -> None:
    settings = MeasureSettings(estimand=estimand)  # type: ignore[arg-type]
    assert_same_figures(audit.measure(audit.simulate(TRUTH, seed=3), settings=settings))


def test_missing_faces_and_uneven_clips_give_the_same_figures(make_cohort: MakeCohort, tmp_path: Path) -> None:
    """Some speakers are heard once, some in several clips of a language, some in one language; some have no face."""
    folder = make_cohort(14)
    clips = pd.read_csv(folder / "clips.csv")
    again = clips[clips["speaker_id"].isin(["s1", "s4", "s5"])].assign(clip_id=lambda rows: rows["clip_id"] + "-again")
    clips = pd.concat(
        [clips[~clips["clip_id"].isin(["s2-zh", "s7-en"])], again, again.assign(clip_id=again["clip_id"] + "-2")]
    )
    clips.to_csv(folder / "clips.csv", index=False)

    class Shy(LoudnessModel):
        def _render(self, waveform: np.ndarray) -> np.ndarray:
            level = np.sqrt(np.mean(waveform**2))
            return NOT_A_FACE if level < 0.1045 else super()._render(waveform)

    run = audit.run(audit.Cohort.read(folder), model=Shy(), instrument=ColourInstrument(), out=tmp_path / "run")
    assert {"ok", "no_face"} <= set(run.observations["status"])
    assert run.observations.groupby("speaker_id").size().nunique() > 2
    result = audit.measure(run)
    assert_same_figures(result)
    similar = result.to_metric_frame().by_group.filter(like="similarity_")
    assert similar.notna().any(axis=None)


def test_chosen_metrics_and_what_is_not_there() -> None:
    result = audit.measure(audit.simulate(TRUTH))
    frame = result.to_metric_frame(["read_white"], by=["gender"])
    assert list(frame.by_group.columns) == ["read_white"]
    assert set(frame.by_group.index) == {"man", "woman"}
    with pytest.raises(audit.PlanError, match="no metric no_face at the stage portrait"):
        result.to_metric_frame(["no_face"], stage="portrait")
    with pytest.raises(audit.PlanError, match="no column dialect"):
        result.to_metric_frame(by=["dialect"])


def test_an_audit_that_was_read_says_what_to_do() -> None:
    result = audit.measure(audit.simulate(TRUTH))
    read = audit.Audit.from_json(result.to_json())
    assert read.scores is None
    assert "scores" not in repr(result) and "scores" not in result.to_json()
    with pytest.raises(audit.RunError, match=r"audit\.measure"):
        read.to_metric_frame()


def test_speaker_mean_in_a_custom_metric_frame() -> None:
    """a: 1, b: 0 0 0, c: 1 and unread, d: unread. Speakers of x: 1/2; y: 1, z: none; clips of x: 1/4."""
    clips = pd.DataFrame(
        {
            "speaker_id": list("abbbccd"),
            "group": list("xxxxyyz"),
            "right": [1, 0, 0, 0, 1, np.nan, np.nan],
        }
    )

    def made(metric: Callable[..., float]) -> dict[str, float]:
        frame = MetricFrame(
            metrics={"right": metric},
            y_true=clips["right"],
            y_pred=clips["right"],
            sensitive_features=clips["group"],
            sample_params={"right": {"speaker": clips["speaker_id"]}},
        )
        return dict(frame.by_group["right"])

    by_speaker = made(speaker_mean)
    assert (by_speaker["x"], by_speaker["y"]) == (0.5, 1.0)
    assert np.isnan(by_speaker["z"])
    assert made(partial(speaker_mean, estimand="clip"))["x"] == 0.25
    ours = cells(clips, ["group"], "right").set_index("group")["value"]
    assert by_speaker["x"] == ours["x"] and by_speaker["y"] == ours["y"]


def test_the_package_loads_neither_pandas_nor_fairlearn() -> None:
    code = "import sys, audit; assert not {'pandas', 'fairlearn', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = "import sys, audit; audit.measure, audit.Audit; assert 'fairlearn' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
