"""docs/reference/api.md is generated from the docstrings of every public name."""

from __future__ import annotations

import re
import subprocess
import sys

import audit
from tests.conftest import ROOT


def test_the_page_equals_the_docstrings() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/api_page.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_on_the_page_with_a_docstring() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    named = re.findall(r"(?m)^## (\w+)$", page)
    assert sorted(named) == sorted({*audit.__all__} - {"__version__"})
    for name in named:
        doc = getattr(audit, name).__doc__
        assert doc and len(doc.splitlines()[0]) > 15, name
