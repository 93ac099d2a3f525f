"""Tables that a user brings: delimiter, encoding and headings are recognised and reported, or refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.encodings import decoded
from audit.cohorts.texts import ROWS, with_header
from audit.core.errors import CohortError

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "audio": ("path", "file", "filename", "filepath", "wav", "wavpath", "audiopath", "audiofile"),
}
"""Other headings for a column, as :func:`_key` gives them; used where the table has no column of that name."""
_SEPARATOR_LINE: Final = re.compile(r'\s*"?sep=(.)"?[ ,;\t|]*(\r\n|\r|\n|$)', re.IGNORECASE)


@dataclass(frozen=True)
class UserTable:
    """A table as stripped strings, and how it was read.

    Attributes
    ----------
    file : str
        File name.
    frame : DataFrame
        Rows, of strings. Index 0 is line 2 of the file.
    remarks : tuple of str
        A sentence on everything about the file that is not plain: delimiter, encoding, headings, columns left out.
    headings : str
        Delimiter and headings as found, for error messages.
    """

    file: str
    frame: pd.DataFrame
    remarks: tuple[str, ...]
    headings: str


def read_user_table(path: Path, columns: Collection[str], *, synonyms: Collection[str] = ()) -> UserTable:
    """Read a table that a user made, with or without a spreadsheet.

    Cells are separated by commas, semicolons, tabs or vertical bars. The delimiter is the one with which known headings
    are found, or that of Excel's first line ``sep=;``. For encodings see :func:`audit.cohorts.encodings.decoded`.
    Headings of the known ``columns`` are compared without case, spaces and punctuation; custom ones are kept as they
    are. Empty columns without a heading are left out.

    Parameters
    ----------
    path : Path
        The file.
    columns : collection of str
        Names of the known columns.
    synonyms : collection of str
        Known columns that may have another heading; see ``SYNONYMS``.

    Raises
    ------
    CohortError
        If the file cannot be read, or its delimiter, encoding or headings are not certain.
    """
    file = path.name
    try:
        text, encoding = decoded(path.read_bytes(), file)
    except OSError as error:
        raise CohortError([f"{file} cannot be read: {error.strerror or error}."]) from error
    delimiter, text = _without_separator_line(text, file)
    known = {_key(name): name for name in columns} | {key: name for name in synonyms for key in SYNONYMS[name]}
    delimiter = delimiter or _delimiter(text, file, known)
    cells = _cells(text, delimiter, file)
    table = with_header(cells, file)
    last = cells.columns[max([i for i, name in enumerate(table) if name], default=0)]
    short = int(cells.loc[table.index + 1, last].isna().sum())
    frame, dropped = _without_unnamed(table, file)
    headings = f"Its cells are separated by {DELIMITERS[delimiter]} and its headings are {_listed(frame)}"
    frame, renamed = _renamed(frame, file, columns, synonyms)
    remarks = [f"{file} is in {encoding}."] if encoding else []
    if delimiter != ",":
        remarks.append(f"The cells of {file} are separated by {DELIMITERS[delimiter]}.")
    remarks += [f"The column {found!r} of {file} was read as {name}." for found, name in renamed.items()]
    if dropped:
        remarks.append(f"{dropped} empty columns of {file} without a heading were left out.")
    if short:
        remarks.append(f"{short} rows of {file} have fewer cells than its heading: the cells that lack are empty.")
    return UserTable(file, frame, tuple(remarks), headings)


def _without_separator_line(text: str, file: str) -> tuple[str, str]:
    """Delimiter of Excel's first line ``sep=;``, empty if there is none, and the text with that line empty."""
    said = _SEPARATOR_LINE.match(text)
    if said is None:
        return "", text
    if said[1] not in DELIMITERS:
        raise CohortError([f"{file} begins with sep={said[1]!r}."], f"cells separated by {_allowed()}")
    return said[1], said[2] + text[said.end() :]


