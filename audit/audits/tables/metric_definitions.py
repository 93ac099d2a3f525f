"""The labels and units of the metrics in other tables."""

from __future__ import annotations

from collections.abc import Iterable

from audit.audits.table import Column, Table
from audit.audits.tables.spec import Row, TableSpec
from audit.core.metric import Metric


def metric_definitions(metrics: Iterable[Metric]) -> list[Row]:
    """Every metric with its label, unit, kind, worse direction, description and quantity."""
    return [(each.name, each.label, each.unit, each.kind, each.worse, each.words, each.quantity) for each in metrics]


def definitions_table(metrics: Iterable[Metric]) -> Table:
    """The table for documents other than audits."""
    return TABLE.of(metric_definitions(metrics))


TABLE = TableSpec(
    name="metric_definitions",
    title="Metric definitions",
    note="The unit of a metric is the unit of its values in the other tables.",
    columns=(
        Column("metric", "metric", "Metric"),
        Column("label", "text", "Label"),
        Column("unit", "text", "Unit"),
        Column("kind", "text", "Kind"),
        Column("worse", "text", "Worse direction"),
        Column("words", "text", "Description"),
        Column("quantity", "text", "Quantity"),
    ),
    make=lambda source: metric_definitions(source.evidence.metrics.values()),
)
