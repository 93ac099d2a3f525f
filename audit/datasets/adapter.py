"""What an adapter is, and the writing of the cohort that it makes."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd
import tomli_w

from audit.cohort import Cohort, CohortNotes
from audit.cohort.reading import UNSTATED
from audit.datasets.labels import apply_labels
from audit.errors import AuditError, CohortError, did_you_mean

ENTRY_POINTS = "audit.datasets"
FILES = "files"
"""The cohort's link to the download: paths in its tables begin with it."""


@dataclass(frozen=True)
class Imported:
    """What an adapter found in a download.

    Attributes
    ----------
    speakers, clips : DataFrame
        The cohort's tables; paths are relative to the download's root.
    notes : CohortNotes
        What is to be said of the data set.
    remarks : tuple of str
        One sentence for everything that was left out or assumed, with its count.
    """

    speakers: pd.DataFrame
    clips: pd.DataFrame
    notes: CohortNotes
    remarks: tuple[str, ...] = ()


Adapter = Callable[..., Imported]
"""Takes the root of a download and the adapter's own options."""


def available() -> dict[str, str]:
    """The names of the adapters, each with one line on what it reads."""
    built_in = {
        "speech2face_released": "the outputs that Speech2Face's authors released on the paper's page, whole or in part"
    }
    return built_in | {point.name: f"from {point.value}" for point in entry_points(group=ENTRY_POINTS)}


def adapter(name: str) -> Adapter:
    """The adapter of that name.

    Raises
    ------
    AuditError
        If there is none.
    """
    if name == "speech2face_released":
        from audit.datasets.speech2face_released import read_release

        return read_release
    for point in entry_points(group=ENTRY_POINTS):
        if point.name == name:
            loaded: Adapter = point.load()
            return loaded
    hint = did_you_mean(name, available())
    raise AuditError(f"There is no adapter {name!r}{hint}.", ", ".join(available()), "See them: audit list datasets.")


def import_cohort(
    name: str, root: Path, out: Path, *, labels: Path | None = None, copy: bool = False, **options: str
) -> tuple[Cohort, tuple[str, ...]]:
    """Write the cohort that an adapter finds in a download, and read it back.

    Parameters
    ----------
    name : str
        The adapter.
    root : Path
        The download.
    out : Path
        The new cohort's folder; it must be empty or new.
    labels : Path, optional
        A labels file of the user's; its labels stand before the data set's own.
    copy : bool
        Copy the files instead of linking to the download.
    **options : str
        The adapter's own options.

    Returns
    -------
    tuple of Cohort and tuple of str
        The cohort, and one sentence for everything left out or assumed.

    Raises
    ------
    AuditError
        If the root is no such download, or ``out`` holds something already.
    """
    if not root.is_dir():
        raise AuditError(f"{root} is no folder.", "the folder of the download")
    if out.exists() and any(out.iterdir()):
        raise AuditError(f"{out} is not empty.", "a new or empty folder", "Choose another folder for -o.")
    found = adapter(name)(root, **options)
    remarks = list(found.remarks)
    speakers, clips = found.speakers, found.clips
    if labels is not None:
        speakers, clips, said = apply_labels(speakers, clips, labels)
        remarks += said
    if clips.empty:
        raise CohortError([f"{root} holds no clip that the adapter {name!r} knows."], "see the adapter's data card")

    out.mkdir(parents=True, exist_ok=True)
    paths = [
        (frame, column)
        for frame, columns in ((speakers, ("portrait",)), (clips, ("audio", "portrait", "rendered", "ceiling")))
        for column in columns
        if column in frame
    ]
    used = sorted({value for frame, column in paths for value in frame[column] if value})
    if copy:
        for value in used:
            (out / FILES / value).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / value, out / FILES / value)
    else:
        (out / FILES).symlink_to(root.resolve(), target_is_directory=True)
    for frame, column in paths:
        frame[column] = frame[column].map(lambda value: f"{FILES}/{value}" if value else "")
    speakers.fillna("").replace(UNSTATED, "").to_csv(out / "speakers.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    clips.fillna("").replace(UNSTATED, "").to_csv(out / "clips.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    notes = found.notes.model_copy(
        update={
            "files": "" if copy else str(root.resolve()),
            "notes": " ".join([found.notes.notes, *remarks]).strip(),
        }
    )
    (out / "cohort.toml").write_text(
        tomli_w.dumps({k: v for k, v in notes.model_dump().items() if v}), encoding="utf-8"
    )
    return Cohort.read(out), tuple(remarks)
