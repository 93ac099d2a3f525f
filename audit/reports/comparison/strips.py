"""The face strips: the same speakers by every model, a sample drawn by a fixed seed, as in the report's gallery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.comparisons.comparison import Comparison
from audit.reports.html.gallery import BUDGET, thumbnail
from audit.reports.html.records import records, text, values, where
from audit.reports.html.wording import group_name, language_name, order_groups


@dataclass(frozen=True)
class Shot:
    """One picture: whose it is (the portrait, or a run), a data URI or the reason why there is none, and the read."""

    of: str
    uri: str
    absent: str
    read: str


@dataclass(frozen=True)
class Strip:
    """One clip: its portrait, and what every run made of it."""

    language: str
    who: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Strips:
    """The sample by group, and how many pictures were withheld."""

    groups: tuple[tuple[str, tuple[Strip, ...]], ...]
    withheld: int


def strips(comparison: Comparison, folders: Mapping[str, Path | None], show: bool) -> Strips:
    """The sample that the comparison's table ``faces`` names.

    Parameters
    ----------
    comparison : Comparison
        With the table ``faces``; its paths are relative to the runs' folders.
    folders : mapping of str to Path or None
        Where each run lies, by its letter; no picture outside it is ever opened.
    show : bool
        Whether pictures may be shown.
    """
    letters = [str(run["letter"]) for run in comparison.runs]
    rows = records(comparison, "faces")
    spent, withheld = 0, 0

    def shot(row: Mapping[str, object], column: str, letter: str, of: str) -> Shot:
        nonlocal spent, withheld
        path, read, folder = text(row, column), text(row, f"{column}_read"), folders.get(letter)
        told = group_name(read) if read else ""
        if not path or folder is None:
            return Shot(of, "", "no picture", told)
        if not show:
            withheld += 1
            return Shot(of, "", "withheld", told)
        uri, absent = thumbnail(folder, path)
        if spent + len(uri) > BUDGET:
            return Shot(of, "", "left out for size", told)
        spent += len(uri)
        return Shot(of, uri, absent, told)

    groups = []
    for group in values(rows, "group", order_groups):
        made = [
            Strip(
                language_name(text(row, "language")),
                f"{text(row, 'speaker_id')}, {text(row, 'clip_id')}",
                (
                    shot(row, "portrait", letters[0], "portrait"),
                    *(shot(row, letter, letter, f"rendered by {letter}") for letter in letters),
                ),
            )
            for row in where(rows, group=group)
        ]
        groups.append((group_name(group), tuple(made)))
    return Strips(tuple(groups), withheld)
