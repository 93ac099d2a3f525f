"""Custom audio: a folder of files, with or without a table; see datasets/cards/folder.md."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.labels import NEXT_STEP, SPEAKER_LABELS, check_agreement, label_errors, read_labels
from audit.cohorts.importing.metadata import find_file
from audit.cohorts.importing.scanning import scan
from audit.cohorts.texts import read_texts
from audit.cohorts.validation import check_ids
from audit.core.errors import CohortError, did_you_mean
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

TABLE = "labels.csv"
PATHS = ("audio", "portrait", "rendered", "ceiling")
NOTES = CohortNotes(
    name="folder",
    licence="not stated",
    consent="not stated",
    notes="The user's own audio and labels.",
)


def read_folder(root: Path, table: str = "") -> Imported:
    """The cohort in a folder of audio.

    With a table (``labels.csv`` in the folder, or the one named) that has the column ``audio``, each row is a clip:
    ``audio`` and ``speaker_id``, and any of clip_id, language, group, gender, age, native_language, split, portrait,
    rendered, ceiling, cluster (the video or session), the sources of the labels, and custom columns. Without a table,
    every audio file is a clip named by its path, and the first folder below the root is its speaker.
    """
    path = find_file(root, [], table) if table else root / TABLE
    if path is not None and path.is_file() and (table or "audio" in read_texts(path)):
        return _by_table(root, path)
    return _by_folders(root)


def _by_folders(root: Path) -> Imported:
    found = scan(root)
    rows = [(path[: path.rfind(".")], path.split("/", 1)[0], path) for path in found.files if "/" in path]
    if not rows:
        no_clip = f"{root} has no audio in a folder of a speaker, and no {TABLE} with the column audio."
        raise CohortError(
            [" ".join([no_clip, *found.remarks()])],
            f"<speaker>/*.wav (or flac, mp3, m4a, ogg), or a {TABLE} with the columns audio and speaker_id",
        )
    clips = pd.DataFrame(rows, columns=["clip_id", "speaker_id", "audio"])
    twice = clips["clip_id"].duplicated(keep=False)  # one name with two suffixes
    clips["clip_id"] = clips["clip_id"].where(~twice, clips["audio"])
    loose = len(found.files) - len(rows)
    left_out = f"{loose} audio files are not in the folder of a speaker and were left out: their speaker is unknown."
    speakers = pd.DataFrame({"speaker_id": sorted(clips["speaker_id"].unique())})
    return Imported(speakers, clips, NOTES, (*counted((loose, left_out)), *found.remarks()))


def _by_table(root: Path, path: Path) -> Imported:
    table = read_labels(path)
    missing = [name for name in ("audio", "speaker_id") if name not in table]
    if missing:
        raise CohortError(
            [f"{path.name} has no column {name!r}{did_you_mean(name, table.columns)}." for name in missing],
            "the columns audio and speaker_id, and one row per clip",
        )
    if table.empty:
        raise CohortError([f"{path.name} has no row below its heading."], "one row per clip")
    errors = label_errors(table, path.name)
    check_agreement(table, path.name, errors)
    if "clip_id" not in table:
        table["clip_id"] = table["audio"].str.rsplit(".", n=1).str[0].str.strip("/")
        table["clip_id"] = table["clip_id"].where(~table["clip_id"].duplicated(keep=False), table["audio"])
    check_ids(path.name, table["clip_id"], errors)
    for i in table.index[table["speaker_id"] == ""]:
        errors.add(path.name, i + 2, "speaker_id is empty", "the id of the speaker")
    for column in (name for name in PATHS if name in table):
        for i, value in table[column].items():
            if _is_outside(value):
                found = f"{column} {value!r} is outside the folder"
                errors.add(path.name, int(str(i)) + 2, found, "a path relative to the folder")
    errors.stop(NEXT_STEP)

    present = table["audio"].map(lambda value: value != "" and os.path.isfile(os.path.join(root, value)))  # noqa: PTH113, PTH118
    pictured = table["rendered"] != "" if "rendered" in table else pd.Series(False, index=table.index)
    kept = table[present | (pictured & (table["audio"] == ""))]
    gone = len(table) - len(kept)
    if kept.empty:
        raise CohortError([f"{path.name} names no audio file that is in {root}."], "paths relative to the folder")
    labels = [name for name in (*SPEAKER_LABELS, "group_source", "gender_source") if name in kept]
    # groupby().first() takes the first label that is not missing
    speakers = kept.replace("", None).groupby("speaker_id")[labels].first().astype(object).fillna("").reset_index()
    speakers = speakers.replace({"group": {"": UNKNOWN}, "gender": {"": UNKNOWN}})
    clips = kept.drop(columns=labels).reset_index(drop=True).replace({"language": {"": "und"}})
    first = "" if kept.index.equals(table.index) else table.loc[table.index.difference(kept.index)[0], "audio"]
    left_out = (
        f"{gone} rows of {path.name} name an audio file that does not exist and were left out, the first: {first!r}."
    )
    return Imported(speakers, clips, NOTES, counted((gone, left_out)))


def _is_outside(value: str) -> bool:
    path = PurePosixPath(value.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or "\0" in value


ADAPTER = Part(
    name="folder",
    summary="your own audio: <speaker>/*.wav, or a table labels.csv with a row per clip",
    value=read_folder,
)
