"""Repair of tab-separated files in which a free text contains line feeds or tabs, as in releases of Common Voice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.core.errors import CohortError
from audit.core.opening import MAX_TABLE_BYTES, read_regular

SHOWN: Final = 10
"""Number of damaged rows that a remark names."""


@dataclass(frozen=True)
class Rows:
    """Rows of a tab-separated file without quoting.

    Attributes
    ----------
    table : DataFrame
        The rows as stripped strings, with the wanted columns.
    repaired, lost : tuple of int
        Lines of the file (the header is line 1) at which a repaired row, or one that could not be repaired, begins.
    """

    table: pd.DataFrame
    repaired: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()

    def remarks(self, label: str) -> tuple[str, ...]:
        """Remarks on the damaged rows; ``label`` names the file."""
        return tuple(
            f"{len(lines)} rows of {label} are damaged by a line feed or tab in a text and were {what}: "
            f"line {', '.join(map(str, lines[:SHOWN]))}{' ...' if len(lines) > SHOWN else ''}."
            for lines, what in ((self.repaired, "repaired"), (self.lost, "left out"))
            if lines
        )


def read_rows(path: Path, wanted: Collection[str], *, text: str, numbers: Collection[str]) -> Rows | None:
    """Read the ``wanted`` columns of a file in which ``text`` may contain line feeds or tabs.

    A row that ends in ``text`` is joined with the lines below it, and surplus cells of a row that is too long belong to
    ``text``. The row is accepted if it then has only digits in the columns ``numbers``; otherwise it is left out. The
    last cells of a row may be missing: they are empty. None if all rows have the header's number of cells.

    Raises
    ------
    CohortError
        If the file is not UTF-8 or cannot be read.
    """
    try:
        content = read_regular(path, MAX_TABLE_BYTES).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise CohortError([f"{path.name} cannot be read: {error.strerror or error}."]) from error
    header, *lines = content.split(b"\n")
    tabs = header.count(b"\t")
    whole = all(line.count(b"\t") == tabs and b"\r" not in line[:-1] for line in lines if line)
    names = [name.strip() for name in header.decode("utf-8", "replace").split("\t")]
    if whole or text not in names:
        return None
    try:
        return _repaired(names, [line.decode("utf-8") for line in lines], wanted, text, numbers)
    except UnicodeDecodeError as error:
        raise CohortError(
            [f"{path.name} is not UTF-8: {error}."], "UTF-8, with or without a byte-order mark"
        ) from error


def _repaired(
    names: list[str], lines: Sequence[str], wanted: Collection[str], text: str, numbers: Collection[str]
) -> Rows:
    size, place = len(names), names.index(text)
    kept = [k for k, name in enumerate(names) if name in wanted]
    counts = [names.index(name) for name in numbers if name in names]
    rows: list[list[str]] = []
    repaired, lost = [], []
    i = 0
    while i < len(lines):
        first, cells = i, lines[i].removesuffix("\r").split("\t")
        i += 1
        while 1 < len(cells) <= place + 1 and i < len(lines):
            more = lines[i].removesuffix("\r").split("\t")
            if len(cells) + len(more) - 1 > size:  # a row of its own
                break
            cells = [*cells[:-1], f"{cells[-1]} {more[0]}", *more[1:]]
            i += 1
        if not any(cell.strip() for cell in cells):
            continue
        irregular, surplus = len(cells) != size, len(cells) - size
        if surplus > 0:
            cells = [*cells[:place], " ".join(cells[place : place + surplus + 1]), *cells[place + surplus + 1 :]]
        damaged = i - first > 1 or surplus > 0 or "\r" in "".join(cells)
        cells = [" ".join(cell.split()) for cell in cells] + [""] * (size - len(cells))
        if (damaged or irregular) and not all(cells[k].isdigit() for k in counts):
            lost.append(first + 2)
            continue
        if damaged:
            repaired.append(first + 2)
        rows.append([cells[k] for k in kept])
    return Rows(pd.DataFrame(rows, columns=[names[k] for k in kept], dtype=object), tuple(repaired), tuple(lost))
