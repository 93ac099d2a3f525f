"""Third-party tables, displayed by their typed columns."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.audit import Audit
from audit.audits.table import OF_METRIC, Column, Table
from audit.audits.tables import shipped
from audit.core.language_names import language_name
from audit.core.units import write_interval, write_value
from audit.reports.html import tabular
from audit.reports.html.records import MetricDefinitions, Record, number, records, text
from audit.reports.html.tabular import Cell, TableView
from audit.reports.html.wording import file_stem, group_name, status_name

MOST_ROWS = 200
NUMBERS = frozenset({"n_speakers", "count", "value", "low", "high", "p_value", "setting"})
_WRITE = {"group": group_name, "read": group_name, "language": language_name, "status": status_name}


def further_tables(audit: Audit) -> list[TableView]:
    """Every table that is not shipped with the package."""
    own = {spec.name for spec in shipped()}
    return [typed_view(audit, name) for name in audit.tables if name not in own]


def typed_view(audit: Audit, name: str) -> TableView:
    """A table of the audit, displayed by its typed columns."""
    table, rows, metrics = audit.tables[name], records(audit, name), MetricDefinitions.of(audit)
    metric = next(iter(table.names("metric")), "")

    def shown(column: Column, ends: tuple[Column, ...], heading: bool) -> tabular.Column[Record]:
        def cell(row: Record) -> Cell:
            unit = metrics.unit(text(row, metric)) if column.unit == OF_METRIC else column.unit
            found = _cell(row, column, ends, unit, metrics)
            return tabular.head(found.text) if heading else found

        return tabular.Column(column.heading, cell, numeric=column.kind in NUMBERS)

    columns = [shown(column, tuple(ends), not i and column.key) for i, (column, *ends) in enumerate(_figures(table))]
    note = table.note
    if len(rows) > MOST_ROWS:
        more = f"The first {MOST_ROWS} of {len(rows):,} rows are shown; all are in tables/{name}.csv."
        note = f"{note} {more}".strip()
    return TableView.of(f"further-{file_stem(name)}", table.title, columns, rows[:MOST_ROWS], note)


def _figures(table: Table) -> Iterator[tuple[Column, ...]]:
    """The columns of each displayed column; a value comes with the ends of its interval."""
    place = 0
    while place < len(table.columns):
        kinds = [column.kind for column in table.columns[place : place + 3]]
        size = 3 if kinds == ["value", "low", "high"] else 1
        yield table.columns[place : place + size]
        place += size


def _cell(row: Record, column: Column, ends: tuple[Column, ...], unit: str, metrics: MetricDefinitions) -> Cell:
    value = number(row, column.name)
    if row.get(column.name) is None:
        return tabular.DASH
    if column.kind in NUMBERS and value is not None:
        if column.kind == "p_value":
            return tabular.p_value(value)
        if column.kind in ("n_speakers", "count"):
            return tabular.whole(round(value))
        if column.kind == "setting" and not unit:
            return tabular.written(value, f"{value:g}")
        shown = write_value(value, unit, column.signed)
        if not ends:
            return tabular.written(value, shown)
        low, high = (number(row, end.name) for end in ends)
        return tabular.written(value, shown, write_interval(low, high, unit, column.signed))
    shown = text(row, column.name)
    if column.kind in ("speaker_id", "clip_id", "cluster", "picture"):
        return tabular.code(shown)
    return tabular.words(metrics.label(shown) if column.kind == "metric" else _WRITE.get(column.kind, str)(shown))
