"""The pages that people read, and the examples on them."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import audit
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "datasets").glob("**/*.md"))]
FENCE = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>.*?) -->\n)?^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced example; ``reason`` says why it is not run, and is empty where it is."""

    page: str
    line: int
    kind: str
    text: str
    reason: str

    @property
    def lines(self) -> list[str]:
        """Its commands: lines that go on are put together, comments are left out."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def blocks(page: Path) -> list[Block]:
    """The fenced examples of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page.relative_to(ROOT).as_posix(),
            text[: found.start("text")].count("\n"),
            found["kind"],
            re.sub(rf"(?m)^{found['indent']}", "", found["text"]),
            found["reason"] or "",
        )
        for found in FENCE.finditer(text)
    ]


def of(page: str, *kinds: str) -> list[Block]:
    """The examples of one page that are run, of some kinds."""
    return [block for block in blocks(ROOT / page) if block.kind in kinds and not block.reason]


def files_of(page: str, folder: Path) -> None:
    """Write the Python and TOML files of a page, each of which has its name in its first line."""
    for block in of(page, "python", "toml"):
        name = re.match(r"# ([\w.-]+)\n", block.text)
        assert name is not None, "a file on the page says its name in its first line"
        (folder / name[1]).write_text(block.text, encoding="utf-8")


def small_cohort(folder: Path, **columns: str) -> None:
    """Three embedded speakers with two clips each; ``rendered="portraits"`` fills that column with their portraits."""
    source = audit.embedded("synthetic_bilingual")
    speakers = pd.read_csv(source / "speakers.csv", dtype=str, keep_default_na=False).head(3)
    clips = pd.read_csv(source / "clips.csv", dtype=str, keep_default_na=False)
    clips = clips[clips["speaker_id"].isin(speakers["speaker_id"])].groupby("speaker_id").head(2)
    for path in [*speakers["portrait"], *clips["audio"]]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, folder / path)
    made = {name: f"{below}/" + clips["speaker_id"] + ".jpg" for name, below in columns.items()}
    speakers.to_csv(folder / "speakers.csv", index=False)
    clips.assign(**made).to_csv(folder / "clips.csv", index=False)


@contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    """Stand in a folder, import from it, and forget afterwards what was imported."""
    known = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        yield
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(folder)):
            del sys.modules[name]
