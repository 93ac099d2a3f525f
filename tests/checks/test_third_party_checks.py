"""Checks of one's own: named in a plan, made beside those that ship, refused where they are none."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

import audit
from audit.checks import Check, Evidence, Finding, Judged, judge
from audit.cli import main
from audit.core.errors import AuditError
from audit.core.plan import Plan
from audit.stats import Curve, Estimate

TWO = {"groups": ["asian", "white"], "speakers_per_group": 12, "languages": ["en", "zh"], "clips_per_language": 1}


class Speakers(Check):
    """Own-group reads minus one half, which is shown wherever most faces are read rightly."""

    code, title, question = "LAB001", "Read as themselves", "Are speakers read as themselves?"
    judged = (Judged("over_half", "own-group reads minus one half", "share", 0.1, "high"),)

    def measure(self, evidence: Evidence) -> Finding:
        own = evidence.figure_curve("read_own_group", "rendered", evidence.known)
        over = self.figure(evidence, "over_half", Curve(lambda at: less_half(own.at(at))))
        return judge(self, evidence, over, {"over_half": over}, f"Read as themselves: {over.text}.")


def less_half(estimate: Estimate) -> Estimate:
    ends = {name: getattr(estimate, name) - 0.5 for name in ("value", "low", "high")}
    return dataclasses.replace(estimate, **ends)


class OfAnotherCode(Speakers):
    code = "S2F001"


class Broken(Speakers):
    def measure(self, evidence: Evidence) -> Finding:
        raise ValueError("out of order")


class OfAnotherOutcome(Speakers):
    def measure(self, evidence: Evidence) -> Finding:
        return dataclasses.replace(super().measure(evidence), outcome="fine")  # type: ignore[arg-type]  # on purpose


class Wordless(Speakers):
    def measure(self, evidence: Evidence) -> Finding:
        return "shown"  # type: ignore[return-value]  # on purpose


class WithoutDirection(Speakers):
    judged = ()


def a_function(evidence: Evidence) -> Finding:
    return Speakers().measure(evidence)


@pytest.fixture(scope="module")
def run() -> audit.Run:
    return audit.simulate(TWO)


def measured(run: audit.Run, *names: str) -> audit.Audit:
    return audit.measure(run, checks=names, with_tables=False)


def test_its_finding_follows_the_shipped_ones(run: audit.Run) -> None:
    result = measured(run, "tests.checks.test_third_party_checks:Speakers")
    assert [finding.code for finding in result.findings][-2:] == ["S2F008", "LAB001"]
    assert result.finding("LAB001").estimate.value == 0.5  # type: ignore[union-attr]  # it has one
    assert list(result.settings["checks"]) == ["tests.checks.test_third_party_checks:Speakers"]
    assert "checks" not in measured(run).settings


def test_a_plan_names_it() -> None:
    plan = Plan.parse('[measure]\nchecks = ["my_check:check"]\n')
    assert plan.measure.checks == ("my_check:check",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OfAnotherCode", "has the code S2F001 of another"),
        ("Broken", "failed: ValueError: out of order"),
        ("Wordless", "returned a str"),
        ("OfAnotherOutcome", "invalid finding.*outcome"),
        ("WithoutDirection", "declares no judged figure"),
        ("a_function", "is a function.*an audit.checks.Check"),
        ("nothing_of_that_name", "cannot be imported"),
    ],
)
def test_an_invalid_check_is_refused(run: audit.Run, name: str, words: str) -> None:
    with pytest.raises(AuditError, match=f"(?s){words}"):
        measured(run, f"tests.checks.test_third_party_checks:{name}")


def test_an_unknown_name_lists_the_known_ones(run: audit.Run) -> None:
    with pytest.raises(AuditError, match="no check 'LAB002'"):
        measured(run, "LAB002")


def test_an_instrument_is_found_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lying_here.py").write_text("from tests.fakes import ColourInstrument\n")
    monkeypatch.chdir(tmp_path)
    assert audit.instrument("lying_here:ColourInstrument").name == "colours (fake)"


def test_where_no_face_is_read_the_sentence_says_so() -> None:
    sentence = audit.measure(audit.simulate(TWO | {"missing": 1.0}), with_tables=False).finding("S2F001").sentence
    assert sentence.startswith("For asian speakers' English clips, no rendered face could be read by")
    assert "Some have clips in another language" in sentence


def test_a_module_that_cannot_be_imported_is_reported_without_a_traceback(
    run: audit.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_written.py").write_text("def check(:\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AuditError, match="half_written:check' cannot be imported: invalid syntax"):
        measured(run, "half_written:check")


MARKING = """from pathlib import Path
from tests.checks.test_third_party_checks import Speakers as check
print("imported")
Path("imported").touch()
"""


def test_third_party_code_named_in_a_run_needs_confirmation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a plan in the run's folder, and by an audit.json that was made with it."""
    run, marked = audit.simulate(TWO, out=tmp_path / "run"), tmp_path / "imported"
    (tmp_path / "from_a_stranger.py").write_text(MARKING)
    (tmp_path / "run" / "plan.toml").write_text('[measure]\nchecks = ["from_a_stranger:check"]\n')
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["audit", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    code, _, err = command("measure", "run")
    assert code == 2 and "from_a_stranger:check" in err and "--check from_a_stranger:check" in err
    assert command("gate", "run")[0] == 13
    assert not marked.exists()
    code, out, err = command("measure", "run", "--check", "from_a_stranger:check", "--json")
    assert code == 0 and marked.exists()
    assert json.loads(out)["findings"][-1]["code"] == "LAB001"
    assert "imported" in err, "what foreign code prints is no data"
    marked.unlink()
    sys.modules.pop("from_a_stranger")
    assert command("gate", "run")[0] == 13
    assert command("report", "run")[0] == 0
    assert not marked.exists()
    assert run.complete
