"""The table of accented clips: English clips of a cohort spoken again with the phonemes of another language.

It is an optional file of fictional cohorts for :func:`audit.probe`; audits do not read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.cohort import Cohort
from audit.cohorts.user_tables import read_user_table
from audit.core.errors import CohortError
from audit.core.languages import same_language
from audit.core.written_files import write_files

ACCENTS_FILE: Final = "accents.csv"
ACCENTS_FOLDER: Final = "accents"
_BASE: Final = "en"


@dataclass(frozen=True)
class AccentedClip:
    """A row of ``accents.csv``.

    Attributes
    ----------
    clip_id, speaker_id : str
    of : str
        The English clip that is spoken again.
    accent : str
        The language whose phonemes it has.
    audio : str
        Path relative to the cohort's folder.
    """

    clip_id: str
    speaker_id: str
    of: str
    accent: str
    audio: str

    @classmethod
    def of_clip(cls, clip_id: str, speaker_id: str, accent: str) -> AccentedClip:
        """The row of a clip that a build or a draw makes.

        Examples
        --------
        >>> AccentedClip.of_clip("s005_en1", "s005", "zh").audio
        'accents/s005_en1_zh.ogg'
        """
        name = f"{clip_id}_{accent}"
        return cls(name, speaker_id, clip_id, accent, f"{ACCENTS_FOLDER}/{name}.ogg")


COLUMNS: Final = tuple(field.name for field in fields(AccentedClip))


def write_accents(folder: Path, rows: Sequence[AccentedClip]) -> None:
    """Write ``accents.csv`` with the rows, sorted by ``clip_id``."""
    table = pd.DataFrame([asdict(row) for row in rows], columns=[*COLUMNS]).sort_values("clip_id")
    write_files(folder, {ACCENTS_FILE: table.to_csv(index=False, lineterminator="\n")})


def read_accented_clips(cohort: Cohort) -> pd.DataFrame:
    """The accented clips of a cohort's speakers, sorted by ``clip_id``; without rows if there is no ``accents.csv``.

    Returns
    -------
    DataFrame
        The columns of :class:`AccentedClip`.

    Raises
    ------
    CohortError
        If the table cannot be read, lacks a column, repeats a clip, or ``of`` is not an English clip of the speaker.
    """
    path = cohort.root / ACCENTS_FILE
    if not path.is_file():
        return pd.DataFrame(columns=[*COLUMNS], dtype=str)
    table = read_user_table(path, COLUMNS).frame
    if missing := [name for name in COLUMNS if name not in table]:
        raise CohortError(
            [f"{ACCENTS_FILE} has no column {name}." for name in missing], f"the columns {', '.join(COLUMNS)}"
        )
    table = table.loc[table["speaker_id"].isin(cohort.speakers["speaker_id"]), [*COLUMNS]]
    table = table.sort_values("clip_id", ignore_index=True)
    names = cohort.clips["clip_id"]
    speaker_of = dict(zip(names, cohort.clips["speaker_id"], strict=True))
    language_of = dict(zip(names, cohort.clips["language"], strict=True))
    taken = set(names)
    found = []
    for cells in table.itertuples(index=False, name=None):
        row = AccentedClip(*map(str, cells))
        where = f"{ACCENTS_FILE}, {row.clip_id or 'a row without clip_id'}"
        if row.clip_id in taken or not row.clip_id:
            found.append(f"{where}: another clip has this id." if row.clip_id else f"{where}.")
        if row.of not in speaker_of:
            found.append(f"{where}: the cohort has no clip {row.of!r}.")
        elif speaker_of[row.of] != row.speaker_id:
            found.append(f"{where}: {row.of} is not a clip of the speaker {row.speaker_id}.")
        elif not same_language(language_of[row.of], _BASE):
            found.append(f"{where}: {row.of} is not an English clip.")
        if not row.audio:
            found.append(f"{where}: it has no audio.")
        taken.add(row.clip_id)
    if found:
        raise CohortError(found, "in each row a new clip_id, and in of an English clip of the same speaker")
    return table
