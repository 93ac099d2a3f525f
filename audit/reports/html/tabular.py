"""Tables for display: columns of headings and cells, with interval, count, and notes on missing figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from audit.checks.figure import Figure
from audit.core.language_names import language_name
from audit.core.units import write_interval, write_number, write_p, write_value
from audit.reports.html.records import Record, Value, one, text
from audit.reports.html.wording import group_name

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        The main line.
    lines : tuple of str
        Smaller lines below it: the interval, the count.
    reason : str
        The reason for a missing figure, for a note below the table.
    sort : str
        The sort key: a number's digits, or the text.
    kind : {"text", "number", "estimate", "missing", "code", "head"}
        The style; ``head`` is the row's heading.
    """

    text: str
    lines: tuple[str, ...] = ()
    reason: str = ""
    sort: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column: its heading, and the cell of each item; neighbours with the same ``band`` share a heading."""

    label: str
    cell: Callable[[T], Cell]
    numeric: bool = False
    band: str = ""
    hint: str = ""


@dataclass
class TableView:
    """A table ready for display; ``totals`` is the number of last rows that are totals."""

    name: str
    caption: str
    columns: Sequence[Column[Any]]
    rows: list[list[Cell]]
    note: str = ""
    totals: int = 0
    sortable: bool = True

    @classmethod
    def of(
        cls,
        name: str,
        caption: str,
        columns: Sequence[Column[T]],
        items: Iterable[T],
        note: str = "",
        totals: int = 0,
        sortable: bool = True,
    ) -> TableView:
        """The table with a row for each item."""
        rows = [[column.cell(item) for column in columns] for item in items]
        return cls(name, caption, columns, rows, note, totals, sortable)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def bands(self) -> list[tuple[str, int]]:
        """Headings over neighbouring columns and their numbers of columns; empty if there are none."""
        bands: list[tuple[str, int]] = []
        for column in self.columns:
            if bands and column.band and bands[-1][0] == column.band:
                bands[-1] = (column.band, bands[-1][1] + 1)
            else:
                bands.append((column.band, 1))
        return bands if any(label for label, _ in bands) else []

    @cached_property
    def notes(self) -> dict[str, str]:
        """The letter of each reason for a missing figure, in the order of the cells."""
        reasons = dict.fromkeys(cell.reason for row in self.rows for cell in row if cell.reason)
        return {reason: chr(97 + i) if i < 26 else f"n{i + 1}" for i, reason in enumerate(reasons)}


def estimate(
    found: Value | Figure | None, unit: str, signed: bool = False, bare: bool = False, speakers: bool = True
) -> Cell:
    """A figure with its interval and count, or "not estimable" with the reason as a note.

    ``found`` is ``None`` if the table has no such row; a ``signed`` figure is a difference. With ``bare`` the unit of
    differences, and of values other than shares, is left to the heading.
    """
    if found is None:
        return missing("\N{EN DASH}", "Not measured in this audit.")
    n = found.n_speakers
    size = (f"n\N{NO-BREAK SPACE}{n:,}",) if speakers and n is not None else ()
    if found.value is None:
        return missing(reason=found.method or "The audit gives no reason.", lines=size)
    write = write_number if bare and (signed or unit != "share") else write_value
    interval = write_interval(found.low, found.high, unit, signed)
    return Cell(write(found.value, unit, signed), (interval, *size), sort=repr(found.value), kind="estimate")


def figure(
    label: str,
    unit: str,
    name: str = "value",
    *,
    signed: bool = False,
    bare: bool = False,
    speakers: bool = True,
    band: str = "",
    hint: str = "",
    size: str = "n_speakers",
    turned: bool = False,
    **keys: str,
) -> Column[Sequence[Record]]:
    """A column of figures: the column ``name`` of the row that has the texts ``keys``; see :func:`estimate`.

    With ``turned`` a difference is shown with the opposite sign, as a fall instead of a change.
    """

    def cell(rows: Sequence[Record]) -> Cell:
        row = one(rows, **keys)
        found = None if row is None else Value.of(row, name, size)
        return estimate(found.turned if found and turned else found, unit, signed, bare, speakers)

    return Column(label, cell, True, band, hint)


def missing(text: str = "not estimable", reason: str = "", lines: tuple[str, ...] = ()) -> Cell:
    """A cell without a figure."""
    return Cell(text, lines, reason, kind="missing")


DASH: Final = missing("\N{EN DASH}")
"""A cell without a value."""


def head(label: str) -> Cell:
    """A row's heading."""
    return Cell(label, sort=label, kind="head")


def words(label: str) -> Cell:
    """A cell of text."""
    return Cell(label, sort=label)


def code(label: str) -> Cell:
    """A cell of an identifier or a digest."""
    return Cell(label, sort=label, kind="code")


def written(value: float, text: str, *lines: str) -> Cell:
    """A cell of a number as it is written; with further lines it is an estimate."""
    return Cell(text, lines, sort=repr(value), kind="estimate" if lines else "number")


def p_value(value: float | None) -> Cell:
    """A cell of a p-value."""
    return DASH if value is None else written(value, write_p(value))


def whole(value: int | None, absent: str = "not recorded") -> Cell:
    """A cell of a count, or a word if there is none."""
    return missing(absent) if value is None else written(value, f"{value:,}")


GROUP: Final = Column[Sequence[Record]]("Group", lambda rows: head(group_name(text(rows[0], "group"))))
LANGUAGE: Final = Column[Sequence[Record]]("Language", lambda rows: words(language_name(text(rows[0], "language"))))
