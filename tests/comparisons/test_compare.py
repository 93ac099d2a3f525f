"""Comparisons: refused runs, changes by hand-computed cases, gains and losses, and levelling down."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks import margins_of, shipped
from audit.comparisons import paired_changes
from audit.comparisons.changes import word_for
from audit.core.errors import RunError
from audit.core.plan import MeasureSettings
from audit.stats import Estimate
from tests.comparisons.conftest import BETTER, TRUTH

SETTINGS = MeasureSettings()


def small(clips: Mapping[str, list[str]], languages: tuple[str, ...] = ("en",), each: int = 1) -> audit.Run:
    """A run with given rendered reads by group, one for each clip in the order of speakers, languages and clips."""
    run = audit.simulate(
        {
            "groups": list(clips),
            "languages": list(languages),
            "speakers_per_group": len(next(iter(clips.values()))) // (len(languages) * each),
            "clips_per_language": each,
        }
    )
    return reads(run, "rendered", clips)


def reads(run: audit.Run, stage: str, clips: Mapping[str, list[str]]) -> audit.Run:
    seen = run.observations.copy()
    for group, found in clips.items():
        seen.loc[seen["group"] == group, f"{stage}_race"] = found
    return replace(run, held=seen)


def described(run: audit.Run, **changes: Any) -> audit.Run:
    """The run with parts of its manifest changed; ``a__b`` is the key b of a."""
    manifest = copy.deepcopy(dict(run.manifest))
    for path, value in changes.items():
        *above, key = path.split("__")
        place = manifest
        for part in above:
            place = place[part]
        place[key] = value
    return replace(run, manifest=manifest)


def seen_otherwise(run: audit.Run, column: str, value: object) -> audit.Run:
    seen = run.observations.copy()
    seen.loc[seen.index[0], column] = value
    return replace(run, held=seen)


REFUSED: dict[str, tuple[Callable[[audit.Run], audit.Run], str]] = {
    "another cohort": (lambda run: described(run, cohort__digest="other"), "the cohort's digest"),
    "another instrument": (lambda run: described(run, instrument__name="other"), "the instrument, name"),
    "other weights of the instrument": (
        lambda run: described(run, instrument__attributes={"race": {"weights": {"a.onnx": "ff"}}}),
        "the instrument, attributes",
    ),
    "another seed": (lambda run: described(run, seed=9), "the seed"),
    "another least length": (lambda run: described(run, settings__min_seconds=3.0), "the setting min_seconds"),
    "an incomplete run": (lambda run: described(run, status="running"), "is not complete"),
    "another label": (lambda run: seen_otherwise(run, "gender", "man"), "gender of clip asian-00-en-0"),
    "another reading of a portrait": (
        lambda run: seen_otherwise(run, "portrait_race", "indian"),
        "the same portraits were read differently",
    ),
    "fewer clips": (lambda run: replace(run, held=run.observations.iloc[1:]), "the number of clips"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_runs_that_differ_in_more_than_the_model_are_refused(runs: tuple[audit.Run, audit.Run], how: str) -> None:
    change, words = REFUSED[how]
    for pair in ((runs[0], change(runs[1])), (change(runs[0]), runs[1])):
        with pytest.raises(RunError, match="simulated") as refused:
            audit.compare(*pair)
        assert words in str(refused.value)
        with pytest.raises(RunError):
            paired_changes(*pair, SETTINGS)


def test_differences_that_affect_no_read_are_accepted(runs: tuple[audit.Run, audit.Run]) -> None:
    other = described(runs[1], instrument__versions={"numpy": "0"}, instrument__requested="auto", settings__part=1)
    assert audit.compare(runs[0], other).sentences


def test_one_run_cannot_be_compared(runs: tuple[audit.Run, audit.Run]) -> None:
    with pytest.raises(RunError, match="two or more"):
        audit.compare(runs[0])


def test_different_versions_give_a_notice(runs: tuple[audit.Run, audit.Run]) -> None:
    made = audit.compare(runs[0], described(runs[1], versions={**runs[1].manifest["versions"], "torch": "9.9"}))
    assert any("torch" in notice and "9.9" in notice for notice in made.notices)


def change_of(first: audit.Run, second: audit.Run, key: str) -> Estimate:
    return paired_changes(first, second, SETTINGS)[key].at(0.95)


def test_s2f001_by_hand() -> None:
    before = small({"asian": ["white"] * 4 + ["asian"] * 4})
    after = reads(before, "rendered", {"asian": ["white"] + ["asian"] * 6 + ["white"]})
    found = change_of(before, after, "S2F001")
    assert (found.value, found.n_speakers) == (-0.25, 8)  # three lost the read, one gained it: (1 - 3) / 8


def test_s2f002_by_hand() -> None:
    flipping = ["white", "white", "asian", "asian"]  # within 0, between 1: an excess of 1
    before = small({"asian": flipping * 6}, ("en", "zh"), 2)
    after = reads(before, "rendered", {"asian": (["asian"] * 4) * 3 + flipping * 3})
    found = change_of(before, after, "S2F002.asian")
    assert (found.value, found.n_speakers, found.n_clips) == (-0.5, 6, 24)


def test_s2f003_by_hand_goes_to_two() -> None:
    before = small({"asian": ["white"] * 6})  # the ceiling reads asian: a fall of 1
    after = reads(reads(before, "rendered", {"asian": ["asian"] * 6}), "ceiling", {"asian": ["white"] * 6})
    found = change_of(before, after, "S2F003.asian")  # a fall of -1
    assert found.value == -2
    assert found.low == -2 and found.high is not None and -2 < found.high < 0


def test_gaps_by_hand() -> None:
    before = small({"asian": ["asian"] * 8, "white": ["white"] * 8})
    seen = before.observations.copy()
    wrong = {"woman": "man", "man": "woman"}
    asian, white = (seen.index[seen["group"] == group] for group in ("asian", "white"))
    for rows in (asian[:4], white[:2]):
        seen.loc[rows, "rendered_gender"] = [wrong[gender] for gender in seen.loc[rows, "gender"]]
    found = paired_changes(before, replace(before, held=seen), SETTINGS)
    assert found["S2F004.asian"].at(0.95).value == -0.25  # own -4/8, others -2/8
    assert found["S2F004.white"].at(0.95).value == 0.25
    assert found["S2F004"].at(0.95).value == -0.25


def test_s2f006_by_hand() -> None:
    before = small({"asian": ["asian"] * 8, "white": ["white"] * 8})
    seen = before.observations.copy()
    rows = seen.index[seen["group"] == "asian"][:2]
    seen.loc[rows, ["status", "rendered_status"]] = "no_face"
    seen.loc[rows, ["rendered_race", "rendered_gender"]] = None
    seen.loc[rows, "rendered_age"] = np.nan
    after = replace(before, held=seen)
    assert change_of(before, after, "S2F006.asian").value == 0.25
    assert change_of(before, after, "S2F006").value == 0.25
    assert change_of(before, after, "S2F003.asian").n_missing == 2


def test_s2f007_by_hand_keeps_the_baselines_parts() -> None:
    covered = [
        {"group": group, "language": language, "speakers": 9, "clips": clips, "seconds": 60.0}
        for group, language, clips in (
            ("asian", "en", 0),
            ("asian", "zh", 90),
            ("white", "en", 90),
            ("white", "zh", 90),
        )
    ]
    everything = [{**item, "clips": 90} for item in covered]
    own = {"asian": ["white", "asian"] * 6, "white": ["white"] * 12}  # asian: read right in zh alone, a contrast of 1
    before = small(own, ("en", "zh"))
    after = reads(before, "rendered", {"asian": ["asian", "asian"] * 4 + ["asian", "white"] * 2})
    before = described(before, model__training_coverage=covered)
    after = described(after, model__training_coverage=everything)
    found = change_of(before, after, "S2F007.asian")
    assert found.value == pytest.approx(-(4 * 1 + 2 * 2) / 6)  # to 0 for four, to -1 for two
    assert change_of(after, before, "S2F007.asian").value == pytest.approx(8 / 6), "the other's parts, where A has none"
    assert "S2F007" not in paired_changes(after, after, SETTINGS)


def test_where_all_clips_are_read_the_change_is_the_difference_of_the_findings() -> None:
    first, second = (audit.simulate({**truth, "missing": 0.0}, 5) for truth in (TRUTH, BETTER))
    findings = [audit.measure(run, with_tables=False) for run in (first, second)]
    changes = paired_changes(first, second, SETTINGS)
    for code, group in (("S2F001", ""), ("S2F002", "asian"), ("S2F003", "asian"), ("S2F004", "black")):
        values = [
            made.finding(code).estimates[group].value if group else made.finding(code).estimate.value  # type: ignore[union-attr]
            for made in findings
        ]
        value = changes[f"{code}.{group}" if group else code].at(0.95).value
        assert value == pytest.approx(values[1] - values[0], abs=1e-9)  # type: ignore[operator]


def test_only_the_planted_change_of_one_group_is_found(compared: audit.Comparison) -> None:
    frame = compared.frame().query("language == 'all' and not headline")
    reads_own = frame[frame["figure"] == "read_own_group"].set_index("group")
    planted = 0.25  # 0.5 in English, nothing in Chinese
    assert reads_own.loc["asian", "change_low"] <= planted <= reads_own.loc["asian", "change_high"]
    assert reads_own.loc["asian", "word"] == "gains"
    assert (reads_own.loc[["black", "white"], "change"] == 0).all()
    assert reads_own.loc["asian", "p_adjusted"] < 0.05
    white = frame[frame["figure"] == "S2F001"].set_index("group")
    assert white.loc["asian", "change_low"] <= -0.5 <= white.loc["asian", "change_high"]
    assert white.loc["asian", "word"] == "gains"
    assert set(frame["word"]) <= {"gains", "no_difference", "inconclusive"}
    assert "less harm for asian" in compared.sentences[1] and "asian gains" in " ".join(compared.sentences)
    assert "pays" not in " ".join(compared.sentences) and "more harm" not in " ".join(compared.sentences)
    assert not compared.levelled


def test_in_the_reverse_order_the_group_pays(runs: tuple[audit.Run, audit.Run]) -> None:
    made = audit.compare(runs[1], runs[0])
    assert "more harm for asian" in made.sentences[1]
    headline = next(change for change in made.checks if change.figure == "S2F003" and change.headline)
    assert (headline.group, headline.word) == ("asian", "pays")


def test_the_same_model_twice_gives_a_notice_and_no_gain_or_loss(runs: tuple[audit.Run, audit.Run]) -> None:
    made = audit.compare(runs[0], runs[0])
    assert any("the same model" in notice for notice in made.notices)
    for change in (*made.checks, *made.metrics):
        assert change.change.value == 0
        assert change.word in ("no_difference", "inconclusive", None)
        if change.figure != "age_error" and not change.figure.startswith("similarity"):
            assert change.change.interval is not None and change.change.low < 0 < change.change.high  # type: ignore[operator]
            assert change.p_value == 1


def test_levelling_down_is_reported() -> None:
    before = {"asian": {"en": {"white": 0.5}}}
    after = before | {"black": {"en": {"white": 0.5}}, "white": {"en": {"black": 0.5}}}
    truth = {"groups": ["asian", "black", "white"], "speakers_per_group": 60, "clips_per_language": 2}
    made = audit.compare(*(audit.simulate(truth | {"rendered": table}) for table in (before, after)))
    (found,) = made.levelled
    assert (found.metric, found.worst, set(found.losers)) == ("read_own_group", "asian", {"black", "white"})
    assert found.own.value == 0 and found.gap.low is not None and found.gap.low > 0
    assert made.sentences[0].startswith("Levelling down in B, read as the speaker's own group: asian speakers")


def test_a_gain_of_the_worst_group_is_not_levelling_down() -> None:
    before = {"asian": {"en": {"white": 0.7}}}
    after = {"asian": {"en": {"white": 0.2}}, "white": {"en": {"black": 0.4}}}
    truth = {"groups": ["asian", "black", "white"], "speakers_per_group": 60, "clips_per_language": 2}
    made = audit.compare(*(audit.simulate(truth | {"rendered": table}) for table in (before, after)))
    assert not made.levelled
    assert made.sentences[1].startswith("S2F001, read as white in English: excess over the portrait, B against A: less")
    own = next(sentence for sentence in made.sentences if sentence.startswith("Read as the speaker's own group"))
    assert "asian gains" in own and "white pays" in own


def test_the_headline_is_the_simultaneous_worst_change_of_any_group(runs: tuple[audit.Run, audit.Run]) -> None:
    changes = paired_changes(runs[1], runs[0], SETTINGS)
    for check in shipped():
        code, worse = check.code, check.judged[0].harm
        groups = [curve for key, curve in changes.items() if key.startswith(f"{code}.")]
        if not groups or code in ("S2F001", "S2F007"):
            continue
        adjusted = [curve.at(1 - 0.05 / len(groups)) for curve in groups]
        most = max if worse == "high" else min
        head = changes[code].at(0.95)
        assert (head.value, head.low, head.high) == tuple(
            most(getattr(estimate, end) for estimate in adjusted) for end in ("value", "low", "high")
        )


def test_too_few_speakers_in_a_group_leave_the_headline_without_an_interval() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 20, "languages": ["en", "zh"]})
    few = run.observations[~((run.observations["group"] == "white") & run.observations["speaker_id"].str.contains("1"))]
    few = few[(few["group"] == "asian") | few["speaker_id"].isin(["white-02", "white-03"])].reset_index(drop=True)
    made = paired_changes(replace(run, held=few), replace(run, held=few), SETTINGS)
    assert made["S2F003.asian"].at(0.95).interval is not None
    assert made["S2F003.white"].at(0.95).interval is None
    assert made["S2F003"].at(0.95).interval is None
    assert "white: not estimable: 2 speakers" in made["S2F003"].at(0.95).method


def test_neither_the_order_of_rows_nor_the_names_of_speakers_matter(
    runs: tuple[audit.Run, audit.Run], compared: audit.Comparison
) -> None:
    order = np.random.default_rng(0).permutation(len(runs[0].observations))

    def other(run: audit.Run) -> audit.Run:
        seen = run.observations.iloc[order].reset_index(drop=True)
        names = {name: f"s{i:03d}" for i, name in enumerate(sorted(seen["speaker_id"].unique(), reverse=True))}
        return replace(run, held=seen.assign(speaker_id=seen["speaker_id"].map(names)))

    pd.testing.assert_frame_equal(audit.compare(*map(other, runs)).frame(), compared.frame())


def test_every_candidate_is_compared_with_the_first(runs: tuple[audit.Run, audit.Run]) -> None:
    made = audit.compare(runs[0], runs[1], runs[0])
    assert [run["letter"] for run in made.runs] == ["A", "B", "C"]
    alone = audit.compare(*runs).frame()
    pd.testing.assert_frame_equal(made.frame().query("candidate == 'B'").reset_index(drop=True), alone)
    assert (made.frame().query("candidate == 'C'")["change"] == 0).all()


def test_a_comparison_comes_back_from_its_json(runs: tuple[audit.Run, audit.Run], compared: audit.Comparison) -> None:
    text = compared.to_json()
    assert audit.Comparison.from_json(text).to_json() == text
    assert audit.compare(*runs).to_json() == text
    pd.testing.assert_frame_equal(audit.Comparison.from_json(text).frame(), compared.frame(), check_dtype=False)
    assert json.loads(text)["runs"][0]["digest"] == runs[0].digest


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": "9.0"}', '{"schema_version": "1.0"}'])
def test_malformed_comparisons_are_refused(text: str) -> None:
    with pytest.raises(RunError):
        audit.Comparison.from_json(text)


@pytest.mark.parametrize(
    ("low", "high", "worse", "word"),
    [
        (0.01, 0.3, "low", "gains"),
        (0.01, 0.3, "high", "pays"),
        (-0.3, -0.01, "low", "pays"),
        (-0.3, -0.01, "high", "gains"),
        (-0.09, 0.09, "low", "no_difference"),
        (0.0, 0.09, "low", "no_difference"),
        (-0.2, 0.01, "low", "inconclusive"),
    ],
)
def test_the_word_follows_from_the_interval(low: float, high: float, worse: Any, word: str) -> None:
    estimate = Estimate((low + high) / 2, low, high, 30, 60, 0, "made up")
    assert word_for(estimate, worse, 0.1) == word
    if word == "no_difference":
        assert word_for(estimate, worse, None) == "inconclusive", "without a margin nothing is narrow enough"


def test_without_an_interval_a_change_is_inconclusive() -> None:
    assert word_for(Estimate(0.5, None, None, 3, 3, 0, "too few"), "low", 0.1) == "inconclusive"


def test_margins_are_those_of_the_settings(runs: tuple[audit.Run, audit.Run]) -> None:
    wide = MeasureSettings(margins=dict.fromkeys(margins_of(shipped()), 0.5))
    words = audit.compare(runs[0], runs[0], settings=wide).frame().query("figure == 'read_own_group'")["word"]
    assert set(words.dropna()) == {"no_difference"}


@pytest.mark.parametrize(
    "truth",
    [
        {"groups": ["asian"], "speakers_per_group": 8},
        {"groups": ["white"], "speakers_per_group": 8, "languages": ["zh"]},
        {"groups": ["asian|indian", "black"], "speakers_per_group": 3},
        {
            "groups": ["unknown", "asian"],
            "speakers_per_group": 8,
            **{stage: {"unknown": {"en": {"white": 1}}} for stage in ("rendered", "ceiling")},
            "portrait": {"unknown": {"white": 1}},
        },
        {"groups": ["asian", "white"], "speakers_per_group": 8, "missing": 1.0},
    ],
    ids=["one group", "no English", "few of a mixed label", "unknown groups", "no face at all"],
)
def test_figures_without_data_are_left_out(truth: dict[str, Any]) -> None:
    run = audit.simulate(truth)
    made = audit.compare(run, run)
    for change in (*made.checks, *made.metrics):
        assert change.change.value in (0, None)
        assert change.word in ("no_difference", "inconclusive", None)
        assert change.group != "unknown"
        if change.change.n_speakers < 5:
            assert change.change.interval is None and change.p_value is None and change.word != "no_difference"
    assert audit.Comparison.from_json(made.to_json()).to_json() == made.to_json()


def test_a_speaker_with_very_many_clips_counts_as_one(runs: tuple[audit.Run, audit.Run]) -> None:
    def many(run: audit.Run) -> audit.Run:
        seen = run.observations
        mine = seen[seen["speaker_id"] == "asian-00"]
        copies = [mine.assign(clip_id=mine["clip_id"] + f"-{i}") for i in range(200)]
        return replace(run, held=pd.concat([seen, *copies], ignore_index=True))

    before, after = (paired_changes(*pair, SETTINGS)["S2F001"].at(0.95) for pair in (runs, tuple(map(many, runs))))
    assert after.value == pytest.approx(before.value)
    assert after.n_speakers == before.n_speakers and after.n_clips > 5 * before.n_clips
    assert after.high - after.low > 0.9 * (before.high - before.low)  # type: ignore[operator]  # all there
