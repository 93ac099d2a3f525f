"""The main table: every metric at every stage, in every stratum."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, OF_METRIC, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.checks.strata import Cells
from audit.core.metric import Metric
from audit.stats import ALL, Estimate
from audit.stats.rates import estimates as estimates_of
from audit.stats.speakers import SpeakerSums

ESTIMATE = [column.name for column in estimate_columns(OF_METRIC)]
AT_ONCE = 2_000_000
"""The number of values that are estimated at a time."""


def disparities(evidence: Evidence, by: tuple[str, ...]) -> pd.DataFrame:
    """Every metric at every stage, in every combination of the columns of ``by``, with totals."""
    columns = [
        (metric, stage)
        for metric in evidence.metrics.values()
        for stage in metric.stages
        if not np.isnan(evidence.values(stage, metric.name)).all()
    ]
    keys: list[tuple[object, ...]] = []
    found: dict[tuple[Metric, str], list[Estimate]] = {column: [] for column in columns}
    for named, cells in evidence.every_cell(*by):
        keys += named
        for column, made in _figures(evidence, columns, cells).items():
            found[column] += made
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}
    order = pd.DataFrame(keys, columns=list(by)).sort_values(
        list(by),
        key=lambda values: values.map(place) if values.name == "group" else values.astype(str),
        kind="stable",
    )
    rows = [
        (metric.name, stage, *keys[i], *astuple(made[i]))
        for (metric, stage), made in found.items()
        for i in order.index
    ]
    table = pd.DataFrame(rows, columns=["metric", "stage", *by, *ESTIMATE])
    return table.astype({"value": float, "low": float, "high": float})


def _figures(
    evidence: Evidence, columns: list[tuple[Metric, str]], cells: Cells
) -> dict[tuple[Metric, str], list[Estimate]]:
    """The estimates of every column in every cell, in batches that limit memory."""
    made: dict[tuple[Metric, str], list[Estimate]] = {}
    n, at_once = len(cells.keys), max(1, AT_ONCE // max(1, len(cells.clips.cell)))
    for kind in ("rate", "mean"):
        of_kind = [column for column in columns if column[0].kind == kind]
        for start in range(0, len(of_kind), at_once):
            chosen = of_kind[start : start + at_once]
            sums = SpeakerSums.joined([evidence.sums(metric.name, stage, cells) for metric, stage in chosen])
            names = [
                f"{stage}.{metric.name}/" + "/".join(map(str, key)) for metric, stage in chosen for key in cells.keys
            ]
            estimates = estimates_of(sums, kind, evidence.settings, names)
            made |= {column: estimates[place * n : (place + 1) * n] for place, column in enumerate(chosen)}
    return made


TABLE = TableSpec(
    name="disparities",
    title="All metrics by stratum",
    note='Averaged over speakers, or over clips if estimand = "clip".',
    columns=(
        Column("metric", "metric", "Metric"),
        Column("stage", "key", "Stage"),
        GROUP,
        LANGUAGE,
        *estimate_columns(OF_METRIC),
    ),
    make=lambda source: disparities(source.evidence, source.by),
    by_plan=True,
)
