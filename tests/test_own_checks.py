"""Checks of one's own: named in a plan, made beside those that ship, refused where they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.errors import AuditError
from audit.evidence import Evidence
from audit.finding import Finding
from audit.plan import Plan

TWO = {"groups": ["asian", "white"], "speakers_per_group": 12, "languages": ["en", "zh"], "clips_per_language": 1}


def speakers(evidence: Evidence) -> Finding:
    held = evidence.figure("read_own_group", "rendered", evidence.known)
    return Finding("LAB001", "Read as themselves", "shown", "all", held, sentence="Nobody is read as another.")


def of_another_code(evidence: Evidence) -> Finding:
    return Finding("S2F001", "", "shown", "all", None)


def broken(evidence: Evidence) -> Finding:
    raise ValueError("out of order")


def wordless(evidence: Evidence) -> str:
    return "shown"


@pytest.fixture(scope="module")
def run() -> audit.Run:
    return audit.simulate(TWO)


def measured(run: audit.Run, *names: str) -> audit.Audit:
    return audit.measure(run, checks=names, with_tables=False)


def test_its_finding_stands_after_those_that_ship(run: audit.Run) -> None:
    result = measured(run, "tests.test_own_checks:speakers")
    assert [finding.code for finding in result.findings][-2:] == ["S2F007", "LAB001"]
    assert result.finding("LAB001").estimate.value == 1.0  # type: ignore[union-attr]  # it has one
    assert list(result.settings["checks"]) == ["tests.test_own_checks:speakers"]
    assert "checks" not in measured(run).settings


def test_a_plan_names_it() -> None:
    plan = Plan.parse('[measure]\nchecks = ["my_check:check"]\n')
    assert plan.measure.checks == ("my_check:check",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("of_another_code", "has the code S2F001 of another"),
        ("broken", "failed: ValueError: out of order"),
        ("wordless", "returned a str"),
        ("nothing_of_that_name", "cannot be imported"),
    ],
)
def test_what_is_no_check_is_refused_in_words(run: audit.Run, name: str, words: str) -> None:
    with pytest.raises(AuditError, match=words):
        measured(run, f"tests.test_own_checks:{name}")


def test_a_name_that_nobody_gave_is_met_with_the_names_there_are(run: audit.Run) -> None:
    with pytest.raises(AuditError, match="no check 'LAB002'"):
        measured(run, "LAB002")


def test_an_instrument_may_lie_in_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lying_here.py").write_text("from tests.fakes import ColourInstrument\n")
    monkeypatch.chdir(tmp_path)
    assert audit.instrument("lying_here:ColourInstrument").name == "colours (fake)"


def test_where_no_face_is_read_the_sentence_says_so() -> None:
    sentence = audit.measure(audit.simulate(TWO | {"missing": 1.0}), with_tables=False).finding("S2F001").sentence
    assert sentence.startswith("Of asian speakers heard in English, no rendered face could be read by")
    assert "They are heard in another language too" in sentence
