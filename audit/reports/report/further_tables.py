"""Third-party tables, displayed by their typed columns."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.audit import Audit
from audit.audits.table import OF_METRIC, Column, Table
from audit.audits.tables import shipped
from audit.core.units import write_interval, write_value
from audit.reports.html import tabular
from audit.reports.html.records import MetricDefinitions, Record, number, records, text
from audit.reports.html.tabular import Cell, TableView
from audit.reports.html.wording import file_stem, group_name, language_name, status_name

MOST_ROWS = 200
NUMBERS = frozenset({"n_speakers", "count", "value", "low", "high", "p_value", "setting"})
_WRITE = {"group": group_name, "read": group_name, "language": language_name, "status": status_name}
_MISSING = Cell("\N{EN DASH}", kind="missing")


def further_tables(audit: Audit) -> list[TableView]:
    """Every table that is not shipped with the package."""
    own = {spec.name for spec in shipped()}
    metrics = MetricDefinitions.of(audit)
    return [
        _view(name, table, records(audit, name), metrics) for name, table in audit.tables.items() if name not in own
    ]


def _view(name: str, table: Table, rows: list[dict[str, object]], metrics: MetricDefinitions) -> TableView:
    figures = list(_figures(table.columns))
    columns = [tabular.Column(column.heading, numeric=column.kind in NUMBERS) for column, *_ in figures]
    view = TableView(f"further-{file_stem(name)}", table.title, columns, note=table.note)
    metric = next(iter(table.names("metric")), "")
    for row in rows[:MOST_ROWS]:
        unit = metrics.unit(text(row, metric))
        cells = [
            _cell(row, column, ends, unit if column.unit == OF_METRIC else column.unit, metrics)
            for column, *ends in figures
        ]
        view.rows.append([tabular.head(cells[0].text), *cells[1:]] if figures[0][0].key else cells)
    if len(rows) > MOST_ROWS:
        more = f"The first {MOST_ROWS} of {len(rows):,} rows are shown; all are in tables/{name}.csv."
        view.note = f"{view.note} {more}".strip()
    return view


def _figures(columns: tuple[Column, ...]) -> Iterator[tuple[Column, ...]]:
    """The columns of each displayed column; a value comes with the ends of its interval."""
    place = 0
    while place < len(columns):
        kinds = [column.kind for column in columns[place : place + 3]]
        size = 3 if kinds == ["value", "low", "high"] else 1
        yield columns[place : place + size]
        place += size


def _cell(row: Record, column: Column, ends: list[Column], unit: str, metrics: MetricDefinitions) -> Cell:
    if row.get(column.name) is None:
        return _MISSING
    value = number(row, column.name)
    if column.kind not in NUMBERS or value is None:
        return _text_cell(text(row, column.name), column, metrics)
    if column.kind == "p_value":
        return tabular.p_value(value)
    if column.kind in ("n_speakers", "count"):
        return tabular.whole(round(value))
    if column.kind == "setting":
        return Cell(write_value(value, unit, column.signed) if unit else f"{value:g}", sort=repr(value), kind="number")
    low, high = (number(row, end.name) for end in ends) if ends else (None, None)
    lines = (write_interval(low, high, unit, column.signed),) if ends else ()
    return Cell(write_value(value, unit, column.signed), lines, sort=repr(value), kind="estimate" if ends else "number")


def _text_cell(value: str, column: Column, metrics: MetricDefinitions) -> Cell:
    if column.kind in ("speaker_id", "clip_id", "picture"):
        return tabular.code(value)
    if column.kind == "metric":
        return tabular.words(metrics.label(value))
    return tabular.words(_WRITE.get(column.kind, str)(value))
