"""Custom metrics: a function of a clip's readings in tables, groups, checks, rules and comparisons."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks import CustomMetric, Readings, chosen
from audit.checks.metrics.custom import scored
from audit.cli import main
from audit.core.errors import AuditError, PlanError
from audit.core.plan import MeasureSettings, Plan
from audit.release import Policy
from audit.reports.report.page import write_report
from tests.release_fixture import ALLOW

TRUTH = {"groups": ["asian", "black", "white"], "speakers_per_group": 60, "languages": ["en", "zh"]}
WHITE = {"white": 0.5}
PLANTED = TRUTH | {"rendered": {"asian": {"en": WHITE, "zh": WHITE}}}
HERE = "tests.checks.test_custom_metrics"
NAMES = (f"{HERE}:CHANGED", f"{HERE}:CERTAINTY")
POLICY = f"""schema = 1
name = "custom"
{ALLOW}metrics = ["{HERE}:CHANGED"]
[[rule]]
id = "changed"
check = "LAB-CHANGED"
limit = 0.10
"""


def changed(readings: Readings) -> object:
    """Whether the rendered face is read as another race than the portrait."""
    return np.where(readings.portrait.ok, readings.read["race"] != readings.portrait["race"], np.nan)


def certainty(readings: Readings) -> object:
    """The probability of the likeliest race."""
    return np.max([readings.read[name] for name in readings.read if name.startswith("race_")], axis=0)


def rate(score: object = changed, name: str = "race_changed", **declared: object) -> CustomMetric:
    """A rate of the rendered faces."""
    return CustomMetric(name, "rate", "another race than the portrait", ("rendered",), "high", score=score, **declared)  # type: ignore[arg-type]  # some are wrong on purpose


CHANGED = rate(label="read as another race", code="LAB-CHANGED", margin=0.10)
CERTAINTY = CustomMetric(
    "certainty", "mean", "probability of the likeliest race", worse="low", unit="probability units", score=certainty
)
BROKEN = rate(lambda readings: readings.read["no_such_column"])
SHORT = rate(lambda readings: [0.5])
WORDS = rate(lambda readings: readings.read["race"])
ABOVE_ONE = rate(lambda readings: np.full(len(readings), 1.5))
INFINITE = CustomMetric("infinite", "mean", "infinite", score=lambda readings: np.full(len(readings), np.inf))
TAKEN = rate(name="no_face")
SAME_CODE = rate(name="same_code", code="S2F001", margin=0.1)
BAD_CODE = rate(name="bad_code", code="LAB: X", margin=0.1)


def settings(*names: str) -> MeasureSettings:
    return MeasureSettings(metrics=names, resamples=200)


@pytest.fixture(scope="module")
def planted() -> audit.Run:
    return audit.simulate(PLANTED)


@pytest.fixture(scope="module")
def null() -> audit.Run:
    return audit.simulate(TRUTH)


@pytest.fixture(scope="module")
def result(planted: audit.Run) -> audit.Audit:
    return audit.measure(planted, metrics=NAMES)


def row(result: audit.Audit, table: str, **keys: str) -> pd.Series:
    """The only row of a table with these keys."""
    frame = result.tables[table].frame
    (found,) = frame[(frame[list(keys)] == pd.Series(keys)).all(axis=1)].iloc
    return found


def test_it_is_in_the_tables_with_its_label_and_unit(planted: audit.Run, result: audit.Audit) -> None:
    seen = planted.observations
    by_hand = (seen["rendered_race"] != seen["portrait_race"])[seen["group"] == "asian"].mean()
    stratum = {"stage": "rendered", "group": "asian", "language": "all"}
    assert row(result, "disparities", metric="race_changed", **stratum)["value"] == pytest.approx(by_hand)
    assert row(result, "disparities", metric="certainty", **stratum)["value"] == 1
    assert row(result, "groups", metric="race_changed", stage="rendered")["worst_group"] == "asian"
    defined = row(result, "metric_definitions", metric="certainty")
    assert (defined["label"], defined["unit"], defined["kind"], defined["worse"]) == (
        "probability of the likeliest race",
        "probability units",
        "mean",
        "low",
    )
    assert row(result, "power", check="LAB-CHANGED", group="asian")["smallest_detectable"] > 0.1
    assert result.settings["metrics"] == {NAMES[0]: "race_changed", NAMES[1]: "certainty"}
    assert "LAB-CHANGED" in json.loads(result.to_json())["settings"]["margins"]


def test_a_planted_gap_is_shown_and_none_where_there_is_none(result: audit.Audit, null: audit.Run) -> None:
    shown = result.finding("LAB-CHANGED")
    assert (shown.outcome, shown.group) == ("shown", "asian")
    assert shown.estimates["asian.own"].value == pytest.approx(shown.estimates["asian"].value)  # nobody else changes
    assert shown.estimate is not None and shown.estimate.unit == "share" and shown.estimate.two_sided
    assert shown.sentence.startswith("Read as another race: ")
    without = audit.measure(null, metrics=NAMES, with_tables=False)
    assert without.finding("LAB-CHANGED").outcome == "not_shown"
    assert [finding.code for finding in without.findings].count("LAB-CHANGED") == 1  # certainty has no margin


def test_a_plan_names_it_and_sets_its_margin(planted: audit.Run) -> None:
    plan = Plan.parse(f'[measure]\nmetrics = ["{NAMES[0]}"]\n[measure.margins]\nLAB-CHANGED = 0.9\n')
    assert audit.measure(planted, settings=plan.measure, with_tables=False).finding("LAB-CHANGED").threshold == 0.9
    wrong = MeasureSettings(metrics=(NAMES[0],), margins={"LAB-CHANGED": 1.5})
    with pytest.raises(PlanError, match="LAB-CHANGED is 1.5"):
        audit.measure(planted, settings=wrong, with_tables=False)


def test_small_groups_are_suppressed(planted: audit.Run) -> None:
    chosen = settings(*NAMES).model_copy(update={"suppress_below": 100})
    result = audit.measure(planted, settings=chosen)
    assert result.finding("LAB-CHANGED").estimates["asian"].value is None
    stratum = {"stage": "rendered", "group": "asian", "language": "all"}
    assert pd.isna(row(result, "disparities", metric="race_changed", **stratum)["value"])


def test_the_report_shows_it(result: audit.Audit, tmp_path: Path) -> None:
    page = write_report(result, tmp_path).read_text(encoding="utf-8")
    for words in ("Some groups differ: read as another race", "Probability of the likeliest race", "probability units"):
        assert words in page, words


def test_a_rule_of_the_gate_is_breached_or_passes(planted: audit.Run, null: audit.Run) -> None:
    policy = Policy.parse(POLICY)
    assert audit.gate(planted, policy=policy).exit_code == 10
    decision = audit.gate(null, policy=policy)
    assert decision.exit_code == 0, decision
    (ruling,) = [ruling for ruling in decision.rulings if ruling.id == "changed"]
    assert ruling.side == "within"  # a difference in either direction


def test_it_is_judged_in_every_grouping(planted: audit.Run, null: audit.Run) -> None:
    policy = Policy.parse(POLICY.replace("limit", 'by = "group x gender"\nlimit'))
    decision = audit.gate(planted, policy=policy)
    assert decision.exit_code == 10 and "asian, woman" in {item.group for item in decision.rulings[-1].held}
    by_gender = audit.measure(
        null, metrics=NAMES[:1], settings=MeasureSettings(group_by=("gender",)), with_tables=False
    )
    finding = by_gender.finding("LAB-CHANGED", "gender")
    assert finding.outcome == "not_shown" and {*finding.by_group} == {"woman", "man"}


def test_a_rule_on_its_change_from_a_baseline(planted: audit.Run, null: audit.Run) -> None:
    text = POLICY.replace("limit", 'kind = "non_inferiority"\nmargin')
    policy = Policy.parse(text)
    assert audit.gate(planted, policy=policy, baseline=null).exit_code == 10
    assert audit.gate(null, policy=policy, baseline=null).exit_code == 0


def test_a_policy_that_does_not_name_it_has_no_such_check() -> None:
    with pytest.raises(PlanError, match="no such check.*a custom metric in `metrics`"):
        Policy.parse(POLICY.replace("metrics", "# metrics"))


def test_comparisons_say_who_gains(planted: audit.Run, null: audit.Run) -> None:
    compared = audit.compare(planted, null, settings=settings(*NAMES))
    words = {change.group: change.word for change in compared.checks if change.figure == "LAB-CHANGED"}
    assert words["asian"] == "gains"
    of_metrics = {(change.figure, change.group): change for change in compared.metrics if change.language == "all"}
    assert of_metrics["race_changed", "asian"].margin == 0.10  # that of its check
    assert of_metrics["race_changed", "asian"].word == "gains"
    assert ("certainty", "asian") in of_metrics


def test_readings_are_columns_by_name_and_cannot_be_changed() -> None:
    frame = pd.DataFrame(
        {
            "age": [30.0, np.nan],
            "portrait_status": ["ok", "missing"],
            "portrait_race": pd.Categorical(["asian", None]),
            "rendered_status": ["no_face", "ok"],
            "rendered_age": pd.array([None, 52], "Int64"),
            "rendered.age_error": [np.nan, np.nan],
        }
    )
    readings = Readings(frame, "rendered")
    assert [*readings.labels] == ["age"] and [*readings.read] == ["status", "age"]
    assert readings.portrait["race"].tolist() == ["asian", None] and readings.portrait.ok.tolist() == [True, False]
    assert readings.read["age"].tolist()[1] == 52 and np.isnan(readings.read["age"][0])
    for values in (readings.labels["age"], readings.read.ok):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    with pytest.raises(KeyError, match="no 'agee' .did you mean 'age'"):
        readings.read["agee"]


def test_a_clip_without_a_face_has_no_value() -> None:
    frame = pd.DataFrame({"rendered_status": ["ok", "no_face"], "portrait_status": ["ok", "ok"]})
    made = scored(frame, [rate(lambda readings: np.array([True, True]))])
    assert made["rendered.race_changed"].tolist() == pytest.approx([1, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BROKEN", "'race_changed' at the stage rendered failed: KeyError: there is no 'no_such_column'"),
        ("SHORT", r"array of float64 of shape \[1\].*shape \[360\]"),
        ("WORDS", "array of object"),
        ("ABOVE_ONE", r"is 1.5 for 360 clips.*a rate in \[0, 1\]"),
        ("INFINITE", "is inf for 360 clips.*finite"),
        ("TAKEN", "'no_face' has the name of another metric"),
        ("SAME_CODE", "'same_code' has the code S2F001 of another check"),
        ("BAD_CODE", "'bad_code' cannot be judged.*code 'LAB: X'"),
        ("changed", "is a function.*an audit.checks.CustomMetric"),
        ("nothing_of_that_name", "cannot be imported"),
    ],
)
def test_an_invalid_metric_is_refused(planted: audit.Run, name: str, words: str) -> None:
    with pytest.raises(AuditError, match=words):
        audit.measure(planted, metrics=[f"{HERE}:{name}"], with_tables=False)


def test_a_name_is_used_once() -> None:
    with pytest.raises(AuditError, match="Two custom metrics have the name 'race_changed'"):
        chosen((), [NAMES[0], NAMES[0]])


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"name": "Race Changed"}, "lower-case letters, digits and _"),
        ({"unit": "years"}, "a rate has the unit share, not 'years'"),
        ({"kind": "count"}, "kind is 'count', not rate or mean"),
        ({"stages": ("heard",)}, "one or more of portrait, ceiling, rendered"),
        ({"stages": ("portrait",), "code": "X", "margin": 0.1}, "rendered has to be one of its stages"),
        ({"worse": "up"}, "not low, high or None"),
        ({"worse": None, "code": "X", "margin": 0.1}, "whether low or high is worse"),
        ({"margin": 0.1}, "a code and a margin are given together"),
        ({"code": "X", "margin": 1.5}, r"its margin is 1.5, not in \[0, 1\]"),
        ({"score": 3}, "score is not a function"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared: dict[str, object], words: str) -> None:
    right = {"name": "x", "kind": "rate", "words": "x", "worse": "high", "score": changed}
    with pytest.raises(AuditError, match=words):
        CustomMetric(**(right | declared))  # type: ignore[arg-type]  # on purpose


def test_a_metric_named_in_a_run_needs_confirmation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit.simulate(TRUTH | {"speakers_per_group": 6}, out=tmp_path / "run")
    (tmp_path / "strange_metric.py").write_text(
        f"from pathlib import Path\nfrom {HERE} import CHANGED\nPath('imported').touch()\n"
    )
    (tmp_path / "run" / "plan.toml").write_text('[measure]\nmetrics = ["strange_metric:CHANGED"]\n')
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["audit", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    code, _, err = command("measure", "run")
    assert code == 2 and "third-party metrics" in err and "--metric strange_metric:CHANGED" in err
    assert command("gate", "run")[0] == 13
    assert not Path("imported").exists()
    code, out, _ = command("measure", "run", "--metric", "strange_metric:CHANGED", "--json")
    assert code == 0 and Path("imported").exists()
    assert "LAB-CHANGED" in [finding["code"] for finding in json.loads(out)["findings"]]
    Path("imported").unlink()
    sys.modules.pop("strange_metric")
    assert command("gate", "run")[0] == 13
    assert not Path("imported").exists()
