"""The command ``audit forget``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

import audit
from audit.cli.terminal import give, give_json, say
from audit.cli.verbs import AsJson


def forget(
    speaker: Annotated[str, Argument(metavar="SPEAKER", help="The speaker's id in the cohort's tables.")],
    paths: Annotated[list[Path], Argument(metavar="PATH ...", help="Runs, cohorts, labelling sheets and caches.")],
    as_json: AsJson = False,
) -> None:
    """Remove one speaker from runs, cohorts, sheets and caches: a withdrawal of consent.

    Rows, faces, journal lines, cache entries (also of the caches next to the runs) and results made from them are
    removed, and the folder records that this was done, without the id. Your own recordings and pictures are listed.

    Example: [bold]audit forget s17 people reports/candidate sheet[/bold]
    """
    done = audit.forget(speaker, *paths)
    if as_json:
        give_json([{"path": str(one.path), "kind": one.kind, "removed": one.removed, "left": one.left} for one in done])
        return
    for one in done:
        counts = ", ".join(f"{count} {name}" for name, count in one.removed.items())
        give(f"{one.kind} {one.path}: removed {counts}")
        for name in one.left:
            give(f"  left: {one.path / name}")
        if one.advice:
            say(f"{one.path}: {one.advice}")
