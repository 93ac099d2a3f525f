"""The metadata files that data sets come with: reading them as they are served, and joining them to what is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.texts import read_texts
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.vocabulary import UNKNOWN

GENDER_WORDS: Final = {
    **dict.fromkeys(("m", "male", "man", "male_masculine"), "man"),
    **dict.fromkeys(("f", "female", "woman", "female_feminine"), "woman"),
}
"""The words of the data sets for the two genders that the audit knows; all others are unknown."""


def find_file(root: Path, names: Iterable[str], given: str = "") -> Path | None:
    """A metadata file: the one that was given, else the first of some names in the root, one below it or beside it.

    Raises
    ------
    AuditError
        If a file was given and is not there.
    """
    if given:
        for path in (Path(given), root / given):
            if path.is_file():
                return path
        raise AuditError(f"There is no file {given}.", "a path, absolute or from here or from the download's root")
    below = sorted(Path(entry.path) for entry in os.scandir(root) if entry.is_dir())
    return next((p / name for p in (root, *below, root.parent) for name in names if (p / name).is_file()), None)


def read_metadata(path: Path, columns: Mapping[str, str], optional: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A table with a header, separated by tabs or commas, with or without a byte-order mark.

    Names of columns are compared without spaces and case; spaces around a value are no part of it. In a file
    separated by tabs a quotation mark is a letter like others.

    Parameters
    ----------
    path : Path
        The file, UTF-8.
    columns : mapping of str to str
        The name in the file of each column that must be there, and the name that it gets.
    optional : mapping of str to str, optional
        The same for columns that may be missing; they are empty then.

    Returns
    -------
    DataFrame
        The named columns only, texts, in the file's order of rows.

    Raises
    ------
    CohortError
        If the file cannot be read, or a column is missing: with everything that is wrong at once.
    """
    try:
        with path.open("rb") as file:
            tab = b"\t" in file.readline(1 << 16)
    except OSError as error:
        raise CohortError([f"{path.name} cannot be read: {error.strerror}."]) from error
    frame = read_texts(path, tab=tab)
    by_key = {_key(str(name)): str(name) for name in reversed(frame.columns)}
    wanted = {**columns, **(optional or {})}
    missing = [name for name in columns if _key(name) not in by_key]
    if missing:
        stated = list(frame.columns)
        raise CohortError(
            [f"{path.name} has no column {name!r}{did_you_mean(name, stated)}." for name in missing],
            f"the columns {', '.join(columns)}; it has {', '.join(stated[:20])}",
        )
    found = {ours: frame[by_key[_key(theirs)]] if _key(theirs) in by_key else "" for theirs, ours in wanted.items()}
    return pd.DataFrame(found, index=frame.index)


@dataclass(frozen=True)
class Known:
    """What a metadata file says of the speakers who are here.

    Attributes
    ----------
    speakers : DataFrame
        One row a speaker with clips, in the order of ids; texts, empty where the file says nothing.
    without_clips : frozenset of str
        Speakers of the file of whom no clip is here.
    remarks : tuple of str
        The counts of both mismatches.
    """

    speakers: pd.DataFrame
    without_clips: frozenset[str]
    remarks: tuple[str, ...]


def known_speakers(heard: Iterable[str], table: pd.DataFrame | None, file: str) -> Known:
    """Join a metadata table with the column ``speaker_id`` to the speakers who have clips.

    Raises
    ------
    CohortError
        If the table says two different things of one speaker.
    """
    ids = pd.Index(sorted(set(heard)), name="speaker_id")
    if table is None:
        remark = f"There is no {file} in the download: what it says of the speakers is unknown."
        return Known(pd.DataFrame(index=ids).reset_index(), frozenset(), (remark,))
    table = table[table["speaker_id"] != ""].drop_duplicates()
    twice = table.loc[table["speaker_id"].duplicated(), "speaker_id"].unique()
    if len(twice):
        raise CohortError([f"{file} has two different rows of {name}." for name in twice[:20]], "one row a speaker")
    table = table.set_index("speaker_id")
    absent = frozenset(table.index.difference(ids))
    unlisted = len(ids.difference(table.index))
    remarks = [
        f"{len(absent)} speakers of {file} have no clip here and were left out." if absent else "",
        f"{unlisted} speakers with clips are not in {file}: what it says of others is unknown of them."
        if unlisted
        else "",
    ]
    return Known(table.reindex(ids).fillna("").reset_index(), absent, tuple(filter(None, remarks)))


def with_gender(speakers: pd.DataFrame, source: str, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The column ``gender`` in the audit's words with its source, and a sentence on words that it has not."""
    if "gender" not in speakers:
        return speakers.assign(gender=UNKNOWN, gender_source=""), ()
    stated = speakers["gender"].str.lower()
    gender = stated.map(GENDER_WORDS).astype(object).fillna(UNKNOWN)
    others = stated[(gender == UNKNOWN) & (stated != "")]
    remark = (
        f"{len(others)} speakers have another gender in {file} ({', '.join(sorted(set(others))[:5])}): unknown here."
    )
    return (
        speakers.assign(gender=gender, gender_source=gender.map(lambda word: "" if word == UNKNOWN else source)),
        (remark,) if len(others) else (),
    )


def _key(name: str) -> str:
    return "".join(name.split()).lower()
