"""Writing of a cohort that was made from another one: tables, notes, and links to the same files."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pandas as pd
import tomli_w

from audit.cohorts.cohort import Cohort
from audit.cohorts.notes import CohortNotes
from audit.cohorts.validation import UNSTATED
from audit.core.files import write_whole

_FILES: Final = ("audio", "portrait", "rendered", "ceiling")
_LINKS: Final = ("files", "portraits")
"""The links of a cohort to folders outside it, which are also keys of its notes."""


def write_derived(cohort: Cohort, clips: pd.DataFrame, notes: str, out: Path) -> Cohort:
    """Write a cohort with other clips, and return it as read from there.

    The links of the cohort are made anew, to the same folders. Files in the cohort itself are linked where the file
    system has hard links, and copied elsewhere. ``clips.csv`` is written last: without it, the folder is no cohort.

    Parameters
    ----------
    cohort : Cohort
        Provides everything but the clips.
    clips : DataFrame
        The clips; paths are those of the cohort.
    notes : str
        Sentences that are added to the cohort's notes.
    out : Path
        The folder to write into.
    """
    targets = {name: target for name in _LINKS if (target := _target(cohort, name)) is not None}
    for name, target in targets.items():
        if not (out / name).is_symlink():
            (out / name).symlink_to(target, target_is_directory=True)
    for path in _named(cohort.speakers, clips):
        if Path(path).parts[0] not in targets and (cohort.root / path).is_file():
            _link(cohort.root / path, out / path)
    order = cohort.notes.order  # the tables have words in place of the values that they stand for
    about = cohort.notes.model_copy(
        update={
            "name": cohort.name,
            "notes": f"{cohort.notes.notes} {notes}".strip(),
            "categories": order,
            **{name: str(target) for name, target in targets.items()},
        }
    )
    write_whole(out / "cohort.toml", _toml(about))
    write_whole(out / "speakers.csv", _csv(cohort.speakers, "speaker_id"))
    write_whole(out / "clips.csv", _csv(clips, "clip_id"))
    return Cohort.read(out)


def _target(cohort: Cohort, name: str) -> Path | None:
    """The folder that a link of the cohort leads to; ``None`` if it has no such link."""
    link = cohort.root / name
    return link.resolve() if getattr(cohort.notes, name) and link.is_symlink() else None


def _named(*frames: pd.DataFrame) -> Iterator[str]:
    columns: Iterable[pd.Series] = (frame[name] for frame in frames for name in _FILES if name in frame)
    yield from sorted({path for column in columns for path in column if path})


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)


def _toml(notes: CohortNotes) -> str:
    return tomli_w.dumps({key: value for key, value in notes.model_dump().items() if value})


def _csv(frame: pd.DataFrame, key: str) -> str:
    table = frame[[key, *frame.columns.drop(key)]].sort_values(key).astype(object)
    table = table.where(table.notna(), "")
    for column in table.columns[table.columns.str.endswith("_source")]:
        table[column] = table[column].replace(UNSTATED, "")
    text: str = table.to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    return text
