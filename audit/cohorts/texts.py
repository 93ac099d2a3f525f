"""CSV files read as strings, without type conversion."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from audit.core.errors import CohortError
from audit.core.opening import open_regular

ROWS = "a header and one row per line"


def read_texts(path: Path, *, tab: bool = False, spaces: bool = False) -> pd.DataFrame:
    """Read a table with a header as stripped strings; missing cells of short rows are empty.

    The file is as for :func:`read_cells`. Index 0 is line 2 of the file; empty lines are left out but counted in it.

    Raises
    ------
    CohortError
        If it is not UTF-8, has no header, a row has more cells than the header, or two columns have the same name.
    """
    table = with_header(read_cells(path, tab=tab, spaces=spaces), path.name)
    names = list(table.columns)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise CohortError([f"{path.name}: the column {name!r} occurs twice." for name in twice], "unique column names")
    return table


def read_cells(path: Path, *, tab: bool = False, spaces: bool = False) -> pd.DataFrame:
    """The cells of a file as strings, row 0 from line 1; missing cells of short rows are NaN.

    The file is in UTF-8, with or without a byte-order mark. With ``tab``, cells are separated by tabs, without
    quoting, instead of commas; with ``spaces``, by any number of spaces.

    Raises
    ------
    CohortError
        If it is not UTF-8, is empty, or a row has more cells than the first.
    """
    try:
        with open_regular(path) as file:
            cells: pd.DataFrame = pd.read_csv(
                file,
                header=None,
                sep=r"\s+" if spaces else "\t" if tab else ",",
                quoting=csv.QUOTE_NONE if tab else csv.QUOTE_MINIMAL,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                encoding="utf-8-sig",
            )
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8: {error}."
        raise CohortError([message], "UTF-8, with or without a byte-order mark") from error
    except OSError as error:
        raise CohortError([f"{path.name} cannot be read: {error.strerror or error}."]) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise CohortError([f"{path.name} is not a CSV file: {str(error).strip()}."], ROWS) from error
    return cells


def with_header(cells: pd.DataFrame, file: str) -> pd.DataFrame:
    """The rows below the first one that is not empty, which has the column names, without the empty rows.

    ``cells`` are strings, with row 0 from line 1 of the file. Index 0 of the result is line 2.

    Raises
    ------
    CohortError
        If all rows are empty.
    """
    cells = pd.DataFrame({name: cells[name].fillna("").str.strip() for name in cells})
    filled = (cells != "").any(axis=1)
    if not filled.any():
        raise CohortError([f"{file} is not a CSV file: it is empty."], ROWS)
    top = int(str(filled.idxmax()))
    table = cells[filled].drop(index=top).set_axis([str(name) for name in cells.loc[top]], axis=1)
    return table.set_axis(table.index - 1, axis=0)
