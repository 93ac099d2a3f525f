"""Custom audio: a folder of files, with or without a table; see datasets/cards/folder.md."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.labels import (
    NEXT_STEP,
    SPEAKER_LABELS,
    check_agreement,
    label_errors,
    read_labels,
    with_labels,
)
from audit.cohorts.importing.metadata import find_file
from audit.cohorts.importing.scanning import scan, suffix_of
from audit.cohorts.paths import FILE_COLUMNS
from audit.cohorts.resolving import Disk, missing, resolved
from audit.cohorts.user_tables import UserTable
from audit.cohorts.validation import check_ids
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

TABLE: Final = "labels.csv"
TEXT_TABLES: Final = (".csv", ".tsv", ".txt")
OTHER_TABLES: Final = (".xlsx", ".xls", ".ods", ".parquet", ".json", ".jsonl")
"""Formats that are not read: spreadsheets and others in which tables of audio are kept."""
NOTES = CohortNotes(
    name="folder",
    licence="not stated",
    consent="not stated",
    notes="The user's own audio and labels.",
)


def read_folder(root: Path, table: str = "") -> Imported:
    """The cohort in a folder of audio.

    With a table (``labels.csv`` in the folder, or the one named) that names files, each row is a clip: ``audio`` and
    ``speaker_id``, and any of clip_id, language, group, gender, age, native_language, split, portrait, rendered,
    ceiling, cluster (the video or session), the sources of the labels, and custom columns. Without a table, every audio
    file is a clip named by its path, and the first folder below the root is its speaker. A ``labels.csv`` that names no
    file gives the labels of these speakers or clips.
    """
    path = find_file(root, [], table) if table else _table_in(root)
    unread = _unread(root, path)
    if path is None:
        return _by_folders(root, unread)
    rows = read_labels(path, FILE_COLUMNS)
    if table or {*FILE_COLUMNS} & {*rows.frame}:
        return _by_table(root, rows, unread)
    return with_labels(_by_folders(root, unread), path)


def _table_in(root: Path) -> Path | None:
    """The table of labels in a folder: ``labels`` with the suffix of a text table, in any case.

    Raises
    ------
    CohortError
        If there are several, or only one in a format that is not read.
    """
    named = sorted(entry for entry in root.iterdir() if entry.stem.casefold() == "labels" and entry.is_file())
    tables = [entry for entry in named if suffix_of(entry.name) in TEXT_TABLES]
    other = [entry.name for entry in named if suffix_of(entry.name) in OTHER_TABLES]
    allowed = f"one table {TABLE}, saved as CSV UTF-8, or --option table=FILE"
    if len(tables) > 1:
        raise CohortError([f"{root} has the tables {', '.join(entry.name for entry in tables)}."], allowed)
    if other and not tables:
        raise CohortError([f"{root} has the table {other[0]}, a format that is not read."], allowed)
    return tables[0] if tables else None


def _unread(root: Path, path: Path | None) -> tuple[str, ...]:
    """Remark on the tables in the folder that are not read."""
    kinds = (".csv", ".tsv", *OTHER_TABLES)
    entries = sorted(entry for entry in root.iterdir() if suffix_of(entry.name) in kinds and entry.is_file())
    names = [entry.name for entry in entries if path is None or entry.name != path.name]
    remark = (
        f"The adapter did not read {', '.join(names[:5])}: a table with a row per clip is named {TABLE} or given with "
        "--option table=FILE, and labels of speakers are given with --labels."
    )
    return counted((len(names), remark))


def _by_folders(root: Path, unread: tuple[str, ...]) -> Imported:
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
    n = int(twice.sum())
    both = f"{n} files differ from another in the extension only; each is a clip. Remove one if they are copies."
    remarks = counted((loose, left_out), (n, both))
    speakers = pd.DataFrame({"speaker_id": sorted(clips["speaker_id"].unique())})
    return Imported(speakers, clips, NOTES, (*remarks, *found.remarks(), *unread))


def _by_table(root: Path, given: UserTable, unread: tuple[str, ...]) -> Imported:
    file, table, disk = given.file, given.frame.copy(), Disk(root)
    if table.empty:
        raise CohortError([f"{file} has no row below its heading."], "one row per clip")
    if "speaker_id" not in table or not {"audio", "rendered"} & {*table}:
        lacking = [name for name in ("audio", "speaker_id") if name not in table]
        raise CohortError(
            [f"{file} has no column {' and no column '.join(map(repr, lacking))}. {given.headings}."],
            "the columns audio (or rendered, for pictures only) and speaker_id, and one row per clip",
        )
    if "audio" not in table:
        table["audio"] = ""
    remarks = [*given.remarks]
    paths = [name for name in FILE_COLUMNS if name in table]
    for column in paths:
        table[column], said = resolved(table[column], disk)
        remarks += [f"{file}: {remark}" for remark in said]
    pictured = table["rendered"] != "" if "rendered" in table else pd.Series(False, index=table.index)
    blank = (table["audio"] == "") & ~pictured
    empty = (
        f"{int(blank.sum())} rows of {file} have neither audio nor a picture in the column rendered and were left out."
    )
    remarks += counted((int(blank.sum()), empty))
    table = table[~blank].copy()
    errors = label_errors(table, file)
    check_agreement(table, file, errors)
    if "clip_id" in table:
        check_ids(file, table["clip_id"], errors)
    else:
        table["clip_id"] = _ids(table)
        silent = int((table["audio"] == "").sum())
        remarks += counted((silent, f"{silent} rows of {file} have no audio: their clip_id is made from the picture."))
        for i in table.index[table["clip_id"].duplicated()]:
            found = f"there is no column clip_id, and the file of {table['clip_id'][i]!r} is also in an earlier row"
            errors.add(file, i + 2, found, "a column clip_id with a unique id in each row")
    for i in table.index[table["speaker_id"] == ""]:
        errors.add(file, i + 2, "speaker_id is empty", "the id of the speaker")
    for column in paths:
        outside = table[column].map(_is_outside).astype(bool)
        for i, value in table.loc[outside, column].items():
            found = f"{column} {value!r} is outside the folder"
            errors.add(file, int(str(i)) + 2, found, "a path relative to the folder")
    errors.stop(NEXT_STEP)

    absent, which = missing(table["audio"], disk)
    kept, n = table[~absent], int(absent.sum())
    if kept.empty:
        message = f"{file} names no audio file that is in {root}"
        raise CohortError([f"{message}, {which}" if which else f"{message}."], "paths relative to the folder")
    left_out = f"{n} rows of {file} name an audio file that does not exist and were left out, {which}"
    remarks += counted((n, left_out))
    labels = [name for name in (*SPEAKER_LABELS, "group_source", "gender_source") if name in kept]
    # groupby().first() takes the first label that is not missing
    speakers = kept.replace("", None).groupby("speaker_id")[labels].first().astype(object).fillna("").reset_index()
    speakers = speakers.replace({"group": {"": UNKNOWN}, "gender": {"": UNKNOWN}})
    clips = kept.drop(columns=labels).reset_index(drop=True).replace({"language": {"": "und"}})
    return Imported(speakers, clips, NOTES, (*remarks, *unread))


def _ids(table: pd.DataFrame) -> pd.Series:
    """Ids of clips: the path of the audio without its suffix; with it, where two have the same.

    A row without audio has the path of its picture, and the language where rows of several languages share a picture.
    """
    ids = table["audio"].str.rsplit(".", n=1).str[0].str.strip("/")
    ids = ids.where(~ids.duplicated(keep=False), table["audio"])
    silent = table["audio"] == ""
    if "rendered" not in table or not silent.any():
        return ids
    pictures = table.loc[silent, "rendered"].str.rsplit(".", n=1).str[0]
    if "language" in table:
        pictures = pictures.where(~pictures.duplicated(keep=False), pictures + ":" + table.loc[silent, "language"])
    return ids.where(~silent, pictures)


def _is_outside(value: str) -> bool:
    path = PurePosixPath(value.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or "\0" in value


ADAPTER = Part(
    name="folder",
    summary="your own audio: <speaker>/*.wav, or a table labels.csv with a row per clip",
    value=read_folder,
)
