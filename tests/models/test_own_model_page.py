"""The page on one's own model: every file on it is written, every command on it is run."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from tests.pages import files_of, of, small_cohort, standing_in

PAGE = "docs/guide/own-model.md"
COMMANDS = [line for block in of(PAGE, "sh") for line in block.lines]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's files, and two small cohorts: three embedded speakers, and the same with pictures."""
    folder = tmp_path_factory.mktemp("own")
    files_of(PAGE, folder)
    small_cohort(folder / "people")
    small_cohort(folder / "pictures", rendered="portraits")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_the_page_ends_with_a_report(command: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command)
    assert words[:2] == ["audit", "run"]
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"])
    with standing_in(place):
        done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report = place / done.stdout.strip().splitlines()[-1]
    assert report.name == "report.html" and report.is_file()
    rows = audit.Run.read(report.parent).observations
    assert len(rows) == 6 and not (rows["status"] == "model_error").any()


def test_there_is_a_command_for_every_way_that_needs_no_weights() -> None:
    assert [shlex.split(command)[-1] for command in COMMANDS] == [
        "class-run",
        "plan-run",
        "program-run",
        "recorded-run",
    ]
