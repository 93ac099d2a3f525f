"""ONNX Runtime is imported in one place, which turns its telemetry off."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nothing_is_kept_or_said_for_telemetry(tmp_path: Path) -> None:
    code = "from audit.core.onnx import onnxruntime; onnxruntime().SessionOptions()"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "CI", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env=environment | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert not [*tmp_path.rglob("*onnxruntime*")], "an identifier of this machine was stored"


def test_no_other_module_imports_it() -> None:
    importing = re.compile(r"^\s*(import onnxruntime|from onnxruntime)", re.MULTILINE)
    found = {path.name for path in (ROOT / "audit").rglob("*.py") if importing.search(path.read_text("utf-8"))}
    assert found == {"onnx.py"}
