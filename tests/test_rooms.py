"""The rooms of the design: who may know whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "audit"

ROOMS = {
    "clean_text": set(),
    "small_cells": {"audit", "finding", "stats"},
    "sharing": {"audit", "comparing", "observations"},  # for their types
    "errors": set(),
    "plugins": {"errors"},
    "vocabulary": set(),
    "stats": set(),
    "models": {"errors", "vocabulary", "pictures", "plugins", "audio"},
    "mitigations": {"errors", "vocabulary", "audio", "cohort", "models"},
    "instruments": {"errors", "vocabulary", "models.protocol", "plugins"},
    "cohort": {"errors", "observations", "vocabulary", "planning", "stats"},  # whose columns no cohort brings
    "planning": {"stats", "vocabulary"},
    "calibration": {"errors", "plan", "vocabulary"},
    "datasets": {"errors", "vocabulary", "cohort", "audio", "m4a", "plugins"},
    "audio": {"m4a", "models.protocol"},
    "m4a": set(),
    "pictures": {"models.protocol"},
    "observations": {"errors", "manifest", "vocabulary"},
    "manifest": {"errors"},
    "labelling": {"errors", "observations", "vocabulary", "writing"},
    "likeness": set(),
    "craniofacial": set(),
    "metrics": {"craniofacial", "likeness", "observations", "stats", "vocabulary"},
    "strata": {"stats", "vocabulary"},
    "checks": {"errors", "evidence", "finding", "flips", "plugins", "sentences", "stats", "strata", "vocabulary"},
    "fairness": {"stats"},
    "plan": {"errors", "typed_toml"},
    "measuring": {
        "audit",
        "calibration",
        "checks",
        "evidence",
        "labelling",
        "metrics",
        "models.coverage",
        "observations",
        "plan",
        "sentences",
        "sharing",
        "small_cells",
        "stats",
        "tables",
        "vocabulary",
    },
    "training": {
        "audio",
        "claiming",
        "typed_toml",
        "cohort",
        "datasets",
        "errors",
        "mitigations",
        "instruments.landmarks",  # dlib's model, which finds points and knows no person
        "models",
        "pictures",
        "provenance",
        "vocabulary",
    },
    "harness": {
        "audio",
        "claiming",
        "cohort",
        "errors",
        "instruments.protocol",
        "models",
        "observations",
        "pictures",
        "plan",
        "provenance",
        "vocabulary",
        "writing",
    },
    "writing": {"errors"},
    "tracking": {"audit", "errors", "observations"},
    "simulation": {"errors", "observations", "plan", "provenance", "vocabulary", "writing"},
    "release": {
        "audit",
        "clean_text",
        "errors",
        "finding",
        "plan",
        "sentences",
        "sharing",
        "small_cells",
        "stats",
        "typed_toml",
        "vocabulary",
    },
    "report": {"audit", "clean_text", "errors", "finding", "sharing", "stats", "vocabulary", "writing"},
    "probing": {
        "audio",
        "audit",
        "claiming",
        "clean_text",
        "cohort",
        "datasets",
        "errors",
        "finding",
        "harness",
        "instruments.protocol",
        "instruments.registry",
        "measuring",
        "models",
        "observations",
        "plan",
        "provenance",
        "report",
        "sentences",
        "stats",
        "vocabulary",
        "writing",
    },
    "comparing": {
        "audit",
        "checks.coverage",
        "clean_text",
        "errors",
        "evidence",
        "flips",
        "gallery",
        "measuring",
        "metrics",
        "observations",
        "plan",
        "report",
        "sentences",
        "sharing",
        "small_cells",
        "stats",
        "strata",
        "vocabulary",
        "writing",
    },
}
"""What each room may import of the package, beside itself."""


def imports_of(path: Path) -> set[str]:
    """The modules of the package that a file imports at run time, without the leading ``audit.``."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "audit":
            found.add(node.module.removeprefix("audit").lstrip("."))
            if node.module == "audit":
                found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("audit.") for alias in node.names if alias.name.startswith("audit.")}
    return found - {""}


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_whom_it_may(room: str) -> None:
    allowed = ROOMS[room] | {room}
    for path in files_of(room):
        for module in imports_of(path):
            assert any(module == name or module.startswith(f"{name}.") for name in allowed), (
                f"{path.name} imports audit.{module}"
            )


def test_nothing_imports_the_command_line() -> None:
    outside = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "cli"]
    importers = [path.name for path in outside if any(name.split(".")[0] == "cli" for name in imports_of(path))]
    assert importers == []


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import audit", {"torch", "deepface", "pandas", "onnxruntime", "cv2", "matplotlib"}),
        (
            "import audit; audit.Run, audit.measure, audit.Audit; import audit.reports",
            {"torch", "deepface", "onnxruntime", "cv2"},
        ),
        ("import audit.cli", {"torch", "deepface", "onnxruntime", "cv2", "matplotlib"}),
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement: str, unwanted: set[str]) -> None:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert unwanted & set(loaded) == set()


def test_the_statistics_know_no_speech_and_no_faces() -> None:
    code = "import sys, audit.stats; print(' '.join(m for m in sys.modules if m.startswith('audit')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert all(name == "audit" or name.startswith("audit.stats") for name in loaded)
