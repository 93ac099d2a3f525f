"""The instrument's accuracy on this cohort's portraits."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from audit.audits.table import GROUP, OF_METRIC, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.stats import ALL, Estimate


def instrument(evidence: Evidence) -> pd.DataFrame:
    """The metrics of the portraits, by group and gender."""
    metrics = [metric.name for metric in evidence.metrics.values() if metric.scored_against_truth]
    found: dict[tuple[object, ...], list[Estimate]] = {}
    for cells in (evidence.cells("group"), evidence.cells("group", "gender")):
        estimates = [evidence.figures(metric, "portrait", cells) for metric in metrics]
        for i, key in enumerate(cells.keys):
            found[key if len(key) == 2 else (*key, ALL)] = [of_metric[i] for of_metric in estimates]
    rows = [
        (group, gender, metric, *astuple(estimate))
        for group in evidence.groups
        for gender in (ALL, "woman", "man")
        for metric, estimate in zip(metrics, found.get((group, gender), []), strict=False)
    ]
    return pd.DataFrame(rows, columns=TABLE.names)


TABLE = TableSpec(
    name="instrument",
    title="The instrument on this cohort's portraits",
    note="Errors in reading true faces are also to be expected in rendered ones.",
    columns=(
        GROUP,
        Column("gender", "key", "Gender"),
        Column("metric", "metric", "Metric"),
        *estimate_columns(OF_METRIC),
    ),
    make=lambda source: instrument(source.evidence),
)