def _delimiter(text: str, file: str, known: Mapping[str, str]) -> str:
    """The delimiter with which the first line that is not empty has known headings.

    Raises
    ------
    CohortError
        If several delimiters give known headings.
    """
    head = next((line for line in io.StringIO(text) if line.strip(",;\t| \r\n")), "")
    split = {each: _split(head, each) for each in DELIMITERS}
    fitting = [each for each, names in split.items() if len(names) > 1 and any(_key(n) in known for n in names)]
    if len(fitting) > 1:
        found = " and by ".join(f"{DELIMITERS[each]} ({', '.join(split[each][:4])})" for each in fitting)
        raise CohortError([f"{file}: its heading can be split by {found}."], "cells separated by one of them only")
    return fitting[0] if fitting else max(DELIMITERS, key=lambda each: len(split[each]))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _cells(text: str, delimiter: str, file: str) -> pd.DataFrame:
    """All cells as strings; those that a row lacks are missing values."""

    def parsed(width: int | None) -> pd.DataFrame:
        return pd.read_csv(
            io.StringIO(text, newline=""),
            header=None,
            names=None if width is None else range(width),
            sep=delimiter,
            skipinitialspace=True,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
        )

    try:
        try:
            return parsed(None)
        except pd.errors.ParserError:  # a row has more cells than the first line: a heading, an empty line
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
            return parsed(max(map(len, rows)))
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise CohortError([f"{file} is not a CSV file: {str(error).strip()}."], ROWS) from error


def _without_unnamed(frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, int]:
    """The table without its empty columns that have no heading, and their number.

    Raises
    ------
    CohortError
        If a column has values and no heading.
    """
    named = (frame.columns != "").tolist()
    for place, has_name in enumerate(named):
        if has_name:
            continue
        column = frame.iloc[:, place]
        if (filled := column[column != ""]).size:
            row = int(str(filled.index[0])) + 2
            last = place == len(named) - 1 or not any(named[place:])
            found = (
                f"{file}, row {row}: it has {place + 1} cells or more, and the heading has {sum(named)}"
                if last
                else f"{file}: column {place + 1} has values and no heading, the first in row {row}"
            )
            raise CohortError(
                [f"{found}: {filled.iloc[0]!r}."],
                'a heading for every column that has values; cells with a delimiter in quotation marks ("a, b")',
            )
    return frame.loc[:, named], named.count(False)


def _renamed(
    frame: pd.DataFrame, file: str, columns: Collection[str], synonyms: Collection[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table with the names of the known columns, and the headings that were replaced.

    Raises
    ------
    CohortError
        If two headings mean one column.
    """
    names = [str(name) for name in frame.columns]
    found: dict[str, str] = {}
    errors = [f"{file}: the column {name!r} occurs twice." for name in sorted({n for n in names if names.count(n) > 1})]
    for column in sorted({*columns} - {*names}):
        alike = [name for name in names if _key(name) == _key(column)]
        if not alike and column in synonyms:
            alike = [name for name in names if _key(name) in SYNONYMS[column] and name not in columns]
        if len(set(alike)) > 1:
            errors.append(f"{file}: the columns {' and '.join(map(repr, alike))} can both mean {column}.")
        elif alike:
            found[alike[0]] = column
    if errors:
        raise CohortError(errors, "unique column names")
    return frame.rename(columns=found), found


def _key(heading: str) -> str:
    """Heading without case, spaces and punctuation.

    Examples
    --------
    >>> _key("Speaker ID"), _key("speaker-id "), _key("SpeakerId")
    ('speakerid', 'speakerid', 'speakerid')
    """
    return "".join(letter for letter in heading.casefold() if letter.isalnum())


def _listed(names: Iterable[object]) -> str:
    texts = [str(name) for name in names]
    return ", ".join(texts[:12]) + (f" and {len(texts) - 12} more" if len(texts) > 12 else "")


def _allowed() -> str:
    return ", ".join(DELIMITERS.values())
