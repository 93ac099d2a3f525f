"""Tables as texts: what stands in a CSV file, with nothing guessed, dropped or cut off."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from audit.core.errors import CohortError


def read_texts(path: Path, *, tab: bool = False) -> pd.DataFrame:
    """The cells of a table as texts, without the white space around them; empty where a row is short.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte-order mark, with a header.
    tab : bool
        Separated by tabs, where a quotation mark is a letter like others; else by commas.

    Returns
    -------
    DataFrame
        An index of 0 is line 2 of the file; empty lines are left out and counted by the index.

    Raises
    ------
    CohortError
        If it is not UTF-8, has no header, a row has more cells than the header, or two columns have one name.
    """
    try:
        cells = pd.read_csv(
            path,
            header=None,
            sep="\t" if tab else ",",
            quoting=csv.QUOTE_NONE if tab else csv.QUOTE_MINIMAL,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise CohortError(
            [f"{path.name} is not UTF-8: {error}."], "UTF-8, with or without a byte-order mark"
        ) from error
    except OSError as error:
        raise CohortError([f"{path.name} cannot be read: {error.strerror or error}."]) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise CohortError([f"{path.name} is no CSV: {str(error).strip()}."], "a header and one row a line") from error
    cells = pd.DataFrame({name: cells[name].fillna("").str.strip() for name in cells})
    filled = (cells != "").any(axis=1)
    if not filled.any():
        raise CohortError([f"{path.name} is no CSV: it is empty."], "a header and one row a line")
    top = int(str(filled.idxmax()))
    header = cells.loc[top]
    names = [str(name) for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise CohortError([f"{path.name}: the column {name!r} stands twice." for name in twice], "each column once")
    table = cells[filled].drop(index=top).set_axis(names, axis=1)
    return table.set_axis(table.index - 1, axis=0)
