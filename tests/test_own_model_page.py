"""The page on one's own model: every file on it is written, every command on it is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import audit

PAGE = Path(__file__).parent.parent / "docs" / "own-model.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's files, and two small cohorts: three embedded speakers, and the same with pictures."""
    folder = tmp_path_factory.mktemp("own")
    for kind, text in BLOCKS:
        if kind in ("python", "toml"):
            name = re.match(r"# ([\w.-]+)\n", text)
            assert name is not None, "a file on the page says its name in its first line"
            (folder / name[1]).write_text(text, encoding="utf-8")
    source = audit.embedded("synthetic_bilingual")
    speakers = pd.read_csv(source / "speakers.csv", dtype=str, keep_default_na=False).head(3)
    clips = pd.read_csv(source / "clips.csv", dtype=str, keep_default_na=False)
    clips = clips[clips["speaker_id"].isin(speakers["speaker_id"])].groupby("speaker_id").head(2)
    for name, extra in (("people", {}), ("pictures", {"rendered": "portraits/" + clips["speaker_id"] + ".jpg"})):
        for path in [*speakers["portrait"], *clips["audio"]]:
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, folder / name / path)
        speakers.to_csv(folder / name / "speakers.csv", index=False)
        clips.assign(**extra).to_csv(folder / name / "clips.csv", index=False)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_the_page_ends_with_a_report(command: str, place: Path) -> None:
    words = shlex.split(command)
    assert words[:2] == ["audit", "run"]
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    done = subprocess.run(
        [sys.executable, "-m", "audit.cli", *words[1:]], cwd=place, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
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
