"""Every link in the README, the docs, the cards and the notebooks has a target, including its heading."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pages import PAGES

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OTHERS = [ROOT / "CHANGELOG.md", ROOT / "reports" / "README.md"]
DOCS = ROOT / "docs"


@cache
def text(path: Path) -> str:
    """The text of a page without its examples."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    made: set[str] = set()
    for heading in re.findall(r"(?m)^#{1,6} (.*)$", text(path)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().strip()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found, n = name, 0
        while found in made:
            n += 1
            found = f"{name}-{n}"
        made.add(found)
    return made


@pytest.mark.parametrize("page", [*PAGES, *OTHERS, *NOTEBOOKS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_has_a_target(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists():
            lost.append(link)
        elif anchor and anchor not in anchors(target):
            lost.append(f"{link} (headings: {', '.join(sorted(anchors(target)))})")
    assert lost == []


def test_the_index_of_the_docs_links_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w./-]+\.md)", text(DOCS / "README.md")))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"README.md"}
    assert pages - linked == set()


def test_the_picture_of_the_report_exists_and_is_small() -> None:
    picture = ROOT / "docs" / "figures" / "report.png"
    assert 10_000 < picture.stat().st_size < 300_000 and picture.read_bytes()[:4] == b"\x89PNG"
