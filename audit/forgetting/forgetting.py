"""Removing one speaker from everything that the tool wrote about them, in the folders that are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audit.cohorts.forgetting import TABLES, remove_from_cohort
from audit.core.errors import AuditError
from audit.forgetting.record import add_record
from audit.forgetting.runs import remove_from_run
from audit.forgetting.sheets import is_sheet, remove_from_sheet
from audit.runs.harness.answers import DATABASE
from audit.runs.harness.cache import FOLDER
from audit.runs.harness.pruning import remove_answers
from audit.runs.manifest import MANIFEST

Kind = Literal["run", "cohort", "sheet", "cache"]
ORDER: tuple[Kind, ...] = ("run", "cohort", "sheet", "cache")
"""The order of work: runs and cohorts say which pictures and recordings to look for in sheets and caches."""


@dataclass(frozen=True)
class Forgotten:
    """What was removed from one folder.

    Attributes
    ----------
    path : Path
        The folder.
    kind : {"run", "cohort", "sheet", "cache"}
        What it is.
    removed : dict
        Numbers of what was removed: clips, faces, pictures, answers, results.
    left : tuple of str
        Files that still contain the speaker, or may, and why they are left is said in ``advice``.
    advice : str
        What the user should do next; empty if nothing.
    """

    path: Path
    kind: Kind
    removed: dict[str, int]
    left: tuple[str, ...] = ()
    advice: str = ""


def forget(speaker: str, *paths: str | Path) -> tuple[Forgotten, ...]:
    """Remove one speaker from cohorts, runs, labelling sheets and caches, for a withdrawal of consent.

    The caches next to the runs are included. Rows, faces, journal lines, cache entries and entries of sheets are
    removed, with the results that were made from a run. Recordings and portraits of a cohort are the user's own files:
    they are listed, not removed. Each folder with a run, cohort or sheet gets a record ``forgotten.json`` with the day
    and the numbers, without the identity.

    Parameters
    ----------
    speaker : str
        The ``speaker_id``.
    *paths : path
        Folders. Name runs and cohorts together with the sheets that were made from them: a sheet has no ids, and its
        pictures are found by those of the runs and cohorts.

    Returns
    -------
    tuple of Forgotten
        What was removed from each folder: runs, cohorts, sheets, then caches.

    Raises
    ------
    AuditError
        If a path is none of these, no run or cohort has the speaker, a folder is in use, or a file was changed.
    """
    if not speaker:
        raise AuditError("The speaker's id is empty.", "the speaker_id in the cohort's tables")
    kinds = _with_caches({Path(path): _kind(Path(path)) for path in paths})
    day = dt.datetime.now(dt.UTC).date()
    audio: set[str] = set()
    pictures: set[str] = set()
    clips: set[tuple[str, str]] = set()
    done: list[Forgotten] = []
    for path in sorted(kinds, key=lambda path: (ORDER.index(kinds[path]), str(path))):
        kind = kinds[path]
        if kind == "run":
            run = remove_from_run(path, speaker)
            audio |= run.audio
            pictures |= run.pictures
            clips |= run.clips
            removed = {"clips": run.n_clips, "faces": run.n_faces, "results": len(run.removed_files)}
            advice = "Measure it again: audit measure RUN." if run.removed_files else ""
            if run.n_unverified:
                advice += f" {run.n_unverified} faces were missing or changed, so caches and sheets may keep copies."
            done.append(Forgotten(path, kind, removed, run.left_files, advice.strip()))
        elif kind == "cohort":
            cohort = remove_from_cohort(path, speaker)
            audio |= cohort.audio
            pictures |= cohort.portraits
            left = (*cohort.files, *cohort.mentions)
            advice = "These are your own files: delete them, and other copies." if left else ""
            done.append(Forgotten(path, kind, {"clips": len(cohort.clip_ids)}, left, advice))
        elif kind == "sheet":
            done.append(Forgotten(path, kind, {"pictures": remove_from_sheet(path, pictures, clips)}))
        else:
            answers, files = remove_answers(path, audio=audio, pictures=pictures)
            done.append(Forgotten(path, kind, {"answers": answers, "pictures": files}))
    if not any(one.removed.get("clips") for one in done):
        raise AuditError(
            "No run or cohort among these folders has a speaker of that id.",
            "folders that have the speaker; sheets and caches together with the run or cohort that they belong to",
        )
    for one in done:
        if one.kind != "cache" and any(one.removed.values()):
            add_record(one.path, one.removed, day)
    return tuple(done)


def _kind(path: Path) -> Kind:
    if (path / MANIFEST).is_file():
        return "run"
    if any((path / f"{stem}.{end}").is_file() for stem in TABLES for end in ("csv", "parquet")):
        return "cohort"
    if (path / DATABASE).is_file():
        return "cache"
    if is_sheet(path):
        return "sheet"
    raise AuditError(
        f"{path} is not a run, a cohort, a labelling sheet or a cache.",
        "folders that this tool wrote",
        "Delete other copies yourself.",
    )


def _with_caches(kinds: dict[Path, Kind]) -> dict[Path, Kind]:
    """The folders, and the caches next to runs."""
    found: Sequence[Path] = [path.parent / FOLDER for path, kind in kinds.items() if kind == "run"]
    return kinds | {path: "cache" for path in found if (path / DATABASE).is_file()}
