"""The page on custom data: its commands are run on small copies of the layouts, its links checked."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from tests.cohorts.test_datasets_adapters import mav, vox1
from tests.cohorts.test_datasets_labels import faces
from tests.conftest import ROOT, tone
from tests.pages import standing_in

PAGE = ROOT / "docs" / "guide" / "datasets.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = [shlex.split(line) for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    tone(vox1(folder / "VOX1") / "wav" / "id10001" / "lmnopqrstuv" / "00001.wav", seconds=4)
    mav(folder / "MAV")
    faces(folder / "VGG_ALL_FRONTAL", "Ann_Example")
    for sentence in ("DFA", "IEO", "ITH"):
        tone(folder / "CREMA" / "AudioWAV" / f"1001_{sentence}_ANG_XX.wav", seconds=2.5)
    (folder / "CREMA" / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
    )
    (folder / "nationality.csv").write_text("nationality,group\nIreland,white\n")
    for i in range(3):
        tone(folder / "MINE" / "ann" / f"{i}.wav")
    return folder


def test_every_command_on_the_page_does_what_it_says(place: Path) -> None:
    """In the order of the page: a labels file is written before it is checked and used."""
    for words in COMMANDS:
        with standing_in(place):
            done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert words[0] == "audit" and done.exit_code == 0, (words, done.output)
    assert len(audit.Cohort.read(place / "vox1-long").clips) == 1
    assert audit.Cohort.read(place / "crema").clips["joined_from"].tolist() == [
        "1001_DFA_ANG_XX;1001_IEO_ANG_XX;1001_ITH_ANG_XX"
    ]
    assert audit.Cohort.read(place / "vox1-inferred").speakers["group_source"].tolist() == ["inferred", "unstated"]


def test_the_python_on_the_page_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    space: dict[str, object] = {}
    for kind, text in BLOCKS:
        if kind == "python":
            exec(text, space)
    cohort = space["cohort"]
    assert isinstance(cohort, audit.Cohort) and len(cohort.clips) == 2
