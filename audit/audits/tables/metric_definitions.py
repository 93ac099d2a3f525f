"""What every metric is: the label and the unit of the figures that other tables name by it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from audit.audits.table import Column, Table
from audit.audits.tables.spec import TableSpec
from audit.core.metric import Metric


def metric_definitions(metrics: Iterable[Metric]) -> pd.DataFrame:
    """Every metric with its label, unit and kind, which end is worse for a group, and what it says."""
    rows = [(each.name, each.label, each.unit, each.kind, each.worse, each.words) for each in metrics]
    return pd.DataFrame(rows, columns=TABLE.names)


def definitions_table(metrics: Iterable[Metric]) -> Table:
    """The table, for a document other than an audit."""
    return Table(TABLE.title, TABLE.note, metric_definitions(metrics), TABLE.columns)


TABLE = TableSpec(
    name="metric_definitions",
    title="What every metric is",
    note="Columns of other tables whose unit is that of the metric are in this unit.",
    columns=(
        Column("metric", "metric", "Metric"),
        Column("label", "text", "Label"),
        Column("unit", "text", "Unit"),
        Column("kind", "text", "Kind"),
        Column("worse", "text", "Worse end"),
        Column("words", "text", "Description"),
    ),
    make=lambda source: metric_definitions(source.evidence.metrics.values()),
)
