"""The audit's tables as CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from audit.core.clean_text import clean
from audit.core.errors import RunError
from audit.reports.html.records import Tabled, count, records

TABLES: Final = "tables"
"""The folder of the CSV files."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")


def harmless(cell: object) -> object:
    """Escape a cell that a spreadsheet would run as a formula, by a leading apostrophe.

    Numbers stay numbers, a missing value is empty.

    Examples
    --------
    >>> harmless("=1+1"), harmless(-0.5), harmless(None), harmless("black")
    ("'=1+1", -0.5, '', 'black')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        written = clean(str(cell))
        return f"'{written}" if _FORMULA.match(written) else written
    return cell


def csv_tables(audit: Tabled) -> dict[str, str]:
    """Each table as CSV, by its name in a folder: ``tables/<name>.csv``.

    Raises
    ------
    RunError
        If a table's name is not a valid file name.
    """
    wrong = [name for name in audit.tables if not _NAME.fullmatch(name)]
    if wrong:
        raise RunError(
            f"The name of the table {wrong[0]!r} is not allowed.",
            "lower-case letters, digits and _",
            "Write it again: audit measure RUN.",
        )
    made = {}
    for name, table in audit.tables.items():
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([harmless(column.name) for column in table.columns])
        counts = set(table.names("n_speakers", "count"))
        for row in records(audit, name):
            writer.writerow([harmless(count(row, key) if key in counts else cell) for key, cell in row.items()])
        made[f"{TABLES}/{name}.csv"] = buffer.getvalue()
    return made
