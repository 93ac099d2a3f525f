"""The command line's manners: the same words for every verb, JSON for scripts, the next step for people."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.main import get_command

import audit
from audit.cli import app, main
from audit.cli.runs import _plan
from tests.cli.test_cli import fake_plan
from tests.release_fixture import policy as small_policy
from tests.release_fixture import shipped_policy

ROOT = Path(__file__).parents[2]
GROUP = get_command(app)
VERBS = sorted(
    f"{name} {verb}".strip()
    for name, found in GROUP.commands.items()  # type: ignore[attr-defined]  # it is a group
    for verb in getattr(found, "commands", [""])
)
TRUTH = """groups = ["asian", "white"]
speakers_per_group = 12
clips_per_language = 2
languages = ["en", "zh"]
[rendered.asian.en]
white = 0.9
"""
Said = tuple[int, str, str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command, in this process: exit code, stdout, stderr."""

    def command(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["audit", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return command


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "run"
    truth = folder.parent / "truth.toml"
    truth.write_text(TRUTH)
    (folder.parent / "policy.toml").write_text(shipped_policy().text)
    run = audit.simulate(truth, out=folder)
    audit.measure(run).write(folder)
    return folder


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_and_knows_json_quiet_and_verbose(verb: str, said: Callable[..., Said]) -> None:
    code, out, _ = said(*verb.split(), "--help")
    assert code == 0
    assert "Example" in out
    for option in ("--json", "--quiet", "--verbose"):
        assert option in out


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("rnu",), "run"),
        (("run", "--modle", "x"), "--model"),
        (("list", "model"), "models"),
        (("cohort", "chek"), "check"),
    ],
)
def test_a_slip_is_met_with_what_was_meant(words: tuple[str, ...], meant: str, said: Callable[..., Said]) -> None:
    code, out, err = said(*words)
    assert (code, out) == (2, "")
    assert meant in err


def test_json_is_all_of_stdout_and_what_the_file_says(planted: Path, said: Callable[..., Said]) -> None:
    code, out, err = said("measure", planted, "--json")
    assert code == 0
    assert out == (planted / "audit.json").read_text()
    assert str(planted / "report.html") in err
    assert json.loads(said("report", planted, "--json")[1]) == {"report": str(planted / "report.html")}
    assert json.loads(said("gate", planted, "--policy", planted.parent / "policy.toml", "--json")[1])["exit_code"] == 10
    assert "planted" in json.loads(said("list", "models", "--json")[1])


def test_quiet_says_nothing_but_errors(planted: Path, said: Callable[..., Said]) -> None:
    code, out, err = said("measure", planted, "-q")
    assert (code, err) == (0, "")
    assert out.endswith("report.html\n")
    code, out, err = said("measure", planted / "nowhere", "-q")
    assert (code, out) == (2, "")
    assert "is not a run" in err


def test_verbose_says_each_part(make_cohort: Callable[..., Path], tmp_path: Path, said: Callable[..., Said]) -> None:
    plan = fake_plan(make_cohort(12), tmp_path)
    assert "part 0: 24 clips" not in said("run", plan, "-o", tmp_path / "a")[2]
    assert "part 0: 24 clips" in said("run", plan, "-o", tmp_path / "b", "-v")[2]


def test_a_run_ends_with_a_table_in_which_every_check_has_its_row(planted: Path, said: Callable[..., Said]) -> None:
    table = said("measure", planted)[1].split("Summary")[1].splitlines()
    assert table[1].split() == ["check", "title", "outcome", "estimate", "interval", "whom", "speakers"]
    assert [line.split()[0] for line in table[2:9]] == [f"S2F00{number}" for number in range(1, 8)]
    assert "shown" in table[2] and "points" in table[2]


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (("measure", "RUN"), "audit gate RUN"),
        (("report", "RUN"), "audit gate RUN"),
        (("gate", "RUN", "--policy", "POLICY"), "audit list mitigations"),
        (("compare", "RUN", "RUN", "-o", "NEW"), "audit gate RUN --baseline RUN"),
        (("simulate", "TRUTH", "-o", "NEW"), "audit measure NEW"),
        (("cohort", "check", "synthetic_bilingual"), "audit run --cohort synthetic_bilingual"),
        (("list", "models"), "audit run --cohort C --model NAME"),
    ],
)
def test_the_next_step_is_said(
    words: tuple[str, ...], step: str, planted: Path, tmp_path: Path, said: Callable[..., Said]
) -> None:
    places = {
        "RUN": str(planted),
        "POLICY": str(planted.parent / "policy.toml"),
        "NEW": str(tmp_path / "new"),
        "TRUTH": str(planted.parent / "truth.toml"),
    }

    def placed(text: str) -> str:
        for word, place in places.items():
            text = text.replace(word, place)
        return text

    (line,) = [line for line in said(*map(placed, words))[2].splitlines() if line.startswith("Next: ")]
    assert placed(step) in line


