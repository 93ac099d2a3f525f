"""Tables that a user brings: delimiter, encoding and headings are recognised and reported, or refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.encodings import decoded
from audit.cohorts.texts import ROWS, with_header
from audit.core.errors import CohortError
from audit.core.opening import MAX_TABLE_BYTES, read_regular

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "audio": ("path", "file", "filename", "filepath", "wav", "wavpath", "audiopath", "audiofile"),
}
"""Other headings for a column, as :func:`_key` gives them; used where the table has no column of that name."""
MOST_BREAKS: Final = 8
"""Most line breaks in a cell that are looked for."""
BREAKS: Final = 'a row per line, and cells with a line break in quotation marks (")'
UNNAMED: Final = 'a heading for every column that has values; cells with a delimiter in quotation marks ("a, b")'
_IGNORED: Final = re.compile(r"[\s_.\u200b\ufeff-]")
_BLANK_LINES: Final = re.compile(r"(?:[ ,;\t|]*(?:\r\n|\r|\n))+")
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
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
        text, encoding = decoded(read_regular(path, MAX_TABLE_BYTES), file)
    except OSError as error:
        raise CohortError([f"{file} cannot be read: {error.strerror or error}."]) from error
    if "\0" in text:
        raise CohortError([f"{file} is not a CSV file: it has zero bytes."], ROWS)
    delimiter, start = _separator_line(text, file)
    start = blank.end() if (blank := _BLANK_LINES.match(text, start)) else start
    above, text = len(_NEWLINE.findall(text[:start])), text[start:]
    known = {_key(name): name for name in columns} | {key: name for name in synonyms for key in SYNONYMS[name]}
    delimiter = delimiter or _delimiter(text, file, known)
    cells, short = _cells(text, delimiter, file, above)
    frame, dropped = _without_unnamed(with_header(cells, file), file)
    if "'" in text:
        _check_single_quotes(frame, file)
    headings = f"Its cells are separated by {DELIMITERS[delimiter]} and its headings are {_listed(frame)}"
    frame, renamed = _renamed(frame, file, columns, synonyms)
    remarks = [f"{file} is in {encoding}."] if encoding else []
    if delimiter != ",":
        remarks.append(f"The cells of {file} are separated by {DELIMITERS[delimiter]}.")
    remarks += [f"The column {found!r} of {file} was read as {name}." for found, name in renamed.items()]
    if dropped:
        remarks.append(f"{dropped} empty columns of {file} without a heading were left out.")
    if short:
        remarks.append(f"{short} rows of {file} have fewer cells than the heading; the last ones were read as empty.")
    return UserTable(file, frame, tuple(remarks), headings)


def _separator_line(text: str, file: str) -> tuple[str, int]:
    """Delimiter of Excel's first line ``sep=;``, and where that line ends; empty and 0 if there is none."""
    said = _SEPARATOR_LINE.match(text)
    if said is None:
        return "", 0
    if said[1] not in DELIMITERS:
        raise CohortError(
            [f"{file} begins with sep={said[1]!r}."], f"cells separated by {', '.join(DELIMITERS.values())}"
        )
    return said[1], said.end()


def _delimiter(text: str, file: str, known: Mapping[str, str]) -> str:
    """The delimiter with which the first line that is not empty has known headings.

    Raises
    ------
    CohortError
        If several delimiters give known headings.
    """
    head = next((line for line in io.StringIO(text, newline=None) if line.strip(",;\t| \r\n")), "")
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


def _cells(text: str, delimiter: str, file: str, above: int) -> tuple[pd.DataFrame, int]:
    """All cells as strings, and the number of rows that lack cells; ``above`` is the number of lines above the text.

    Raises
    ------
    CohortError
        If a row has more cells than the heading, a cell has a line break without quotation marks, or quotation marks
        are not those of a CSV file.
    """
    try:
        short = _check_widths(text, delimiter, file, above)
        cells = pd.read_csv(
            io.StringIO(text, newline=""),
            header=None,
            sep=delimiter,
            skipinitialspace=True,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
        )
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise CohortError([f"{file} is not a CSV file: {str(error).strip()}."], ROWS) from error
    return cells.set_axis(cells.index + above, axis=0), short


def _check_widths(text: str, delimiter: str, file: str, above: int) -> int:
    """Number of rows with fewer cells than the heading.

    Raises
    ------
    CohortError
        If a row has more cells or only one, or rows in succession have together as many as one: a line break in a cell.
    """
    width, short = 0, []
    for line, n_cells in _widths(text, delimiter):
        if not width:
            width = n_cells
        elif n_cells > width:
            found = f"{file}, row {line + above}: it has {n_cells} cells and the heading has {width}"
            raise CohortError([f"{found}; cells are separated by {DELIMITERS[delimiter]}."], UNNAMED)
        elif n_cells == 1 and width > 1:
            found = f"{file}, row {line + above}: it has one cell and the heading has {width}"
            raise CohortError([f"{found}; cells are separated by {DELIMITERS[delimiter]}."], BREAKS)
        elif n_cells < width:
            short.append((line, n_cells))
    for i, (first, n_first) in enumerate(short):
        total = n_first
        for step, (line, n_cells) in enumerate(short[i + 1 : i + 1 + MOST_BREAKS], start=1):
            if line != first + step:
                break
            total += n_cells - 1
            if total == width:
                found = f"{file}, rows {first + above} to {line + above}: they have together the cells of one row"
                raise CohortError([f"{found}."], BREAKS)
    return len(short)


def _widths(text: str, delimiter: str) -> Iterator[tuple[int, int]]:
    """Line number and number of cells of each row that is not an empty line.

    Without quotation marks a row is a line, which is counted ten times as fast.
    """
    if '"' not in text:
        for line, row in enumerate(io.StringIO(text, newline=None), start=1):
            if row != "\n":
                yield line, row.count(delimiter) + 1
        return
    if '\\"' in text:
        raise csv.Error('a backslash before a quotation mark; allowed: quotation marks in a cell doubled ("")')
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    for cells in reader:
        if cells:
            yield reader.line_num, len(cells)


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
            raise CohortError(
                [f"{file}: column {place + 1} has values and no heading, the first {filled.iloc[0]!r} in row {row}."],
                UNNAMED,
            )
    return frame.loc[:, named], named.count(False)


def _check_single_quotes(frame: pd.DataFrame, file: str) -> None:
    """Raise CohortError if a heading or cell is in single quotation marks, which are then part of its text."""
    for place, name in enumerate(frame):
        for i, value in (("", str(name)), *frame.iloc[:, place][frame.iloc[:, place].str.startswith("'")].items()):
            if len(value) > 1 and value[0] == value[-1] == "'":
                where = f", row {int(str(i)) + 2}" if i != "" else ""
                found = f"{file}{where}: {value} is in single quotation marks, which are not read as such."
                raise CohortError([found], 'quotation marks (") around a cell, or none')


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
    """Heading without case, spaces, underscores, hyphens, dots and byte-order marks.

    Examples
    --------
    >>> _key("Speaker ID"), _key("speaker-id "), _key("SpeakerId")
    ('speakerid', 'speakerid', 'speakerid')
    """
    return _IGNORED.sub("", heading.casefold())


def _listed(names: Iterable[object]) -> str:
    texts = [str(name) for name in names]
    return ", ".join(texts[:12]) + (f" and {len(texts) - 12} more" if len(texts) > 12 else "")
