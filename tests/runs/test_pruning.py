"""Pruning a cache: the oldest entries go, other people's files stay, and no run loses what it uses."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from audit.core.errors import RunError
from audit.core.pictures import picture_digest
from audit.instruments.protocol import Reading
from audit.runs.harness.answers import DATABASE
from audit.runs.harness.cache import Cache
from audit.runs.harness.pruning import contents, prune


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache of four renderings with their readings; the first two were stored ten days ago."""
    cache = Cache(tmp_path / "cache")
    for number in range(4):
        picture = np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)
        digest = picture_digest(picture)
        cache.keep_renderings({f"v{number}": digest}, "model", {digest: picture})
        cache.keep_readings({digest: Reading("no_face", faces=0)}, "instrument")
        if number == 1:
            with sqlite3.connect(tmp_path / "cache" / DATABASE) as database:
                database.execute("UPDATE stored SET day = day - 10")
    cache.close()
    return tmp_path / "cache"


def test_old_entries_go_with_their_pictures(folder: Path) -> None:
    before = contents(folder)
    assert (before.renderings, before.readings, before.pictures) == (4, 4, 4)
    would = prune(folder, older_than=5, dry_run=True)
    assert contents(folder) == before, "a dry run removes nothing"
    done = prune(folder, older_than=5)
    assert (done.renderings, done.readings, done.pictures) == (would.renderings, would.readings, would.pictures)
    assert (done.renderings, done.readings, done.pictures) == (2, 2, 2) and done.freed_bytes > 0
    cache = Cache(folder)
    assert cache.renderings(["v0", "v1", "v2", "v3"], "model").keys() == {"v2", "v3"}
    cache.close()


def test_the_oldest_go_first_until_the_size_is_reached(folder: Path) -> None:
    half = contents(folder).bytes // 2
    done = prune(folder, max_bytes=half)
    assert done.left_bytes <= half + 8192, "a database is made of pages"
    cache = Cache(folder)
    assert not cache.renderings(["v0"], "model") and cache.renderings(["v3"], "model")
    cache.close()


def test_a_cache_that_a_run_uses_is_left_alone(folder: Path) -> None:
    cache = Cache(folder)
    with pytest.raises(RunError, match="A run is using the cache"):
        prune(folder, older_than=0)
    cache.close()
    prune(folder, older_than=0)


def test_files_of_other_people_stay(folder: Path) -> None:
    mine = [folder / "notes.txt", folder / "pictures" / "mine.png", folder / "pictures" / "ab" / "mine.png"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    prune(folder, max_bytes=0)
    assert all(path.read_text() == "mine" for path in mine)
    assert contents(folder).pictures == 0


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a cache"):
        prune(tmp_path, older_than=1)
    assert not [*tmp_path.iterdir()]
