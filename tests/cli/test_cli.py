"""The command line: exit codes, streams and words."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.cli import main
from tests.conftest import write_cohort

ROOT = Path(__file__).parents[2]


def command(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command in this process, which spares importing everything again; a crash is raised."""
    words, (out, err) = ["audit", *map(str, arguments)], (io.StringIO(), io.StringIO())
    before, sys.argv = sys.argv, words
    try:
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = before
    return subprocess.CompletedProcess(words, int(end.value.code or 0), out.getvalue(), err.getvalue())


def process(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, where that is the point."""
    return subprocess.run(
        [sys.executable, "-m", "audit.cli", *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """The command, called in this process: without the seconds that a new one takes to import everything."""
    monkeypatch.setattr(sys, "argv", ["audit", *map(str, arguments)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), *capsys.readouterr())


def fake_plan(cohort: Path, folder: Path, part: int = 64) -> Path:
    path = folder / "plan.toml"
    path.write_text(
        f'[cohort]\npath = "{cohort}"\n[model]\nname = "tests.fakes:LoudnessModel"\n'
        f'[instrument]\nname = "tests.fakes:ColourInstrument"\n[run]\npart = {part}\n'
    )
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--cohort", "nowhere/at/all", "--model", "recorded"), "nowhere/at/all is not a directory"),
        (("run", "no-such-plan.toml"), "no-such-plan.toml cannot be read"),
        (("run", "--model", "recored"), "did you mean 'recorded'"),
        (
            ("run", "--cohort", "synthetic_bilingual", "--model", "recorded", "--weights", "x.pt"),
            "The model 'recorded' cannot be made with weights",
        ),
        (("measure", "nowhere"), "nowhere is not a run"),
        (("report", "nowhere"), "has no audit.json"),
        (("cohort", "import", "speech2face_releasd", ".", "-o", "x"), "did you mean 'speech2face_released'"),
        (("cohort", "check", "nowhere"), "There is no embedded cohort 'nowhere'"),
    ],
)
def test_the_users_own_mistakes_end_with_2_and_no_traceback(arguments: tuple[str, ...], words: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_mistake_in_a_process_of_its_own_ends_the_same_way() -> None:
    done = process("measure", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere is not a run" in done.stderr and "Traceback" not in done.stderr


def test_wrong_usage_ends_with_2() -> None:
    assert command("run", "--no-such-option").returncode == 2
    assert command("measure").returncode == 2


def test_a_crash_ends_with_1_and_never_reads_as_a_verdict(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    plan = fake_plan(make_cohort(4), tmp_path)
    plan.write_text(plan.read_text().replace("ColourInstrument", "fake_face"))
    assert process("run", plan, "-o", tmp_path / "run").returncode in (1, 2)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A run of twelve speakers by a process; its folder is the last argument. Tests that write copy it."""
    place = tmp_path_factory.mktemp("ran")
    return process("run", fake_plan(write_cohort(place / "cohort", 12), place), "-o", place / "run")


@pytest.fixture
def folder(ran: subprocess.CompletedProcess[str], tmp_path: Path) -> Path:
    """A copy of that run."""
    return shutil.copytree(ran.args[-1], tmp_path / "run")


def test_the_last_line_of_a_run_is_the_path_of_its_report(ran: subprocess.CompletedProcess[str]) -> None:
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.strip().split("\n")
    run = Path(ran.args[-1])
    assert lines[0].startswith("S2F001  shown")
    assert lines[-1] == str(run / "report.html")
    left = {path.name for path in run.iterdir()}
    assert {
        "observations",
        "faces",
        "plan.toml",
        "manifest.json",
        "audit.json",
        "tables",
        "figures",
        "report.html",
    } <= left


def test_measuring_and_reporting_again_give_the_same_bytes(folder: Path) -> None:
    first = [(folder / name).read_bytes() for name in ("audit.json", "report.html")]
    assert command("measure", folder).returncode == 0
    assert command("report", folder).stdout.strip() == str(folder / "report.html")
    assert [(folder / name).read_bytes() for name in ("audit.json", "report.html")] == first


def test_a_sheet_goes_out_and_comes_back(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet"
    done = command("sheet", folder, "-o", sheet, "--faces", "24")
    assert done.stdout.strip() == str(sheet / "index.html")
    table = pd.read_csv(sheet / "sheet.csv").assign(reader="ann", race="asian")
    table.to_csv(tmp_path / "filled.csv", index=False)
    assert command("measure", folder, "--human-readings", tmp_path / "filled.csv").returncode == 0
    read = json.loads((folder / "audit.json").read_text())
    assert read["run"]["human_readings"]["n_pictures"] == 24
    assert "human_readings" in read["tables"] and (folder / "tables" / "human_readings.csv").is_file()
    again = command("sheet", folder, "-o", sheet)
    assert again.returncode == 2 and "exists and is not empty" in again.stderr
    wrong = command("measure", folder, "--human-readings", tmp_path / "nothing.csv")
    assert wrong.returncode == 2 and "cannot be read" in wrong.stderr


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.study)])
def test_a_killed_run_ends_as_an_unbroken_one(make_cohort: Callable[..., Path], tmp_path: Path, times: int) -> None:
    plan = fake_plan(make_cohort(16, faces=64), tmp_path, part=2)
    with plan.open("a") as file:  # the cheapest measurement, since only bytes are compared
        file.write("[measure]\nresamples = 200\nintersect = []\nslice_depth = 0\n")
    assert command("run", plan, "-o", tmp_path / "unbroken").returncode == 0
    draw = random.Random(0)
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-m", "audit.cli", "run", str(plan), "-o", str(tmp_path / "broken")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        parts = tmp_path / "broken" / "observations"
        before = len(list(parts.glob("part-*"))) if parts.is_dir() else 0
        while process.poll() is None and (not parts.is_dir() or len(list(parts.glob("part-*"))) <= before):
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert command("run", plan, "-o", tmp_path / "broken").returncode == 0
    unbroken, broken = audit.Run.read(tmp_path / "unbroken"), audit.Run.read(tmp_path / "broken")
    pd.testing.assert_frame_equal(unbroken.observations, broken.observations)
    assert unbroken.manifest["parts"] == broken.manifest["parts"]
    assert (tmp_path / "unbroken" / "audit.json").read_bytes() == (tmp_path / "broken" / "audit.json").read_bytes()


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    done = process("run", "-o", os.fsdecode(b"run\xff"))
    assert done.returncode == 2
    assert "b'run\\xff' is not UTF-8" in done.stderr and "Traceback" not in done.stderr


def test_the_cohort_check_speaks_json(make_cohort: Callable[..., Path]) -> None:
    found = json.loads(command("cohort", "check", make_cohort(12), "--json").stdout)
    assert sum(row["n_clips"] for row in found["tables"]["Strata"]) == 24


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("models", "planted"),
        ("instruments", "embedded"),
        ("attributes", "race"),
        ("label_sources", "vgg1200"),
        ("language_identifiers", "faster_whisper"),
        ("similarity", "FaceRes"),
        ("checks", "S2F001"),
        ("datasets", "speech2face_released"),
    ],
)
def test_what_can_be_named_is_listed(what: str, name: str) -> None:
    assert name in command("list", what).stdout
