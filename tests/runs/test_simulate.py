"""Planted truth: what is planted is what is drawn, what is drawn is what is measured, and a fault is named."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import CLIP_STATUSES, RACES
from audit.reports import write_report
from audit.runs.simulation import shared_uniforms

EXAMPLE = """\
groups = ["asian", "white"]          # speakers_per_group, clips_per_language: integers
speakers_per_group = 50
clips_per_language = 2
languages = ["en", "zh"]             # every speaker is heard in all of them
icc = 0.3                            # within speaker and language, on each read
icc_between_languages = 0.3          # the speaker's own part, shared by the languages
missing = 0.0                        # share of clips with no face
[rendered.asian.en]                  # stage.group.language = probabilities of the read; the rest goes to own group
white = 0.6
"""

LARGE: dict[str, Any] = {
    "groups": ["asian", "white", "black"],
    "speakers_per_group": 4000,
    "clips_per_language": 3,
    "languages": ["en", "zh"],
    "icc": 0.5,
    "icc_between_languages": 0.2,
    "missing": {"asian": 0.3, "black": 0.05},
    "gender_right": {"asian": 0.8},
    "portrait": {"asian": {"white": 0.1}},
    "ceiling": {"asian": {"en": {"white": 0.2}, "zh": {"white": 0.2}}},
    "rendered": {
        "asian": {"en": {"indian": 0.1, "white": 0.5}, "zh": {"white": 0.1}},
        "black": {"en": {"white": 0.3}, "zh": {"white": 0.3}},
    },
}


def planted(**changes: Any) -> dict[str, Any]:
    return tomllib.loads(EXAMPLE) | changes


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """Four thousand speakers of each group."""
    return audit.simulate(LARGE, seed=5).observations


def clips(frame: pd.DataFrame, group: str, language: str, values: pd.Series) -> np.ndarray:
    """Values of shape (speakers, clips)."""
    of = (frame["group"] == group) & (frame["language"] == language)
    return values[of].to_numpy(float).reshape(-1, LARGE["clips_per_language"])


# What is drawn


def test_the_example_of_the_design_is_taken_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "truth.toml").write_text(EXAMPLE, encoding="utf-8")
    run = audit.simulate(tmp_path / "truth.toml")
    assert len(run.observations) == 2 * 50 * 2 * 2
    counts = run.observations.groupby(["group", "language"])["speaker_id"].agg(["nunique", "size"])
    assert (counts == [50, 100]).all(axis=None)
    assert set(run.observations["gender"].value_counts()) == {200}
    untouched = run.observations[(run.observations["group"] == "white") | (run.observations["language"] == "zh")]
    assert (untouched["rendered_race"] == untouched["group"]).all()
    assert (run.observations["portrait_race"] == run.observations["group"]).all()
    finding = audit.measure(run, with_tables=False).finding("S2F001")
    assert finding.outcome == "shown"
    assert finding.estimate is not None
    assert finding.estimate.interval is not None
    low, high = finding.estimate.interval
    assert low <= 0.6 <= high


def test_a_certain_truth_is_drawn_exactly() -> None:
    run = audit.simulate(
        planted(
            speakers_per_group=6,
            icc=0.0,
            icc_between_languages=0.0,
            portrait={"asian": {"indian": 1}},
            rendered={"asian": {"en": {"white": 1.0}, "zh": {"black": 0.5, "indian": 0.5}}},
        )
    )
    asian = run.observations[run.observations["group"] == "asian"]
    assert set(asian["portrait_race"]) == {"indian"}
    assert set(asian["ceiling_race"]) == {"asian"}
    assert set(asian.loc[asian["language"] == "en", "rendered_race"]) == {"white"}
    assert set(asian.loc[asian["language"] == "zh", "rendered_race"]) == {"indian", "black"}
    estimates = audit.measure(run, with_tables=False).finding("S2F001").estimates
    assert (estimates["excess_over_portrait"].value, estimates["language_effect"].value) == (1.0, 1.0)
    assert estimates["not_own"].value == 1.0


def test_a_row_is_whole(large: pd.DataFrame) -> None:
    assert set(large["status"]) == {"ok", "no_face"} <= set(CLIP_STATUSES)
    for stage in ("portrait", "ceiling", "rendered"):
        ok = large[large[f"{stage}_status"] == "ok"]
        chances = ok[[f"{stage}_race_{race}" for race in RACES]].to_numpy()
        assert (chances.sum(axis=1) == 1).all()
        assert (np.array(RACES)[chances.argmax(axis=1)] == ok[f"{stage}_race"]).all()
        assert ((ok[f"{stage}_gender"] == "man") == (ok[f"{stage}_gender_man"] == 1)).all()
        assert (ok[f"{stage}_age"] == ok["age"]).all()


@pytest.mark.parametrize(
    ("group", "language", "stage", "read", "rate"),
    [
        ("asian", "en", "rendered", "white", 0.5),
        ("asian", "en", "rendered", "indian", 0.1),
        ("asian", "en", "rendered", "asian", 0.4),
        ("asian", "zh", "rendered", "white", 0.1),
        ("asian", "zh", "ceiling", "white", 0.2),
        ("asian", "en", "portrait", "white", 0.1),
        ("black", "en", "rendered", "white", 0.3),
    ],
)
def test_the_rates_are_the_planted_ones(
    large: pd.DataFrame, group: str, language: str, stage: str, read: str, rate: float
) -> None:
    part = large[(large["group"] == group) & (large["language"] == language) & (large[f"{stage}_status"] == "ok")]
    by_speaker = (part[f"{stage}_race"] == read).groupby(part["speaker_id"]).mean()
    assert abs(by_speaker.mean() - rate) < 4 * by_speaker.std() / np.sqrt(len(by_speaker))


def test_clips_of_a_speaker_are_alike_as_planted(large: pd.DataFrame) -> None:
    """A correlation of n independent pairs has a standard error of at most about 1 / sqrt(n)."""
    full = audit.simulate(LARGE | {"missing": 0.0}, seed=5).observations
    white = full["rendered_race"] == "white"
    tolerance = 4 / np.sqrt(LARGE["speakers_per_group"])
    english, chinese = (clips(full, "black", language, white) for language in ("en", "zh"))
    for first, second, expected in (
        (english[:, 0], english[:, 1], 0.5),
        (chinese[:, 0], chinese[:, 2], 0.5),
        (english[:, 0], chinese[:, 1], 0.2),
    ):
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(expected, abs=tolerance)
    # of two probabilities .4 and .9 of the own read, both have .4 in common: .2 * (.4 - .36) / sqrt(.24 * .09)
    own = full["rendered_race"] == "asian"
    first, second = clips(full, "asian", "en", own)[:, 0], clips(full, "asian", "zh", own)[:, 0]
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.2 * 0.04 / np.sqrt(0.24 * 0.09), abs=tolerance)
    # stages know nothing of each other
    ceiling = clips(full, "asian", "en", full["ceiling_race"] == "asian")[:, 0]
    assert np.corrcoef(first, ceiling)[0, 1] == pytest.approx(0, abs=tolerance)


def test_speakers_of_a_cluster_are_alike_as_planted() -> None:
    truth = LARGE | {"missing": 0.0, "speakers_per_cluster": 2, "cluster_icc": 0.1}
    seen = audit.simulate(truth, seed=5).observations
    assert (seen.groupby("cluster")["speaker_id"].nunique() == 2).all()
    assert (seen.groupby("cluster")["group"].nunique() == 1).all()
    white = seen["rendered_race"] == "white"
    english, chinese = (clips(seen, "black", language, white) for language in ("en", "zh"))
    tolerance = 4 / np.sqrt(LARGE["speakers_per_group"] / 2)
    for first, second, expected in (
        (english[::2, 0], english[1::2, 1], 0.1),  # two speakers of one cluster
        (english[::2, 0], chinese[1::2, 0], 0.1),
        (english[:, 0], english[:, 1], 0.5),  # one speaker, as without clusters
        (english[:, 0], chinese[:, 1], 0.2),
        (english[1:-1:2, 0], english[2::2, 0], 0.0),  # neighbours in different clusters
    ):
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(expected, abs=tolerance)
    assert white[seen["group"] == "black"].mean() == pytest.approx(0.3, abs=0.02)


def test_clusters_that_share_nothing_leave_the_reads_as_they_were() -> None:
    plain, named = (audit.simulate(planted(**keys), seed=3) for keys in ({}, {"speakers_per_cluster": 4}))
    pd.testing.assert_frame_equal(named.observations.drop(columns="cluster"), plain.observations)
    assert named.observations["cluster"].nunique() == 2 * 13
    assert "cluster" not in plain.observations


def test_a_truth_without_clusters_gives_the_run_that_it_always_gave() -> None:
    """The digests of observations and cohort do not depend on keys that a truth does not use."""
    run = audit.simulate(planted(), seed=1)
    assert run.digest == "8e6fb4013e567e3c01df1c4b0f9cdd95e4396823aa61a5d7a1a5749892b748f0"
    assert run.manifest["cohort"]["digest"] == "a73acd85eb9e4db57107aee4314260c59b31f011cbaae08e2f575bf6b8d7b750"


def test_speakers_know_nothing_of_each_other() -> None:
    uniform = shared_uniforms(np.random.default_rng(1), (4000, 2, 2), 0.6, 0.6)
    assert np.corrcoef(uniform[:-1, 0, 0], uniform[1:, 0, 0])[0, 1] == pytest.approx(0, abs=4 / np.sqrt(4000))
    assert len(np.unique(uniform[:, 0, 0])) == 4000


def test_missing_faces_are_counted_and_never_read(large: pd.DataFrame) -> None:
    gone = large["status"] == "no_face"
    for group, rate in (("asian", 0.3), ("black", 0.05), ("white", 0.0)):
        by_speaker = gone[large["group"] == group].groupby(large["speaker_id"]).mean()
        assert abs(by_speaker.mean() - rate) <= 4 * by_speaker.std() / np.sqrt(len(by_speaker))
    assert large.loc[gone, [name for name in large if name.startswith("rendered_race")]].isna().all(axis=None)
    assert (large.loc[gone, "portrait_status"] == "ok").all()


def test_missing_faces_are_missing_in_the_audit() -> None:
    run = audit.simulate(planted(missing=0.25), seed=2)
    gone = run.observations["status"] == "no_face"
    asian = (run.observations["group"] == "asian") & (run.observations["language"] == "en")
    estimate = audit.measure(run, with_tables=False).finding("S2F001").estimates["rendered"]
    assert estimate.n_missing == (gone & asian).sum() > 0
    assert estimate.n_clips == (~gone & asian).sum()


def test_gender_is_read_as_planted(large: pd.DataFrame) -> None:
    seen = large[large["status"] == "ok"]
    right = seen["rendered_gender"] == seen["gender"]
    by_speaker = right[seen["group"] == "asian"].groupby(seen["speaker_id"]).mean()
    assert abs(by_speaker.mean() - 0.8) < 4 * by_speaker.std() / np.sqrt(len(by_speaker))
    assert right[seen["group"] != "asian"].all()
    assert (large["portrait_gender"] == large["gender"]).all()


def test_a_mixed_label_and_an_unknown_one() -> None:
    reads = {"white": 0.25, "black": 0.75}
    run = audit.simulate(
        {
            "groups": ["unknown", "indian|asian"],
            "speakers_per_group": 5,
            "portrait": {"unknown": reads},
            "ceiling": {"unknown": {"en": reads}},
            "rendered": {"unknown": {"en": reads}, "indian|asian": {"en": {"indian": 1.0}}},
        }
    )
    by_group = run.observations.groupby("group")
    assert by_group["portrait_race"].unique()["indian|asian"].tolist() == ["asian"]
    assert by_group["rendered_race"].unique()["indian|asian"].tolist() == ["indian"]
    assert set(by_group["rendered_race"].unique()["unknown"]) <= {"white", "black"}


# The same truth and seed


def test_the_same_truth_and_seed_give_the_same_run(tmp_path: Path) -> None:
    again = planted(groups=["white", "asian"], languages=["zh", "en"])
    one = audit.simulate(planted(), seed=3)
    assert one.digest == audit.simulate(planted(), seed=3).digest
    pd.testing.assert_frame_equal(one.observations, audit.simulate(again, seed=3).observations)
    assert one.digest != audit.simulate(planted(), seed=4).digest
    assert one.digest != audit.simulate(planted(icc=0.5), seed=3).digest


def test_one_table_leaves_what_the_others_draw() -> None:
    one = audit.simulate(planted()).observations
    other = audit.simulate(planted(missing=0.2, ceiling={"asian": {"en": {"black": 0.5}}})).observations
    seen = other["status"] == "ok"
    assert (one.loc[seen, "rendered_race"] == other.loc[seen, "rendered_race"]).all()
    pd.testing.assert_series_equal(one["age"], other["age"])


def test_numbers_of_numpy_are_numbers() -> None:
    plain = planted(speakers_per_group=7, icc=0.25, icc_between_languages=0.25)
    numpy = planted(speakers_per_group=np.int64(7), icc=np.float32(0.25), icc_between_languages=np.float64(0.25))
    assert audit.simulate(numpy).digest == audit.simulate(plain).digest


def test_a_folder_holds_the_same_run_as_memory(tmp_path: Path) -> None:
    memory, folder = audit.simulate(planted(), 7), audit.simulate(planted(), 7, out=tmp_path / "run")
    assert folder.digest == memory.digest == audit.Run.read(tmp_path / "run").digest
    pd.testing.assert_frame_equal(folder.observations, memory.observations)
    assert audit.measure(folder).to_json() == audit.measure(memory).to_json()
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*"))
    assert audit.simulate(planted(), 7, out=tmp_path / "run").digest == memory.digest
    assert before == sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*"))
    with pytest.raises(audit.RunError, match="contains another run"):
        audit.simulate(planted(), 8, out=tmp_path / "run")
    again = audit.simulate(tmp_path / "run" / "truth.toml", 7)
    assert again.digest == memory.digest


# What is measured


def test_findings_are_the_same_without_tables() -> None:
    run = audit.simulate(planted(missing=0.1))
    whole, bare = audit.measure(run), audit.measure(run, with_tables=False)
    assert bare.findings == whole.findings
    assert bare.tables == {}
    assert bare.run == whole.run


@pytest.mark.study
def test_planted_truth_lies_in_its_intervals() -> None:
    """Nominal 95 %: of 60 intervals at most 9 miss, but for one study in a thousand."""
    truth = planted(speakers_per_group=30, portrait={"asian": {"white": 0.1}}, missing=0.1)
    expected = {"portrait": 0.1, "rendered": 0.6, "excess_over_portrait": 0.5, "language_effect": 0.6}
    misses = dict.fromkeys(expected, 0)
    settings = MeasureSettings(intersect=())
    for seed in range(60):
        made = audit.measure(audit.simulate(truth, seed), settings=settings, with_tables=False)
        estimates = made.finding("S2F001").estimates
        for name, value in expected.items():
            low, high = estimates[name].interval or (0.0, 0.0)
            misses[name] += not low <= value <= high
    assert max(misses.values()) <= 9


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audit.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_command_makes_a_run_whose_report_says_that_it_is_planted(tmp_path: Path) -> None:
    truth = tmp_path / "truth.toml"
    truth.write_text(EXAMPLE, encoding="utf-8")
    made = command("simulate", truth, "-o", tmp_path / "run", "--seed", "4")
    assert (made.returncode, made.stdout.strip()) == (0, str(tmp_path / "run"))
    run = audit.Run.read(tmp_path / "run")
    assert run.digest == audit.simulate(truth, 4).digest
    assert audit.Plan.read(tmp_path / "run" / "plan.toml").measure == audit.Plan().measure
    result = audit.measure(run)
    assert result.run["model_kind"] == "simulated"
    page = write_report(result, tmp_path / "run").read_text(encoding="utf-8")
    assert "This run is simulated" in page


def test_a_mistyped_key_ends_the_command_with_2(tmp_path: Path) -> None:
    truth = tmp_path / "truth.toml"
    truth.write_text(EXAMPLE.replace("missing", "mising"), encoding="utf-8")
    failed = command("simulate", truth, "-o", tmp_path / "run")
    assert failed.returncode == 2
    assert "did you mean 'missing'" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "run").exists()


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speaker_per_group": 5}, "there is no key speaker_per_group, did you mean 'speakers_per_group'"),
        ({"groups": ["asain"]}, "there is no group 'asain', did you mean 'asian'"),
        ({"groups": []}, "groups is"),
        ({"groups": ["asian", "asian"]}, "the group asian is named twice"),
        ({"speakers_per_group": 0}, "speakers_per_group is 0"),
        ({"speakers_per_group": "many"}, "speakers_per_group is 'many'"),
        ({"languages": ["English-"]}, "'English-' is not a BCP-47 code"),
        ({"icc": 1.5}, "icc is 1.5"),
        ({"icc": float("nan")}, "icc is nan"),
        ({"icc": 0.1}, "icc_between_languages is 0.3, above the icc of 0.1"),
        ({"cluster_icc": 0.1}, "cluster_icc is 0.1 without speakers_per_cluster"),
        (
            {"speakers_per_cluster": 2, "cluster_icc": 0.4},
            "cluster_icc is 0.4, above the correlation of 0.3 between clips of one speaker",
        ),
        ({"speakers_per_cluster": 0}, "speakers_per_cluster"),
        ({"missing": 1.2}, "missing is 1.2: expected a probability"),
        ({"missing": {"black": 0.1}}, "missing.black: no such group here"),
        ({"missing": {"asian": "some"}}, "a probability in"),
        ({"rendered": {"asien": {"en": {"white": 0.6}}}}, "rendered.asien: no such group here, did you mean 'asian'"),
        ({"rendered": {"asian": {"fr": {"white": 0.6}}}}, "rendered.asian.fr: no such language here"),
        ({"rendered": {"asian": {"en": {"wite": 0.6}}}}, "rendered.asian.en.wite: no such read.*did you mean 'white'"),
        ({"rendered": {"asian": {"en": {"white": 0.6, "black": 0.5}}}}, "sum to 1.1, above 1"),
        ({"rendered": {"asian": {"en": {"white": -0.1}}}}, "rendered.asian.en.white is -0.1"),
        ({"rendered": {"asian": {"white": 0.6}}}, "rendered.asian.white is 0.6"),
        ({"rendered": {"asian": {"en": 0.6}}}, "rendered.asian.en is 0.6"),
        ({"portrait": {"asian": {"en": {"white": 0.1}, "zh": {"white": 0.2}}}}, "its languages cannot differ"),
        ({"groups": ["asian", "unknown"]}, "the group unknown has no own read"),
        ({"speakers_per_group": 10_000_000}, "there are 80,000,000 clips"),
    ],
)
def test_what_cannot_be_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(audit.PlanError, match=message):
        audit.simulate(planted(**changes))


def test_a_truth_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(audit.PlanError, match=r"none.toml cannot be read"):
        audit.simulate(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("groups = [", encoding="utf-8")
    with pytest.raises(audit.PlanError, match="is not a TOML file"):
        audit.simulate(tmp_path / "bad.toml")
    with pytest.raises(audit.PlanError, match="the key groups is missing"):
        audit.simulate({"speakers_per_group": 3})
    with pytest.raises(audit.PlanError, match="a whole number"):
        audit.simulate(planted(), seed="one")  # type: ignore[arg-type]


def test_icc_between_languages_is_free_with_one_clip() -> None:
    """With one clip in each language, what is shared between languages is all that is shared."""
    truth = planted(clips_per_language=1, icc=0.0, icc_between_languages=1.0, speakers_per_group=200)
    truth["rendered"] = {"asian": {"en": {"white": 0.5}, "zh": {"white": 0.5}}}
    frame = audit.simulate(truth).observations
    assert (frame.groupby("speaker_id")["rendered_race"].nunique() == 1).all()


def test_portraits_by_language_are_taken_where_they_agree() -> None:
    by_language = planted(portrait={"asian": {"en": {"white": 0.2}, "zh": {"white": 0.2}}})
    assert audit.simulate(by_language).digest == audit.simulate(planted(portrait={"asian": {"white": 0.2}})).digest
