"""The p-values of findings and tables: what they agree with, and what happens to many of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

import audit
from audit.checks.finding import Finding
from audit.checks.judging import holm_adjusted
from audit.core.vocabulary import RACES
from audit.stats import Estimate, benjamini_hochberg, holm
from tests.single_statistics import mcnemar, omnibus

TRUTH = {
    "groups": ["asian", "black", "white"],
    "languages": ["en", "zh"],
    "speakers_per_group": 40,
    "clips_per_language": 2,
    "icc": 0.3,
    "missing": {"black": 0.3},
    "gender_right": {"black": 0.7},
    "rendered": {"asian": {"en": {"white": 0.5}, "zh": {"white": 0.1}}},
}


@pytest.fixture(scope="module")
def run() -> audit.Run:
    return audit.simulate(TRUTH, 0)


@pytest.fixture(scope="module")
def result(run: audit.Run) -> audit.Audit:
    return audit.measure(run)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_a_check_is_shown_where_its_p_value_is_small_enough(run: audit.Run, confidence: float) -> None:
    outcomes = set()
    for finding in audit.measure(run, confidence=confidence, with_tables=False).findings:
        outcomes.add(finding.outcome)
        if finding.outcome == "not_evaluable":
            assert (finding.p_value, finding.p_adjusted) == (None, None)
        else:
            assert finding.p_value is not None
            assert (finding.p_value <= 1 - confidence) == (finding.outcome == "shown")
    assert {"shown", "not_evaluable"} <= outcomes


def test_the_p_value_is_where_the_verdict_turns(run: audit.Run) -> None:
    """Measured at a confidence a little below and above one minus the p-value, a finding is shown, and is not."""
    turned = 0
    for finding in audit.measure(run, with_tables=False).findings:
        if finding.p_value is not None and 1e-5 < finding.p_value < 0.45:
            below, above = (
                audit.measure(run, confidence=1 - finding.p_value * times, with_tables=False).finding(finding.code)
                for times in (1.02, 0.98)
            )
            assert (below.outcome == "shown", above.outcome == "shown") == (True, False)
            turned += 1
    assert turned


def test_findings_are_adjusted_for_one_another(result: audit.Audit) -> None:
    p = [np.nan if finding.p_value is None else finding.p_value for finding in result.findings]
    expected = [None if np.isnan(x) else x for x in holm(p)]
    assert [finding.p_adjusted for finding in result.findings] == expected


def finding(code: str, outcome: str, p: float | None) -> Finding:
    return Finding(code, "", outcome, "all", Estimate(0.5, 0.2, 0.8, 9, 9, 0, "x"), reason="It is so.", p_value=p)  # type: ignore[arg-type]


def test_the_reason_says_whether_a_finding_is_still_shown_after_holm() -> None:
    made = holm_adjusted(
        [
            finding("A", "shown", 0.01),
            finding("B", "shown", 0.04),
            finding("C", "inconclusive", 0.2),
            finding("D", "not_evaluable", None),
        ],
        0.95,
    )
    assert [each.p_adjusted for each in made] == [0.03, 0.08, 0.2, None]
    assert [each.outcome for each in made] == ["shown", "shown", "inconclusive", "not_evaluable"]
    assert made[0].reason == "It is so. It is still shown after adjustment for 3 checks (Holm, adjusted p 0.03)."
    assert made[1].reason == "It is so. It is no longer shown after adjustment for 3 checks (Holm, adjusted p 0.08)."
    assert made[2].reason == made[3].reason == "It is so."
    alone = holm_adjusted([finding("A", "shown", 0.01)], 0.95)[0]
    assert (alone.p_adjusted, alone.reason) == (0.01, "It is so.")


def test_an_audit_written_before_there_were_p_values_is_read(result: audit.Audit) -> None:
    old = result.findings[0].as_dict()
    del old["p_value"], old["p_adjusted"]
    stored = TypeAdapter(Finding)
    assert stored.validate_python(old) == replace(result.findings[0], p_value=None, p_adjusted=None)
    assert stored.validate_python(result.findings[0].as_dict()) == result.findings[0]


@pytest.mark.parametrize("name", ["changes", "language_effects", "rendered_as", "groups"])
def test_a_tables_q_values_are_for_as_many_as_it_has(result: audit.Audit, name: str) -> None:
    frame = result.tables[name].frame
    assert frame["p_value"].notna().any()
    np.testing.assert_allclose(frame["q_value"], benjamini_hochberg(frame["p_value"]))
    assert (frame["q_value"].dropna() >= frame["p_value"].dropna() - 1e-12).all()


def test_a_rows_p_value_is_that_of_its_speakers(run: audit.Run) -> None:
    """One clip each: McNemar's test of asian speakers' English clips read as white, rendered against portrait."""
    once = audit.simulate({**TRUTH, "clips_per_language": 1}, 0)
    table = audit.measure(once).tables["rendered_as"].frame.set_index(["group", "read", "language"])
    seen = once.observations[(once.observations["group"] == "asian") & (once.observations["language"] == "en")]
    seen = seen[(seen["portrait_status"] == "ok") & (seen["rendered_status"] == "ok")]
    portrait, rendered = ((seen[f"{stage}_race"] == "white").astype(int) for stage in ("portrait", "rendered"))
    expected = mcnemar(portrait, rendered, seen["speaker_id"]).p
    assert table.loc[("asian", "white", "en"), "p_value"] == pytest.approx(expected)


def test_too_few_speakers_are_not_tested() -> None:
    small = audit.measure(audit.simulate({**TRUTH, "speakers_per_group": 4}, 0))
    rows = small.tables["rendered_as"].frame
    assert rows.loc[rows["group"] != "all", "p_value"].isna().all()
    table = small.tables["groups"].frame
    assert table["p_value"].isna().all()
    assert table["spread"].isna().all()
    assert table["method"].str.startswith("not estimable: 0 groups with enough speakers, 2 needed").all()


def test_the_groups_table(run: audit.Run, result: audit.Audit) -> None:
    table = result.tables["groups"].frame.set_index(["metric", "stage"])
    gender = table.loc[("gender_right", "rendered")]
    seen = run.observations[run.observations["rendered_status"] == "ok"]
    right = (seen["rendered_gender"] == seen["gender"]).astype(float)
    test = omnibus(right, seen["speaker_id"], seen["group"], name="rendered.gender_right")
    assert gender["p_value"] == test.p < 0.01
    assert gender["worst_group"] == "black"
    assert gender["worst_low"] < 0.7 < gender["worst_high"]
    assert gender["apart"] < 0
    assert gender["apart"] == pytest.approx(
        audit.measure(run, with_tables=False).finding("S2F004").estimates["black"].value
    )
    assert gender["spread_low"] < np.std([1, 0.7, 1], ddof=1) < gender["spread_high"]
    assert gender["ratio"] == pytest.approx(gender["worst"] ** (2 / 3))  # the others have 1
    assert table.loc[("no_face", "rendered"), "worst_group"] == "black"  # most missing is worst
    assert table.loc[("read_white", "rendered"), "worst_group"] == "white"  # no end is worse: the farthest
    same = table.loc[("read_own_group", "portrait")]
    assert same["p_value"] == 1
    assert pd.isna(same["worst_group"])
    assert same["spread_high"] > 0


def test_groups_without_a_name_are_among_the_others() -> None:
    truth = {**TRUTH, "groups": ["black", "white", "unknown"], "rendered": {}, "missing": {"black": 0.2}}
    truth |= {stage: {"unknown": {"white": 1.0}} for stage in ("portrait",)}
    reads = {language: {"white": 1.0} for language in ("en", "zh")}
    truth |= {stage: {"unknown": reads} for stage in ("ceiling", "rendered")}
    result = audit.measure(audit.simulate(truth, 0))
    row = result.tables["groups"].frame.set_index(["metric", "stage"]).loc[("no_face", "rendered")]
    assert (row["n_groups"], row["n_speakers"]) == (2, 80)
    assert row["apart"] == pytest.approx(result.finding("S2F006").estimates["black"].value)


def test_the_audit_has_the_tables(result: audit.Audit) -> None:
    again = audit.Audit.from_json(result.to_json())
    frame = again.tables["groups"].frame
    assert again.to_json() == result.to_json()
    assert list(frame["metric"].unique()) == [
        "read_own_group",
        *(f"read_{race}" for race in RACES),
        "gender_right",
        "age_error",
        "no_face",
    ]
    assert pd.api.types.is_float_dtype(frame["p_value"])
