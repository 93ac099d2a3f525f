"""Shipped checks give the right verdicts on the reference models, and a third-party check that is wrong is caught."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.reference_models import ENOUGH, TRUTHS, Expectation, allowed_outcomes
from audit.checks import Check, Evidence, Finding, Judged, judge, shipped
from audit.core.errors import AuditError, PlanError
from audit.runs.simulation import REFERENCE_MODELS, reference_run
from audit.stats import Curve, Estimate

HERE = "tests.audits.test_reference_models"
SIZES = (12, ENOUGH)


class OwnGroupLost(Check):
    """Own-group reads lost from the portrait to the rendered face, over all groups."""

    code, title, question = "LAB001", "Own group lost", "Are speakers read less often as their own group?"
    judged = (Judged("loss", "portrait minus rendered", "share", 0.10, "high"),)

    def measure(self, evidence: Evidence) -> Finding:
        loss = evidence.changed("read_own_group", "rendered", "portrait", evidence.known).curve()
        figure = self.figure(evidence, "loss", loss)
        return judge(self, evidence, figure, {"loss": figure}, f"Lost: {figure.text}.")


class AlwaysShown(OwnGroupLost):
    """A broken check: it finds a failure in every model."""

    code = "LAB002"

    def measure(self, evidence: Evidence) -> Finding:
        n = int(np.unique(evidence.speakers).size)
        found = Estimate(0.5, 0.4, 0.6, n, n, 0, "made up")
        figure = self.figure(evidence, "loss", Curve(lambda confidence: found))
        return judge(self, evidence, figure, {"loss": figure}, "Always.")


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    """The verdicts of all shipped checks."""
    return audit.reference_verdicts(speakers=SIZES).set_index(["check", "model", "speakers_per_group"])


@pytest.mark.parametrize("speakers", SIZES)
@pytest.mark.parametrize("model", REFERENCE_MODELS)
@pytest.mark.parametrize("check", [check.code for check in shipped()])
def test_shipped_checks_give_the_right_verdict(check: str, model: str, speakers: int, verdicts: pd.DataFrame) -> None:
    found = verdicts.loc[check, model, speakers]
    assert found["outcome"] in found["expected"]
    assert found["holds"]


def test_every_shipped_check_is_tried_on_every_model(verdicts: pd.DataFrame) -> None:
    assert len(verdicts) == len(shipped()) * len(REFERENCE_MODELS) * len(SIZES)
    assert set(TRUTHS) <= {check.code for check in shipped()}


def test_the_expectations_are_those_of_the_design() -> None:
    for code in TRUTHS:
        assert "shown" not in allowed_outcomes(code, "perfect", 12)
        assert "not_shown" in allowed_outcomes(code, "perfect", 12)
    for code in ("S2F001", "S2F003", "S2F008"):
        assert "not_shown" not in allowed_outcomes(code, "constant", 12)
    for code in ("S2F001", "S2F002", "S2F003"):
        assert allowed_outcomes(code, "biased", ENOUGH) == ("shown",)
        assert allowed_outcomes(code, "biased", ENOUGH - 1) == ("shown", "inconclusive")
    assert allowed_outcomes("S2F005", "shuffled", 300) == ("not_evaluable", "shown")
    # a check without an expectation
    assert allowed_outcomes("LAB001", "perfect", 300) == ("not_shown", "inconclusive", "not_evaluable")
    assert len(allowed_outcomes("LAB001", "biased", 300)) == 4


def test_the_default_policy_passes_the_perfect_model() -> None:
    decision = audit.gate(reference_run("perfect", 100), policy=audit.Policy.default(allow=["reference_model"]))
    assert {ruling.id: ruling.outcome for ruling in decision.rulings if ruling.outcome != "pass"} == {}


def test_a_third_party_check_as_object_and_by_name() -> None:
    found = audit.reference_verdicts(OwnGroupLost(), speakers=[100])
    outcome = dict(zip(found["model"], found["outcome"], strict=True))
    assert (outcome["perfect"], outcome["constant"], outcome["shuffled"]) == ("not_shown", "shown", "not_shown")
    assert found["holds"].all()
    pd.testing.assert_frame_equal(found, audit.reference_verdicts([f"{HERE}:OwnGroupLost"], [100]))


def test_a_check_that_is_always_shown_is_caught() -> None:
    found = audit.reference_verdicts([AlwaysShown(), "S2F001"], speakers=(12,))
    assert found["outcome"][found["check"] == "LAB002"].tolist() == ["shown"] * 4
    wrong = found[~found["holds"]]
    assert wrong[["model", "check"]].values.tolist() == [["perfect", "LAB002"]]


def test_expectations_of_the_caller() -> None:
    given = (
        Expectation("LAB001", "constant", ("shown",)),
        Expectation("LAB001", "biased", ("shown",)),
        Expectation("LAB001", "biased", ("not_shown",), speakers=30),
        Expectation("S2F001", "constant", ("inconclusive",)),
    )
    found = audit.reference_verdicts([OwnGroupLost(), "S2F001"], [12, 32], expectations=given)
    by = found.set_index(["check", "model", "speakers_per_group"])
    assert by.loc["LAB001", "constant", 32]["holds"]
    assert by.loc["LAB001", "biased", 12]["expected"] == ("shown",)
    assert by.loc["LAB001", "biased", 32]["expected"] == ("not_shown",)
    assert not by.loc["S2F001", "constant", 12]["holds"]


def test_what_is_no_check_is_refused() -> None:
    with pytest.raises(AuditError, match="an object of"):
        audit.reference_verdicts([OwnGroupLost])  # type: ignore[list-item]  # on purpose
    with pytest.raises(AuditError, match="S2F999"):
        audit.reference_verdicts("S2F999")
    with pytest.raises(PlanError, match="at least 4"):
        audit.reference_verdicts("S2F001", speakers=[2])
    with pytest.raises(ValueError, match="no reference model"):
        Expectation("LAB001", "good", ("shown",))  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="not one or more of"):
        Expectation("LAB001", "perfect", ())


def test_audits_and_comparisons_say_that_the_run_is_simulated() -> None:
    runs = [reference_run(model, 12) for model in ("perfect", "biased")]
    assert "the reference model perfect tests the checks" in audit.measure(runs[0], with_tables=False).run["notices"][0]
    assert "simulated" in audit.compare(*runs).notices[0]
