"""Every notebook runs from a fresh kernel, says what is stored in it, and tells nothing of the machine."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import audit
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
MINUTES = 3
"""What a notebook may take, on two quiet cores; here on one."""


def book(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def code(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in book(path)["cells"] if cell["cell_type"] == "code"]


def test_there_is_one_for_each_of_those_whom_the_suite_is_for() -> None:
    assert NAMES == ["compare_mitigations", "reviewers_walk", "your_own"]


@pytest.mark.parametrize("name", [pytest.param(NAMES[0], marks=pytest.mark.study), *NAMES[1:]])
def test_a_fresh_kernel_says_what_is_stored(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/notebooks.py", "--check", name], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60 * MINUTES, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_is_stored_as_a_fresh_kernel_left_it(path: Path) -> None:
    assert book(path)["metadata"]["kernelspec"]["name"] == "python3"
    cells = code(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs and not any(output["output_type"] == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_tells_no_path_of_a_machine(path: Path) -> None:
    told = json.dumps([cell.get("outputs", []) for cell in book(path)["cells"]] + [code(path)])
    told = re.sub(r'"image/png": "[^"]*"', "", told)
    assert re.findall(r"(?:/tmp|/home|/root|/Users|/usr|/var|[A-Z]:\\\\)[\w./\\-]*", told) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_it_uses_public_names_only(path: Path) -> None:
    """Of the package itself those of ``audit.__all__``; of its rooms, those that they export."""
    for cell in code(path):
        source = "".join(cell["source"])
        tree = ast.parse(re.sub(r"\A%%writefile .*", "", source))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "audit":
                room = __import__(node.module, fromlist=["*"])
                exported = getattr(room, "__all__", [name for name in vars(room) if name[0] != "_"])
                assert {alias.name for alias in node.names} <= set(exported), source
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "audit":
                assert node.attr in audit.__all__, f"audit.{node.attr}"
