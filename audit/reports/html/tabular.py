"""Tables for display: headings, cells with interval and count, and notes on missing figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.core.units import write_interval, write_number, write_value
from audit.reports.html.records import Record, count, number, text


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        The main line.
    lines : tuple of str
        Smaller lines below it: the interval, the count.
    note : str
        The letter of the note with the reason for a missing figure.
    sort : str
        The sort key: a number's digits, or the text.
    kind : {"text", "number", "estimate", "missing", "code", "head"}
        The style; ``head`` is the row's heading.
    """

    text: str
    lines: tuple[str, ...] = ()
    note: str = ""
    sort: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Column:
    """One column's heading; neighbouring columns with the same ``band`` share a heading."""

    label: str
    numeric: bool = False
    band: str = ""
    hint: str = ""


@dataclass
class TableView:
    """A table ready for display."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    note: str = ""
    totals: int = 0
    sortable: bool = True

    @property
    def bands(self) -> list[tuple[str, int]]:
        """Headings over neighbouring columns and their numbers of columns; empty if there are none."""
        if not any(column.band for column in self.columns):
            return []
        bands: list[tuple[str, int]] = []
        for column in self.columns:
            if bands and column.band and bands[-1][0] == column.band:
                bands[-1] = (column.band, bands[-1][1] + 1)
            else:
                bands.append((column.band, 1))
        return bands

    def note_for(self, reason: str) -> str:
        """The letter of a note; the same reason has the same letter."""
        for letter, known in self.notes.items():
            if known == reason:
                return letter
        place = len(self.notes)
        letter = chr(97 + place) if place < 26 else f"n{place + 1}"
        self.notes[letter] = reason
        return letter

    def estimate(
        self, record: Record | None, unit: str, signed: bool = False, bare: bool = True, speakers: bool = True
    ) -> Cell:
        """A figure with its interval and count, or "not estimable" with the reason as a note.

        Parameters
        ----------
        record : mapping or None
            With value, low, high, n_speakers and method; ``None`` if the table has no such row.
        unit : {"share", "years", "cosine"}
            The unit of the figure.
        signed : bool
            Whether the figure is a difference.
        bare : bool
            Whether the heading shows the unit of differences.
        speakers : bool
            Whether the cell shows the number of speakers.
        """
        if record is None:
            return Cell("\N{EN DASH}", kind="missing", note=self.note_for("Not measured in this audit."))
        value = number(record, "value")
        n = count(record, "n_speakers")
        size = (f"n\N{NO-BREAK SPACE}{n:,}",) if speakers and n is not None else ()
        if value is None:
            reason = text(record, "method") or "The audit gives no reason."
            return Cell("not estimable", size, self.note_for(reason), kind="missing")
        shown = (
            write_number(value, unit, signed)
            if bare and (signed or unit != "share")
            else write_value(value, unit, signed)
        )
        interval = write_interval(number(record, "low"), number(record, "high"), unit, signed)
        return Cell(shown, (interval, *size), sort=repr(value), kind="estimate")


def head(label: str) -> Cell:
    """A row's heading."""
    return Cell(label, sort=label, kind="head")


def words(label: str) -> Cell:
    """A cell of text."""
    return Cell(label, sort=label)


def code(label: str) -> Cell:
    """A cell of an identifier or a digest."""
    return Cell(label, sort=label, kind="code")


def dash() -> Cell:
    """A cell without a value."""
    return Cell("\N{EN DASH}", kind="missing")


def p_value(value: float | None) -> Cell:
    """A cell of a p-value."""
    if value is None:
        return dash()
    return Cell(f"{value:.3f}" if value >= 0.001 else "< 0.001", sort=repr(value), kind="number")


def whole(value: int | None, absent: str = "not recorded") -> Cell:
    """A cell of a count, or a word if there is none."""
    if value is None:
        return Cell(absent, kind="missing")
    return Cell(f"{value:,}", sort=repr(value), kind="number")
