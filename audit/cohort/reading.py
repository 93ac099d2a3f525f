"""Reading a cohort from disk: every fault named with file, row, what was found and what is allowed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from audit.cohort.cohort import Cohort, CohortNotes
from audit.errors import CohortError, did_you_mean
from audit.vocabulary import GENDERS, LABEL_SOURCES, RACES, UNKNOWN, group_members, is_language

UNSTATED = "unstated"
"""The source of a label whose source the cohort does not state."""

SPEAKER_COLUMNS = (
    "speaker_id",
    "group",
    "gender",
    "age",
    "portrait",
    "group_source",
    "gender_source",
    "native_language",
    "split",
)
CLIP_COLUMNS = ("clip_id", "speaker_id", "audio", "language", "language_source", "portrait", "rendered", "ceiling")
REQUIRED = {"speakers": ("speaker_id", "group"), "clips": ("clip_id", "speaker_id", "audio", "language")}
SHOWN_FAULTS = 50
"""So many faults are spelled out; the rest are counted."""


class Faults:
    """Collects every fault of a cohort, so that the user mends all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, file: str, row: int | None, found: str, allowed: str) -> None:
        """One fault: ``row`` counts lines of the file, the header being line 1."""
        place = file if row is None else f"{file}, row {row}"
        self.found.append(f"{place}: {found}; allowed: {allowed}.")

    def stop(self) -> None:
        """Raise :class:`CohortError` if there is any fault."""
        if self.found:
            more = len(self.found) - SHOWN_FAULTS
            shown = self.found[:SHOWN_FAULTS] + ([f"... and {more} more."] if more > 0 else [])
            raise CohortError(shown, next_step="Mend the table and try again: audit cohort check DIR.")


def read_cohort(folder: Path) -> Cohort:
    """The cohort in a folder; see :meth:`audit.Cohort.read`."""
    if not os.path.isdir(folder):  # noqa: PTH112  # Path raises at too long a name
        raise CohortError(
            [f"{folder} is no folder."],
            "a folder with speakers.csv and clips.csv",
            "Make one: audit cohort import ADAPTER ROOT -o DIR.",
        )
    faults = Faults()
    notes = _read_notes(folder / "cohort.toml")
    speakers_file, speakers = _read_table(folder, "speakers")
    clips_file, clips = _read_table(folder, "clips")
    for file, frame in ((speakers_file, speakers), (clips_file, clips)):
        _require_columns(file, frame, faults)
    faults.stop()

    speakers = _with_columns(speakers, SPEAKER_COLUMNS)
    clips = _with_columns(clips, CLIP_COLUMNS)
    roots = _allowed_roots(folder, notes)
    _check_speakers(speakers_file, speakers, folder, roots, faults)
    _check_clips(clips_file, clips, set(speakers["speaker_id"]), folder, roots, faults)
    faults.stop()

    speakers["age"] = pd.to_numeric(speakers["age"].replace("", None)).astype("float64")
    speakers["gender"] = speakers["gender"].replace("", UNKNOWN)
    for frame, columns in ((speakers, ("group_source", "gender_source")), (clips, ("language_source",))):
        for column in columns:
            frame[column] = frame[column].replace("", UNSTATED)
    return Cohort(
        folder,
        speakers.sort_values("speaker_id", ignore_index=True),
        clips.sort_values("clip_id", ignore_index=True),
        notes,
    )


def _read_notes(path: Path) -> CohortNotes:
    if not path.is_file():
        return CohortNotes()
    try:
        return CohortNotes.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CohortError([f"cohort.toml is no TOML: {error}."]) from error
    except ValidationError as error:
        fields = ", ".join(CohortNotes.model_fields)
        faults = [f"cohort.toml, {'.'.join(map(str, e['loc']))}: {e['msg']}." for e in error.errors()]
        raise CohortError(faults, f"the keys {fields}") from error


