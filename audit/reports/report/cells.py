"""The judged figures of every cell where groups meet, each next to its empirical-Bayes estimate."""

from __future__ import annotations

from typing import Final

from audit.audits.audit import Audit
from audit.core.clean_text import clean
from audit.core.units import write_interval, write_value
from audit.reports.html.records import Record, Value, number, records, text
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, words, written
from audit.reports.html.wording import cell_name

MOST_CELLS: Final = 200
_ABOUT: Final = ("check", "figure", "grouping")


def cells(audit: Audit) -> TableView:
    """Every judged cell of every check, with its raw and its shrunk figure."""
    rows = records(audit, "intersections")
    labels = {
        (finding.code, figure.name): clean(figure.label)
        for finding in audit.findings
        for figure in finding.estimates.values()
        if figure.margin is not None
    }
    names = [column.name for column in audit.tables["intersections"].columns if column.key] if rows else []

    def cell(row: Record) -> Cell:
        values = {name: text(row, name, "all") for name in names if name not in _ABOUT}
        return words(cell_name({name: value for name, value in values.items() if value != "all"}))

    columns = (
        Column[Record]("Check", lambda row: head(text(row, "check"))),
        Column[Record]("Figure", lambda row: words(labels.get((text(row, "check"), text(row, "figure")), ""))),
        Column[Record]("Of", cell),
        Column[Record]("Estimate", _estimate, numeric=True, hint="simultaneous interval"),
        Column[Record]("Shrunk", _shrunk, numeric=True, hint="toward the mean of the cells"),
        Column[Record]("Shrinkage", _shrinkage, numeric=True),
    )
    note = f"The first {MOST_CELLS} of {len(rows):,} are shown; all are in tables/intersections.csv."
    view = TableView.of("cells", "The judged figures of every cell where groups meet", columns, rows[:MOST_CELLS])
    view.note = note if len(rows) > MOST_CELLS else ""
    return view


def _estimate(row: Record) -> Cell:
    return estimate(Value.of(row), text(row, "unit"), signed=True)


def _shrunk(row: Record) -> Cell:
    value, unit = number(row, "shrunk"), text(row, "unit")
    if value is None:
        return DASH
    ends = write_interval(number(row, "shrunk_low"), number(row, "shrunk_high"), unit, signed=True)
    return written(value, write_value(value, unit, signed=True), ends)


def _shrinkage(row: Record) -> Cell:
    value = number(row, "shrinkage")
    return DASH if value is None else written(value, write_value(value, "share"))
