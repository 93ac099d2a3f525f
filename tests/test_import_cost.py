"""What an import loads: ``import audit`` is cheap, and nothing after a run needs torch or DeepFace.

Which layer may import which is checked by import-linter (``make lint``); the layers stand in pyproject.toml.
"""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import audit", {"torch", "deepface", "pandas", "onnxruntime", "cv2", "matplotlib"}),
        (
            "import audit; audit.Run, audit.measure, audit.Audit; import audit.reports",
            {"torch", "deepface", "onnxruntime", "cv2", "pyloudnorm", "scipy.signal", "statsmodels"},
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
    assert all(name in ("audit", "audit.core", "audit.core.moved") or name.startswith("audit.stats") for name in loaded)