def _read_table(folder: Path, stem: str) -> tuple[str, pd.DataFrame]:
    """A table as text, empty where a cell is missing; whitespace around a value is no part of it."""
    csv, parquet = folder / f"{stem}.csv", folder / f"{stem}.parquet"
    if csv.is_file() and parquet.is_file():
        raise CohortError([f"{folder} holds both {csv.name} and {parquet.name}."], "one of the two")
    if csv.is_file():
        try:
            frame = pd.read_csv(csv, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
        except UnicodeDecodeError as error:
            raise CohortError(
                [f"{csv.name} is not UTF-8: {error}."], "UTF-8, with or without a byte-order mark"
            ) from error
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise CohortError([f"{csv.name} is no CSV: {error}."], "a header and one row a line") from error
    elif parquet.is_file():
        try:
            frame = pd.read_parquet(parquet)
            frame = frame.astype(object).where(frame.notna(), "").astype(str)
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            raise CohortError([f"{parquet.name} is no Parquet file: {error}."]) from error
        csv = parquet
    else:
        raise CohortError(
            [f"{folder} holds neither {csv.name} nor {parquet.name}."],
            "one of the two",
            "Make a cohort: audit cohort import ADAPTER ROOT -o DIR.",
        )
    frame = frame.fillna("").rename(columns=str.strip)
    return csv.name, frame.apply(lambda column: column.str.strip())


def _require_columns(file: str, frame: pd.DataFrame, faults: Faults) -> None:
    for column in REQUIRED[file.split(".", maxsplit=1)[0]]:
        if column not in frame:
            faults.add(
                file,
                None,
                f"the column {column!r} is missing{did_you_mean(column, frame.columns)}",
                f"columns {', '.join(REQUIRED[file.split('.', maxsplit=1)[0]])}",
            )
    for column in frame.columns[frame.columns.duplicated()]:
        faults.add(file, None, f"the column {column!r} stands twice", "each column once")


def _with_columns(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    return frame.assign(**{column: "" for column in columns if column not in frame})


def _allowed_roots(folder: Path, notes: CohortNotes) -> tuple[str, ...]:
    roots = [os.path.realpath(folder)]
    if "\0" in notes.files:
        raise CohortError([f"cohort.toml, files: {notes.files!r} is no path."], "a folder that the cohort links to")
    if notes.files:
        roots.append(os.path.realpath(folder / notes.files))
    return tuple(root.rstrip(os.sep) + os.sep for root in roots)


def _check_speakers(file: str, frame: pd.DataFrame, folder: Path, roots: tuple[str, ...], faults: Faults) -> None:
    _check_ids(file, frame["speaker_id"], faults)
    _check_values(file, frame["group"], _is_group, _group_words, faults)
    _check_values(
        file,
        frame["gender"],
        {"", UNKNOWN, *GENDERS}.__contains__,
        lambda _: f"{', '.join(GENDERS)} or {UNKNOWN}",
        faults,
    )
    _check_values(file, frame["age"], _is_age, lambda _: "years from 0 to 120, or empty", faults)
    _check_values(
        file,
        frame["native_language"],
        lambda code: code == "" or is_language(code),
        lambda _: "a BCP-47 code such as en or zh-TW, or empty",
        faults,
    )
    for column in ("group_source", "gender_source"):
        _check_values(
            file,
            frame[column],
            {"", UNSTATED, *LABEL_SOURCES}.__contains__,
            lambda _: f"{', '.join(LABEL_SOURCES)}, or empty",
            faults,
        )
    _check_paths(file, frame["portrait"], folder, roots, faults)


def _check_clips(
    file: str, frame: pd.DataFrame, speakers: set[str], folder: Path, roots: tuple[str, ...], faults: Faults
) -> None:
    _check_ids(file, frame["clip_id"], faults)
    _check_values(
        file, frame["speaker_id"], speakers.__contains__, lambda _: "a speaker_id of the speakers' table", faults
    )
    _check_values(file, frame["language"], is_language, lambda _: "a BCP-47 code such as en or zh-TW", faults)
    _check_values(
        file,
        frame["language_source"],
        {"", UNSTATED, *LABEL_SOURCES}.__contains__,
        lambda _: f"{', '.join(LABEL_SOURCES)}, or empty",
        faults,
    )
    for column in ("audio", "portrait", "rendered", "ceiling"):
        _check_paths(file, frame[column], folder, roots, faults)
    heard = (frame["audio"] != "") | (frame["rendered"] != "")
    for i in frame.index[~heard]:
        faults.add(file, i + 2, "audio is empty", "a path, or at least a picture in the column rendered")


def _check_ids(file: str, ids: pd.Series, faults: Faults) -> None:
    for i in ids.index[ids == ""]:
        faults.add(file, i + 2, f"{ids.name} is empty", "a name of its own for each row")
    for i in ids.index[ids.duplicated() & (ids != "")]:
        first = ids.index[ids == ids[i]][0]
        faults.add(file, i + 2, f"{ids.name} {ids[i]!r} stands already in row {first + 2}", "each once")


def _check_values(
    file: str, column: pd.Series, good: Callable[[str], bool], allowed: Callable[[str], str], faults: Faults
) -> None:
    for value in column.unique():
        if not good(value):
            for i in column.index[column == value]:
                faults.add(file, i + 2, f"{column.name} {value!r}", allowed(value))


def _is_group(value: str) -> bool:
    try:
        group_members(value)
    except ValueError:
        return False
    return True


def _group_words(value: str) -> str:
    hint = did_you_mean(value.lower().replace(" ", "_"), [*RACES, UNKNOWN])
    return f"{', '.join(RACES)}, several of them joined with |, or {UNKNOWN}{hint}"


def _is_age(value: str) -> bool:
    if value == "":
        return True
    try:
        return 0 <= float(value) <= 120
    except ValueError:
        return False


def _check_paths(file: str, column: pd.Series, folder: Path, roots: tuple[str, ...], faults: Faults) -> None:
    """A path may not leave the cohort, neither by its words nor through a link."""
    allowed = "a path inside the cohort's folder, relative to it"
    for i, value in zip(column.index[column != ""], column[column != ""], strict=True):
        path = PurePosixPath(value.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or "\0" in value:
            faults.add(file, i + 2, f"{column.name} {value!r} leads out of the folder", allowed)
        elif not os.path.realpath(folder / value).startswith(roots):
            faults.add(file, i + 2, f"{column.name} {value!r} leads out of the folder through a link", allowed)
