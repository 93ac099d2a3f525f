"""Metrics along age, skin tone and recording quality: bands, curves and tests for trend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.audits.audit import Audit
from audit.audits.continuous import attribute
from audit.core.units import write_value
from audit.reports.html.axes import metric_axes
from audit.reports.html.curves import CurvePoint, curve
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import MetricDefinitions, Record, Value, count, number, records, text
from audit.reports.html.tabular import Cell, Column, TableView, figure, head, missing, p_value, whole, words
from audit.reports.html.tabular import estimate as estimate_cell
from audit.reports.html.wording import file_stem

SECTION: Final = "trends"
MOST_PANELS: Final = 6
"""Number of curves that are drawn: those with the smallest p."""


def bands(audit: Audit) -> TableView:
    """Every metric by band of each continuous attribute."""
    rows, defined = records(audit, "bands"), MetricDefinitions.of(audit)
    metrics = list(dict.fromkeys(text(row, "metric") for row in rows))
    cells: dict[tuple[str, str], list[Record]] = {}
    for row in rows:  # the bands are in ascending order
        cells.setdefault((text(row, "attribute"), text(row, "band")), []).append(row)
    columns = [
        Column[Sequence[Record]]("Attribute", lambda of: head(_along(text(of[0], "attribute")))),
        Column[Sequence[Record]]("Band", lambda of: words(text(of[0], "band"))),
        *(figure(defined.title(name), defined.unit(name), band="Rendered faces", metric=name) for name in metrics),
    ]
    return TableView.of("bands", "Rendered faces by bands", columns, cells.values(), sortable=False)


def trends(audit: Audit) -> TableView:
    """Both ends of every curve, and its test for trend."""
    defined = MetricDefinitions.of(audit)

    def end(place: int) -> Column[list[Record]]:
        def cell(rows: list[Record]) -> Cell:
            row = rows[place]
            if number(row, "curve") is None:
                return missing(reason=text(row, "method"))
            return estimate_cell(Value.of(row, "curve"), defined.unit(text(row, "metric")), speakers=False)

        return Column("5th percentile" if place == 0 else "95th percentile", cell, True, "Curve at the")

    columns = (
        Column[list[Record]]("Figure", lambda rows: head(defined.title(text(rows[0], "metric")))),
        Column[list[Record]]("Attribute", lambda rows: words(_along(text(rows[0], "attribute")))),
        end(0),
        end(-1),
        Column[list[Record]]("p", lambda rows: p_value(number(rows[0], "p_value")), True, "No linear trend"),
        Column[list[Record]]("q", lambda rows: p_value(number(rows[0], "q_value")), True, "No linear trend"),
        Column[list[Record]]("Speakers", lambda rows: whole(count(rows[0], "n_speakers")), True),
    )
    return TableView.of("trends", "Tests for trend", columns, _curves(audit))


def trend_view(audit: Audit) -> FigureView:
    """The curves with the smallest p."""
    defined, axes, panels = MetricDefinitions.of(audit), metric_axes(audit), []
    known = [rows for rows in _curves(audit) if len(rows) > 1 and number(rows[0], "p_value") is not None]
    known.sort(key=lambda rows: (number(rows[0], "p_value"), text(rows[0], "metric"), text(rows[0], "attribute")))
    for rows in known[:MOST_PANELS]:
        metric, column = text(rows[0], "metric"), text(rows[0], "attribute")
        found = [_point(row) for row in rows]
        points = [point for point in found if point is not None]
        if len(points) < 2:
            continue
        unit, along, name = defined.unit(metric), attribute(column), file_stem(f"trend-{metric}-{column}")
        title = defined.title(metric) + (f", {unit}" if unit not in ("", "share") else "")
        drawing = curve(title, points, unit, axes[metric], _along(column), along.unit)
        spoken = ", ".join(
            f"{write_value(point.value, unit)} at {write_value(point.at, along.unit)}"
            for point in (points[0], points[len(points) // 2], points[-1])
        )
        alt = f"{defined.title(metric)} along {_along(column)}: curve with intervals and band. {spoken}."
        panels.append(Panel(name, drawing, alt))
    return FigureView("trends", panels)


def _curves(audit: Audit) -> list[list[Record]]:
    """The rows of every curve, in the order of the table."""
    found: dict[tuple[str, str], list[Record]] = {}
    for row in records(audit, "trends"):
        found.setdefault((text(row, "metric"), text(row, "attribute")), []).append(row)
    return list(found.values())


def _point(row: Record) -> CurvePoint | None:
    found = [number(row, name) for name in ("at", "curve", "curve_low", "curve_high", "band_low", "band_high")]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    at, value, low, high, band_low, band_high = known
    return CurvePoint(at, value, (low, high), (band_low, band_high))


def _along(column: str) -> str:
    """The name of an attribute with its unit."""
    found = attribute(column)
    name = found.label[:1].upper() + found.label[1:]
    return f"{name}, {found.unit}" if found.unit not in ("", "share") else name
