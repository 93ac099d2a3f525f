"""A model that is a program: what it is handed, what it may leave out, and how its failures are seen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import audit
from audit.models.command import Command
from tests.fakes import ColourInstrument

LOUDNESS = """
import csv, pathlib, sys
import numpy, soundfile
from PIL import Image
folder = pathlib.Path(sys.argv[-1])
for row in csv.DictReader((folder / "clips.csv").open()):
    sound, rate = soundfile.read(folder / row["clip"])
    assert rate == int(row["sample_rate"]) and sound.ndim == 1
    if numpy.abs(sound).max() < .01:
        continue
    grey = int(min(255, 1000 * numpy.sqrt((sound ** 2).mean())))
    face = numpy.full((32, 32, 3), grey, numpy.uint8)
    face[:8] = 255 - grey
    Image.fromarray(face).save((folder / row["clip"]).with_suffix(".png"))
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    def write(text: str) -> list[str]:
        path = tmp_path / "model.py"
        path.write_text(text)
        return [sys.executable, str(path)]

    return write


def waves(*levels: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(level * rng.standard_normal(8000)).astype(np.float32) for level in levels]


def test_clips_go_in_as_files_and_pictures_come_back_in_order(program: Callable[[str], list[str]]) -> None:
    model = audit.model("command", options={"command": program(LOUDNESS), "batch": 2})
    assert isinstance(model, Command)
    faces = model.render(waves(0.05, 0.1, 0.0, 0.2), 16_000)
    assert faces[2] is None
    greys = [int(face[20, 20, 0]) for face in faces if face is not None]
    assert greys == sorted(greys) and len(greys) == 3 and greys[0] != greys[2]


def test_the_description_is_in_the_manifest(program: Callable[[str], list[str]]) -> None:
    command = program(LOUDNESS)
    said = Command(command).describe()
    assert said["command"] == command
    assert set(said["files_sha256"]) == set(command)  # type: ignore[call-overload]


def test_a_failure_shows_the_last_output(program: Callable[[str], list[str]]) -> None:
    model = Command(program("import sys; sys.exit('out of memory')"))
    with pytest.raises(audit.ModelError, match="ended with 1: out of memory"):
        model.render(waves(0.1), 16_000)


def _has_ended(state: Path) -> bool:
    """Whether a process, by its file in /proc, is gone or has ended and waits for its parent."""
    try:
        return state.read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_program_that_hangs_is_killed_with_its_children(program: Callable[[str], list[str]], tmp_path: Path) -> None:
    note = tmp_path / "child"
    text = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(note)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    began = time.monotonic()
    with pytest.raises(audit.ModelError, match="took longer than 2 s"):
        Command(program(text), timeout=2).render(waves(0.1), 16_000)
    assert time.monotonic() - began < 20
    state = Path(f"/proc/{note.read_text()}/stat")
    if Path("/proc").exists():
        # the kernel ends a killed process when it is next scheduled
        while not _has_ended(state) and time.monotonic() - began < 20:
            time.sleep(0.01)
        assert _has_ended(state)


@pytest.mark.parametrize("written", ["no picture", "", "%PDF-1.7", "version https://git-lfs.github.com/spec/v1"])
def test_something_other_than_a_picture_is_an_error(program: Callable[[str], list[str]], written: str) -> None:
    text = f"import pathlib, sys; (pathlib.Path(sys.argv[-1]) / '0000.png').write_text({written!r})"
    with pytest.raises(audit.ModelError, match="not a usable picture"):
        Command(program(text)).render(waves(0.1), 16_000)


def test_a_bad_clip_fails_alone(
    program: Callable[[str], list[str]], make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    text = LOUDNESS.replace("    grey =", "    assert numpy.sqrt((sound ** 2).mean()) < .2, 'too loud'\n    grey =")
    cohort = audit.Cohort.read(make_cohort(4))
    run = audit.run(cohort, model=Command(program(text)), instrument=ColourInstrument(), out=tmp_path / "run")
    table = run.observations
    failed = table[table["status"] == "model_error"]
    assert set(failed["language"]) == {"en"} and len(failed) == 4
    assert failed["detail"].str.contains("too loud").all()
    assert (table[table["language"] == "zh"]["status"] != "model_error").all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs a program"),
        ({"command": "python model.py"}, "a list of words"),
        ({"command": []}, "a list of words"),
        (
            {"command": ["x"], "tiemout": 3},
            "cannot be made with .*tiemout.*Allowed: the options command, timeout, batch, name",
        ),
        ({"command": ["x"], "timeout": 0}, "seconds above 0"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(audit.ModelError, match=words):
        audit.model("command", options=options)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(audit.ModelError, match="cannot be started"):
        Command(["no-such-program-anywhere"]).render(waves(0.1), 16_000)
