"""A small derived draw that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit

SEED = "a seed that must not be found"


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers in each of two groups, one clip in each language."""
    folder = tmp_path_factory.mktemp("draw") / "cohort"
    audit.draw_cohort(folder, 2, groups=("asian", "white"), seed=SEED)
    return folder


def bytes_in(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
