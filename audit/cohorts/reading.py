"""Reading of a cohort from disk, with validation of both tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from audit.cohorts.at_address import DiskAtAddress, tables_of
from audit.cohorts.identified import check_identified, with_identified
from audit.cohorts.languages import with_canonical
from audit.cohorts.notes import CohortNotes, read_notes
from audit.cohorts.paths import FILE_COLUMNS, Boundary
from audit.cohorts.resolving import Disk, resolved
from audit.cohorts.user_tables import SYNONYMS, read_user_table
from audit.cohorts.validation import (
    RULES,
    UNSTATED,
    ValidationErrors,
    check_categories,
    check_ids,
    check_values,
    group_rule,
    with_spelling,
)
from audit.core.addresses import is_address
from audit.core.columns import CLUSTER, EMBEDDING, LANDMARKS, schema
from audit.core.errors import CohortError, did_you_mean
from audit.core.parquet import parquet_file
from audit.core.vocabulary import STAGES, UNKNOWN, group_members, ordered_groups
from audit.core.votes import GROUP_VOTES

SPEAKER_LABELS = ("group", "gender", "age", "native_language", "group_source", "gender_source", "split")
SPEAKER_COLUMNS = ("speaker_id", *SPEAKER_LABELS, "portrait")
CLIP_COLUMNS = ("clip_id", "speaker_id", "audio", "language", "language_source", "portrait", "rendered", "ceiling")
"""Columns that every cohort has, empty where its file lacks them."""
SHARED = frozenset({"speaker_id", "portrait"})
"""Columns that both tables may have."""
WRITTEN = {*schema((), {}).names, "portrait_of_speaker"} - {*SPEAKER_COLUMNS, *CLIP_COLUMNS}
"""Columns that a run adds, which a cohort may not have."""
NAMED = 10
"""Number of groups that a remark names; the others are counted."""
FILES = {"speakers": ("portrait",), "clips": FILE_COLUMNS}
"""Columns of each table that name files."""
KNOWN = {"speakers": (*SPEAKER_COLUMNS, GROUP_VOTES), "clips": (*CLIP_COLUMNS, CLUSTER)}
REQUIRED = {"speakers": ("speaker_id",), "clips": ("clip_id", "speaker_id", "audio", "language")}


def read_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, CohortNotes, tuple[str, ...]]:
    """Speakers, clips and notes of the cohort in a folder, validated, and remarks; see :meth:`audit.Cohort.read`."""
    if is_address(folder):
        with tables_of(folder) as copies:
            return _read_tables(copies, folder)
    return _read_tables(folder, folder)


def _read_tables(folder: Path, root: Path) -> tuple[pd.DataFrame, pd.DataFrame, CohortNotes, tuple[str, ...]]:
    """As :func:`read_tables`, from a folder with the tables of the cohort in ``root``."""
    if not os.path.isdir(folder):  # noqa: PTH112  # Path raises at too long a name
        raise CohortError(
            [f"{folder} is not a directory."],
            "a folder with speakers.csv and clips.csv",
            "Make one: audit cohort import ADAPTER ROOT -o DIR.",
        )
    errors = ValidationErrors()
    notes = read_notes(folder / "cohort.toml")
    disk = Disk(folder) if root is folder else DiskAtAddress(root)
    speakers_file, speakers, of_speakers = _read_table(folder, "speakers", disk)
    clips_file, clips, of_clips = _read_table(folder, "clips", disk)
    for file, frame in ((speakers_file, speakers), (clips_file, clips)):
        _require_columns(file, frame, errors)
    errors.stop()

    without_group = () if "group" in speakers else (f"{speakers_file} has no column group: every group is {UNKNOWN}.",)
    speakers = _with_columns(speakers, SPEAKER_COLUMNS)
    clips = _with_columns(clips, CLIP_COLUMNS)
    if without_group:
        speakers["group"] = UNKNOWN
    boundary = Boundary(folder if root is folder else None, tuple(filter(None, (notes.files, notes.portraits))))
    _check_tables(speakers_file, speakers, clips_file, clips, errors)
    _check_speakers(speakers_file, speakers, boundary, notes, errors)
    _check_clips(clips_file, clips, set(speakers["speaker_id"]), boundary, errors)
    _check_categories(((speakers_file, speakers), (clips_file, clips)), notes, errors)
    errors.stop()

    for column in notes.categories:
        for frame in (speakers, clips):
            if column in frame:
                frame[column] = frame[column].replace(notes.in_words(column))
    speakers["age"] = pd.to_numeric(speakers["age"].replace("", None)).astype("float64")
    speakers["gender"] = speakers["gender"].replace("", UNKNOWN)
    for frame, columns in ((speakers, ("group_source", "gender_source")), (clips, ("language_source",))):
        for column in columns:
            frame[column] = frame[column].replace("", UNSTATED)
    speakers = with_canonical(speakers, "native_language")
    clips = with_identified(with_canonical(clips, "language")).sort_values("clip_id", ignore_index=True)
    remarks = (*of_speakers, *of_clips, *without_group, *_free_groups(speakers, speakers_file, notes))
    return speakers.sort_values("speaker_id", ignore_index=True), clips, notes, remarks


def _free_groups(speakers: pd.DataFrame, file: str, notes: CohortNotes) -> tuple[str, ...]:
    """A remark on the groups that are not race labels; none without such groups."""
    groups = ordered_groups(speakers["group"], notes.order.get("group", ()))
    free = [group for group in groups if group != UNKNOWN and not group_members(group)]
    if not free:
        return ()
    n, more = int(speakers["group"].isin(free).sum()), f" and {len(free) - NAMED} more" if len(free) > NAMED else ""
    return (
        f"The group of {n} speakers of {file} is not a race label: {', '.join(free[:NAMED])}{more}. Checks about race "
        "labels leave them out.",
    )


def _read_table(folder: Path, stem: str, disk: Disk) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
    """File name, table as stripped strings, empty if a cell is missing, and remarks on how it was read."""
    file, frame, remarks = _stripped(folder, stem)
    frame, said = with_spelling(frame, file)
    remarks = (*remarks, *said)
    files = [name for name in FILES[stem] if name in set(frame.columns)]
    if frame.columns.duplicated().any():
        return file, frame, remarks  # an error
    for column in files:
        values = frame[column]
        unusual = values.str.contains(r"\\|^/|^\./|/\./|//|[^\x00-\x7f]", regex=True)
        if unusual.any():
            found, said = resolved(values[unusual], disk)
            frame = frame.assign(**{column: values.where(~unusual, found)})
            remarks = (*remarks, *(f"{file}: {remark}" for remark in said))
    return file, frame, remarks


def _stripped(folder: Path, stem: str) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
    csv, parquet = folder / f"{stem}.csv", folder / f"{stem}.parquet"
    for path in (csv, parquet):
        if path.exists() and not path.is_file():
            raise CohortError([f"{path.name} is not a regular file."], "a CSV or Parquet file")
    if csv.is_file() and parquet.is_file():
        raise CohortError([f"{folder} has both {csv.name} and {parquet.name}."], "one of the two")
    if csv.is_file():
        read = read_user_table(csv, KNOWN[stem], synonyms=[name for name in SYNONYMS if name in KNOWN[stem]])
        return csv.name, read.frame, read.remarks
    if parquet.is_file():
        try:
            with parquet_file(parquet) as file:
                frame = file.read().to_pandas()
            frame = frame.astype(object).where(frame.notna(), "").astype(str)
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise CohortError([f"{parquet.name} is not a Parquet file: {error}."]) from error
        csv = parquet
    else:
        raise CohortError(
            [f"{folder} has neither {csv.name} nor {parquet.name}."],
            "one of the two",
            "Make a cohort: audit cohort import ADAPTER ROOT -o DIR.",
        )
    frame = frame.fillna("").rename(columns=str.strip)
    return csv.name, frame.apply(lambda column: column.str.strip()), ()


def _require_columns(file: str, frame: pd.DataFrame, errors: ValidationErrors) -> None:
    required = REQUIRED[Path(file).stem]
    for column in required:
        if column not in frame:
            found = f"the column {column!r} is missing{did_you_mean(column, frame.columns)}"
            errors.add(file, None, found, f"columns {', '.join(required)}")
    for column in frame.columns[frame.columns.duplicated()]:
        errors.add(file, None, f"the column {column!r} occurs twice", "unique column names")


def _check_tables(
    speakers_file: str, speakers: pd.DataFrame, clips_file: str, clips: pd.DataFrame, errors: ValidationErrors
) -> None:
    """Add an error for columns in the wrong table or in both, and for names that a run uses."""
    if CLUSTER in speakers:
        errors.add(speakers_file, None, f"the column {CLUSTER!r} belongs to clips", f"only in {clips_file}")
        speakers = speakers.drop(columns=CLUSTER)
    for column in sorted({*speakers} & {*clips} - SHARED):
        if column in SPEAKER_COLUMNS:
            errors.add(clips_file, None, f"the column {column!r} belongs to speakers", f"only in {speakers_file}")
        elif column in CLIP_COLUMNS:
            errors.add(speakers_file, None, f"the column {column!r} belongs to clips", f"only in {clips_file}")
        else:
            errors.add(clips_file, None, f"the column {column!r} is also in {speakers_file}", "in one of the two")
    for file, frame in ((speakers_file, speakers), (clips_file, clips)):
        for column in filter(_is_written, map(str, frame)):
            errors.add(file, None, f"the column name {column!r} is reserved for runs", "another name")


def _is_written(column: str) -> bool:
    """Whether a run may have a column of that name."""
    similarity = tuple(f"{stage}_similarity" for stage in STAGES)
    return column in WRITTEN or EMBEDDING in column or LANDMARKS in column or column.startswith(similarity)


def _with_columns(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    return frame.assign(**{column: "" for column in columns if column not in frame})


def _check_speakers(
    file: str, frame: pd.DataFrame, boundary: Boundary, notes: CohortNotes, errors: ValidationErrors
) -> None:
    check_ids(file, frame["speaker_id"], errors)
    for column in (*SPEAKER_LABELS, *([GROUP_VOTES] if GROUP_VOTES in frame else [])):
        rule = group_rule(notes.in_words("group")) if column == "group" else RULES[column]
        check_values(file, frame[column], rule, errors)
    boundary.check(file, frame["portrait"], errors)


def _check_categories(tables: Iterable[tuple[str, pd.DataFrame]], notes: CohortNotes, errors: ValidationErrors) -> None:
    """Add an error for declared categories of a column that no table has, and for values that are not declared."""
    for column in notes.categories:
        of_column = [(file, frame) for file, frame in tables if column in frame]
        if not of_column:
            columns = ", ".join(sorted({str(name) for _, frame in tables for name in frame}))
            errors.add("cohort.toml", None, f"categories of the column {column!r}, which no table has", columns)
        for file, frame in of_column:
            check_categories(file, frame[column], notes.in_words(column), errors)


def _check_clips(
    file: str, frame: pd.DataFrame, speakers: set[str], boundary: Boundary, errors: ValidationErrors
) -> None:
    check_ids(file, frame["clip_id"], errors)
    known = (speakers.__contains__, lambda _: "a speaker_id of the speakers' table")
    check_values(file, frame["speaker_id"], known, errors)
    for column in ("language", "language_source"):
        check_values(file, frame[column], RULES[column], errors)
    check_identified(file, frame, errors)
    for column in FILES["clips"]:
        boundary.check(file, frame[column], errors)
    present = (frame["audio"] != "") | (frame["rendered"] != "")
    for i in frame.index[~present]:
        errors.add(file, i + 2, "audio is empty", "a path, or at least a picture in the column rendered")
