"""Checks of one's own: named in a plan, made beside those that ship, refused where they are none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import audit
from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.cli import main
from audit.core.errors import AuditError
from audit.core.plan import Plan

TWO = {"groups": ["asian", "white"], "speakers_per_group": 12, "languages": ["en", "zh"], "clips_per_language": 1}


def speakers(evidence: Evidence) -> Finding:
    held = evidence.figure("read_own_group", "rendered", evidence.known)
    return Finding("LAB001", "Read as themselves", "shown", "all", held, sentence="Nobody is read as another.")


def of_another_code(evidence: Evidence) -> Finding:
    return Finding("S2F001", "", "shown", "all", None)


def broken(evidence: Evidence) -> Finding:
    raise ValueError("out of order")


def of_another_outcome(evidence: Evidence) -> Finding:
    return Finding("LAB003", "", "fine", "all", None)  # type: ignore[arg-type]  # on purpose


def wordless(evidence: Evidence) -> str:
    return "shown"


@pytest.fixture(scope="module")
def run() -> audit.Run:
    return audit.simulate(TWO)


def measured(run: audit.Run, *names: str) -> audit.Audit:
    return audit.measure(run, checks=names, with_tables=False)


def test_its_finding_stands_after_those_that_ship(run: audit.Run) -> None:
    result = measured(run, "tests.checks.test_own_checks:speakers")
    assert [finding.code for finding in result.findings][-2:] == ["S2F007", "LAB001"]
    assert result.finding("LAB001").estimate.value == 1.0  # type: ignore[union-attr]  # it has one
    assert list(result.settings["checks"]) == ["tests.checks.test_own_checks:speakers"]
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
        ("of_another_outcome", "finding of another form.*outcome"),
        ("nothing_of_that_name", "cannot be imported"),
    ],
)
def test_what_is_no_check_is_refused_in_words(run: audit.Run, name: str, words: str) -> None:
    with pytest.raises(AuditError, match=f"(?s){words}"):
        measured(run, f"tests.checks.test_own_checks:{name}")


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


def test_a_module_that_cannot_be_imported_is_told_without_a_traceback(
    run: audit.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_written.py").write_text("def check(:\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AuditError, match="half_written:check' cannot be imported: invalid syntax"):
        measured(run, "half_written:check")


MARKING = """from pathlib import Path
from tests.checks.test_own_checks import speakers as check
print("imported")
Path("imported").touch()
"""


def test_what_a_runs_files_name_is_not_started_unless_one_names_it_oneself(
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
    assert command("gate", "run")[0] in (10, 11)
    assert not marked.exists()
    code, out, err = command("measure", "run", "--check", "from_a_stranger:check", "--json")
    assert code == 0 and marked.exists()
    assert json.loads(out)["findings"][-1]["code"] == "LAB001"
    assert "imported" in err, "what foreign code prints is no data"
    marked.unlink()
    sys.modules.pop("from_a_stranger")
    assert command("gate", "run")[0] in (10, 11)
    assert command("report", "run")[0] == 0
    assert not marked.exists()
    assert run.complete
