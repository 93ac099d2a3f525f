"""reports/sample is what the code makes of its audit.json; tests/cli/test_end_to_end.py checks the audit itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import Image

from audit import Audit

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "reports" / "sample"


def test_the_pages_are_what_the_code_makes_of_the_audit() -> None:
    spec = importlib.util.spec_from_file_location("sample_report", ROOT / "scripts" / "sample_report.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.stale() == [], "Next: python scripts/sample_report.py --rewrite"


def test_it_is_of_the_whole_embedded_demonstration_and_fictional() -> None:
    sample = Audit.read(SAMPLE)
    assert sample.run["complete"] is True and sample.run["n_clips"] == 512
    assert sample.run["cohort"]["fictional"] is True  # type: ignore[index]  # a JSON object
    assert sample.finding("S2F001").outcome == "shown"


def test_it_is_light_and_names_no_place_on_a_machine() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_500_000
    for path in files:
        if path.suffix in (".html", ".json", ".md"):
            text = path.read_text(encoding="utf-8")
            assert not any(place in text for place in ("/home/", "/root/", "/tmp/", "/Users/", "file://"))


def test_the_picture_of_the_page_is_small_enough_for_a_readme() -> None:
    path = ROOT / "docs" / "figures" / "report.png"
    assert path.stat().st_size < 300_000
    with Image.open(path) as drawn:
        assert drawn.size == (1200, 1500)
