"""Removing one speaker from the tables of a cohort, and what of the speaker is left in its folder."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.cohorts.cohort import Cohort
from audit.cohorts.encodings import decoded
from audit.cohorts.paths import FILE_COLUMNS
from audit.cohorts.user_tables import DELIMITERS, read_user_table
from audit.core.errors import CohortError
from audit.core.files import file_digest, write_whole, writing
from audit.core.pictures import picture_digest, read_picture

TABLES: Final = ("speakers", "clips")
SPEAKER: Final = "speaker_id"
_SEARCHED: Final = frozenset({".csv", ".json", ".jsonl", ".toml", ".txt", ".md", ".tsv"})
_MOST_SEARCHED: Final = 256 * 2**20


@dataclass(frozen=True)
class LeftCohort:
    """What a speaker had in a cohort.

    Attributes
    ----------
    clip_ids : tuple of str
        The removed clips.
    audio : frozenset of str
        The sha256 of the speaker's audio files that no other speaker's clips name.
    portraits : frozenset of str
        The digests of the pixels of the speaker's pictures.
    files : tuple of str
        Files of the speaker that no other row names, relative to the folder. They are not removed: they are the
        user's.
    mentions : tuple of str
        Further text files in the folder that contain the speaker's id.
    """

    clip_ids: tuple[str, ...]
    audio: frozenset[str]
    portraits: frozenset[str]
    files: tuple[str, ...]
    mentions: tuple[str, ...]


def remove_from_cohort(folder: Path, speaker: str) -> LeftCohort:
    """Remove the rows of a speaker from both tables of a cohort; all other lines keep their bytes.

    Raises
    ------
    CohortError
        If the folder is not a cohort, has no such speaker, or would be left without speakers.
    """
    cohort = Cohort.read(folder)
    is_known = cohort.speakers[SPEAKER] == speaker
    if not is_known.any():
        raise CohortError([f"{folder} has no speaker of that id."], f"one of its {len(is_known)} speakers")
    if is_known.all():
        raise CohortError(
            [f"{folder} has no other speaker."], "a cohort that keeps at least one", "Delete the whole folder."
        )
    files = sorted(_files(cohort, speaker) - _files(cohort, speaker, others=True))
    found = [path for path in files if (folder / path).is_file()]
    for stem in TABLES:
        for path in (folder / f"{stem}.csv", folder / f"{stem}.parquet"):
            if path.is_file():
                with writing(path, reads=True):
                    write_whole(path, without_speaker(path, speaker))
    return LeftCohort(
        tuple(cohort.clips.loc[cohort.clips[SPEAKER] == speaker, "clip_id"]),
        frozenset(file_digest(folder / path) for path in found),
        frozenset(_portraits(folder, found)),
        tuple(found),
        tuple(_mentions(folder, speaker)),
    )


def _files(cohort: Cohort, speaker: str, *, others: bool = False) -> set[str]:
    """The files that the rows of a speaker name in both tables, or those of all others."""
    return {
        path
        for frame in (cohort.speakers, cohort.clips)
        for column in FILE_COLUMNS
        if column in frame
        for path in frame.loc[(frame[SPEAKER] == speaker) != others, column]
        if path
    }


def without_speaker(path: Path, speaker: str) -> bytes:
    """The content of a cohort's table without the rows of a speaker; all other rows keep their bytes (CSV).

    Raises
    ------
    CohortError
        If the table cannot be read.
    """
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        name = next(name for name in table.column_names if name.strip() == SPEAKER)
        ids = pc.utf8_trim_whitespace(table[name].cast("string"))
        sink = io.BytesIO()
        pq.write_table(table.filter(pc.invert(pc.fill_null(pc.equal(ids, speaker), False))), sink)
        return sink.getvalue()
    data = path.read_bytes()
    text, encoding = decoded(data, path.name)
    if encoding:
        raise CohortError(
            [f"{path.name} is in {encoding}, so its lines cannot be removed without changing others."],
            "UTF-8",
            "Save it as UTF-8 and repeat the command.",
        )
    lines = _rows(text, _delimiter(path))
    headed = False
    place = -1
    kept = []
    for cells, row in lines:
        if not headed and any(cells):
            names = [re.sub(r"[\s_.\u200b\ufeff-]", "", cell.casefold()) for cell in cells]
            if "speakerid" in names:
                headed, place = True, names.index("speakerid")
        elif headed and place < len(cells) and cells[place].strip() == speaker:
            continue
        kept.append(row)
    mark = data[: len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))]
    return mark + "".join(kept).encode()


def _delimiter(path: Path) -> str:
    """The delimiter of a table, as the cohort's reader finds it."""
    words = read_user_table(path, (SPEAKER, "clip_id", "audio", "language", "group", "gender", "portrait")).headings
    return next(mark for mark, name in DELIMITERS.items() if f"separated by {name} " in words)


def _rows(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """The cells and the text of each row, which may have several lines."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    begin = 0
    for cells in reader:
        yield cells, "".join(lines[begin : reader.line_num])
        begin = reader.line_num


def _portraits(root: Path, files: list[str]) -> Iterator[str]:
    """The digests of the pixels of those files that are pictures."""
    for path in files:
        if (pixels := read_picture(root / path).pixels) is not None:
            yield picture_digest(pixels)


def _mentions(folder: Path, speaker: str) -> Iterator[str]:
    """The names of the text files directly in a folder that still contain the id of a speaker as a word."""
    word = re.compile(rf"(?<![\w-]){re.escape(speaker)}(?![\w-])".encode())
    for path in sorted(folder.iterdir()):
        is_text = path.suffix in _SEARCHED and path.is_file() and not path.is_symlink()
        if is_text and path.stat().st_size <= _MOST_SEARCHED and word.search(path.read_bytes()):
            yield path.name
