"""Reading of the metadata files of data sets, and joining with the speakers of a download."""

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
"""Words of the data sets for the supported genders; all others are unknown."""


def find_file(root: Path, names: Iterable[str], given: str = "") -> Path | None:
    """Find a metadata file: the given one, else the first of some names in the root, its subfolders or its parent.

    Raises
    ------
    AuditError
        If a file was given and does not exist.
    """
    if given:
        for path in (Path(given), root / given):
            if path.is_file():
                return path
        raise AuditError(
            f"The file {given} does not exist.", "a path, absolute or from here or from the download's root"
        )
    below = sorted(Path(entry.path) for entry in os.scandir(root) if entry.is_dir())
    return next((p / name for p in (root, *below, root.parent) for name in names if (p / name).is_file()), None)


def read_metadata(path: Path, columns: Mapping[str, str], optional: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A table with a header, separated by tabs or commas, with or without a byte-order mark.

    Column names are compared without spaces and case, and values are stripped. In a file separated by tabs a
    quotation mark has no special meaning.

    Parameters
    ----------
    path : Path
        The file, UTF-8.
    columns : mapping of str to str
        Required columns: name in the file, and name in the result.
    optional : mapping of str to str, optional
        Optional columns in the same form; empty if missing.

    Returns
    -------
    DataFrame
        The named columns as strings, in the order of the file.

    Raises
    ------
    CohortError
        If the file cannot be read or columns are missing.
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
    """Metadata of the speakers of a download.

    Attributes
    ----------
    speakers : DataFrame
        One row per speaker with clips, sorted by id; strings, empty if the file has no value.
    without_clips : frozenset of str
        Speakers of the file without a clip.
    remarks : tuple of str
        Counts of both kinds of mismatch.
    """

    speakers: pd.DataFrame
    without_clips: frozenset[str]
    remarks: tuple[str, ...]


def known_speakers(ids_with_clips: Iterable[str], table: pd.DataFrame | None, file: str) -> Known:
    """Join a metadata table with the column ``speaker_id`` to the speakers who have clips.

    Raises
    ------
    CohortError
        If a speaker has two different rows.
    """
    ids = pd.Index(sorted(set(ids_with_clips)), name="speaker_id")
    if table is None:
        remark = f"{file} was not found in the download: its labels are unknown."
        return Known(pd.DataFrame(index=ids).reset_index(), frozenset(), (remark,))
    table = table[table["speaker_id"] != ""].drop_duplicates()
    twice = table.loc[table["speaker_id"].duplicated(), "speaker_id"].unique()
    if len(twice):
        raise CohortError([f"{file} has two different rows of {name}." for name in twice[:20]], "one row per speaker")
    table = table.set_index("speaker_id")
    absent = frozenset(table.index.difference(ids))
    unlisted = len(ids.difference(table.index))
    remarks = [
        f"{len(absent)} speakers of {file} have no clip in the download and were left out." if absent else "",
        f"{unlisted} speakers with clips are not in {file}: their labels are unknown." if unlisted else "",
    ]
    return Known(table.reindex(ids).fillna("").reset_index(), absent, tuple(filter(None, remarks)))


def with_gender(speakers: pd.DataFrame, source: str, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Speakers with gender and its source in the audit's vocabulary, and a remark on unsupported words."""
    if "gender" not in speakers:
        return speakers.assign(gender=UNKNOWN, gender_source=""), ()
    stated = speakers["gender"].str.lower()
    gender = stated.map(GENDER_WORDS).astype(object).fillna(UNKNOWN)
    others = stated[(gender == UNKNOWN) & (stated != "")]
    words = ", ".join(sorted(set(others))[:5])
    remark = f"{len(others)} speakers have a gender that is not supported in {file} ({words}); set to unknown."
    return (
        speakers.assign(gender=gender, gender_source=gender.map(lambda word: "" if word == UNKNOWN else source)),
        (remark,) if len(others) else (),
    )


def _key(name: str) -> str:
    return "".join(name.split()).lower()