def test_colours_are_for_terminals_only(planted: Path, said: Callable[..., Said]) -> None:
    _, out, err = said("measure", planted)
    assert "\x1b" not in out + err


def test_the_shell_completes_verbs() -> None:
    asked = os.environ | {"_AUDIT_COMPLETE": "complete_bash", "COMP_WORDS": "audit ga", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['audit']; from audit.cli import app; app(prog_name='audit')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout.split() == ["gate"]


@pytest.mark.parametrize("verb", ["simulate", "cohort import", "cohort labels"])
def test_a_file_instead_of_a_folder_is_reported(verb: str, tmp_path: Path, said: Callable[..., Said]) -> None:
    (file := tmp_path / "file").write_text("x")
    (truth := tmp_path / "truth.toml").write_text(TRUTH)
    (tmp_path / "voices" / "ann").mkdir(parents=True)
    soundfile.write(tmp_path / "voices" / "ann" / "a.wav", np.zeros(16_000), 16_000)
    words = (truth, "-o", file) if verb == "simulate" else ("folder", tmp_path / "voices", "-o", file / "x" / "y.csv")
    code, out, err = said(*verb.split(), *words)
    assert (code, out) == (2, "")
    assert re.search("cannot be read or written: (Not a directory|File exists)|is not a directory", err), err
    assert "a folder, new or this user's" in err or "a directory, or a name that is free" in err


def test_an_input_that_may_not_be_read_is_not_called_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Callable[..., Said]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "labels.csv"))

    monkeypatch.setattr("audit.simulate", refuse)
    code, _, err = said("simulate", tmp_path / "truth.toml", "-o", tmp_path / "run")
    assert code == 2
    assert "cannot be read or written: Permission denied" in err and "files that this user may read" in err


def test_the_plans_own_model_named_again_keeps_its_mitigations_and_another_says_what_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[model]\nname = "a:b"\n[model.options]\nx = 1\n[model.mitigation]\nnames = ["leace"]\n')
    kept = _plan(plan, None, "a:b", Path("w.pt"), None, False).model
    assert (kept.options, kept.mitigation.names, kept.weights) == ({"x": 1}, ("leace",), "w.pt")
    assert capsys.readouterr().err == ""
    other = _plan(plan, None, "c:d", None, None, False).model
    assert (other.name, other.options, other.mitigation.names) == ("c:d", {}, ())
    assert "The plan's options and mitigations are for a:b and are not used for c:d." in " ".join(
        capsys.readouterr().err.split()
    )


def test_what_the_command_line_says_of_measuring_is_kept_in_the_runs_plan(
    make_cohort: Callable[..., Path], tmp_path: Path, said: Callable[..., Said]
) -> None:
    run = tmp_path / "run"
    assert said("run", fake_plan(make_cohort(12), tmp_path), "-o", run, "--suppress-below", "5")[0] == 0
    assert audit.Plan.read(run / "plan.toml").measure.suppress_below == 5
    first = (run / "audit.json").read_bytes()
    assert said("measure", run)[0] == 0
    assert (run / "audit.json").read_bytes() == first


def test_a_baseline_that_no_rule_uses_is_met_with_a_warning(
    planted: Path, tmp_path: Path, said: Callable[..., Said]
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(small_policy().text)
    code, out, err = said("gate", planted, "--policy", policy, "--baseline", planted, "--explain")
    assert code == 10 and "white: breach shown, exit code 10" in out
    assert "warning: --baseline" in err and 'no rule of the policy p has kind = "non_inferiority"' in err
    assert said("gate", planted, "--explain", "--json")[0] == 2
