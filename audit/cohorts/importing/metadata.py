"""Reading of the metadata files of data sets, and joining with the speakers of a download."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.texts import read_texts
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.opening import open_regular
from audit.core.vocabulary import UNKNOWN

GENDER_WORDS: Final = {
    **dict.fromkeys(("m", "male", "man", "male_masculine"), "man"),
    **dict.fromkeys(
        ("f", "female", "woman", "female_feminine", "famale"), "woman"
    ),  # famale: the Speech Accent Archive
}
"""Words of the data sets for the supported genders; all others are unknown."""


def find_file(root: Path, names: Iterable[str], given: str = "") -> Path | None:
    """Find a metadata file: the given one, else the first of some names in the root, its subfolders or its parent."""
    if given:
        for path in (Path(given), root / given):
            if path.is_file():
                return path
        allowed = "a path, absolute or from here or from the download's root"
        raise AuditError(f"The file {given} does not exist.", allowed)
    below = sorted(Path(entry.path) for entry in os.scandir(root) if entry.is_dir())
    return next((p / name for p in (root, *below, root.parent) for name in names if (p / name).is_file()), None)


def read_metadata(
    path: Path, columns: Mapping[str, str], optional: Mapping[str, str] | None = None, *, spaces: bool = False
) -> pd.DataFrame:
    """A table with a header, separated by tabs, commas or ``spaces``, with or without a byte-order mark.

    ``columns`` are required: name in the file, and name in the result; ``optional`` ones are empty if missing. Column
    names are compared without spaces and case, and values are stripped strings. In a file separated by tabs a quotation
    mark has no special meaning.
    """
    try:
        with open_regular(path) as file:
            tab = b"\t" in file.readline(1 << 16)
    except OSError as error:
        raise CohortError([f"{path.name} cannot be read: {error.strerror}."]) from error
    return choose_columns(read_texts(path, tab=tab, spaces=spaces), path.name, columns, optional)


def choose_columns(
    frame: pd.DataFrame, file: str, columns: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """The required and optional columns of a table, as in `read_metadata`; ``file`` is its name in errors."""
    by_key = {_key(str(name)): str(name) for name in reversed(frame.columns)}
    wanted = {**columns, **(optional or {})}
    missing = [name for name in columns if _key(name) not in by_key]
    if missing:
        stated = list(frame.columns)
        raise CohortError(
            [f"{file} has no column {name!r}{did_you_mean(name, stated)}." for name in missing],
            f"the columns {', '.join(columns)}; it has {', '.join(stated[:20])}",
        )
    found = {ours: frame[by_key[_key(theirs)]] if _key(theirs) in by_key else "" for theirs, ours in wanted.items()}
    return pd.DataFrame(found, index=frame.index)


@dataclass(frozen=True)
class SpeakerFile:
    """A metadata file of a data set with one row per speaker; ``columns`` and ``optional`` as in `read_metadata`."""

    names: tuple[str, ...]
    """File names of the versions of the data set."""
    columns: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    """Columns with names of folders of pictures; they are not part of the cohort."""
    ids: tuple[str, ...] = ()
    """Columns with ids in other data sets, named as the kind of id; they are not part of the cohort."""
    spaces: bool = False
    """Whether spaces separate the columns, instead of tabs or commas."""
    folder_id: Callable[[str], str] = str
    """Function from a speaker's id in the file to the id in the download."""

    def imported(
        self, root: Path, clips: pd.DataFrame, notes: CohortNotes, remarks: Iterable[str] = (), given: str = ""
    ) -> Imported:
        """Clips with the metadata of their speakers; the file is found by :func:`find_file`.

        Words for a gender are replaced by the audit's, with the source ``metadata``. Without the file nothing is known.

        Raises
        ------
        AuditError
            If a file was given and does not exist.
        CohortError
            If the file cannot be read, or a speaker has two different rows.
        """
        ids = pd.Index(sorted(clips["speaker_id"].unique()), name="speaker_id")
        path = find_file(root, self.names, given)
        if path is None:
            missing = f"{' or '.join(self.names)} was not found in the download: its labels are unknown."
            speakers = pd.DataFrame({"speaker_id": ids, "gender": UNKNOWN, "gender_source": ""})
            return Imported(speakers, clips, notes, (*remarks, missing))
        file, table = path.name, read_metadata(path, self.columns, self.optional, spaces=self.spaces)
        table = table.assign(speaker_id=table["speaker_id"].map(self.folder_id))
        table = table[table["speaker_id"] != ""].drop_duplicates()
        twice = table.loc[table["speaker_id"].duplicated(), "speaker_id"].unique()
        if len(twice):
            errors = [f"{file} has two different rows of {name}." for name in twice[:20]]
            raise CohortError(errors, "one row per speaker")
        table = table.set_index("speaker_id")
        absent, unlisted = frozenset(table.index.difference(ids)), len(ids.difference(table.index))
        speakers = table.reindex(ids).fillna("")
        stated = speakers["gender"].str.lower()
        gender = stated.map(GENDER_WORDS).astype(object).fillna(UNKNOWN)
        others = stated[(gender == UNKNOWN) & (stated != "")]
        words = ", ".join(sorted(set(others))[:5])
        odd = f"{len(others)} speakers have a gender that is not supported in {file} ({words}); set to unknown."
        mismatches = counted(
            (len(absent), f"{len(absent)} speakers of {file} have no clip in the download and were left out."),
            (unlisted, f"{unlisted} speakers with clips are not in {file}: their labels are unknown."),
            (len(others), odd),
        )
        named = speakers[[*self.folders]].itertuples()
        ids_of = {kind: {str(name): str(key) for name, key in speakers[kind].items() if key} for kind in self.ids}
        return Imported(
            speakers.drop(columns=[*dict.fromkeys((*self.folders, *self.ids))])
            .assign(gender=gender, gender_source=gender.where(gender == UNKNOWN, "metadata").replace(UNKNOWN, ""))
            .reset_index(),
            clips,
            notes,
            (*remarks, *mismatches),
            folders={str(row[0]): tuple(filter(None, row[1:])) for row in named},
            ids=ids_of,
            without_clips=absent,
        )


def _key(name: str) -> str:
    return "".join(name.split()).lower()
