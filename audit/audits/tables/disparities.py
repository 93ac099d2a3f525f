"""The main table: every metric at every stage, in every stratum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.audits.table import GROUP, LANGUAGE, OF_METRIC, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.checks.metrics.metric_frame import MODEL_QUANTITIES, identification
from audit.checks.strata import Cells
from audit.core.metric import Metric
from audit.stats import ALL, Estimate
from audit.stats.rates import estimates as estimates_of
from audit.stats.speakers import SpeakerSums

AT_ONCE = 2_000_000
"""The number of values that are estimated at a time."""


def disparities(source: Source) -> Iterator[Row]:
    """Every metric at every stage, in every combination of the columns that stratify the audit, with totals."""
    evidence = source.evidence
    columns = scored(evidence)
    keys: list[tuple[object, ...]] = []
    found: dict[tuple[Metric, str], list[Estimate]] = {column: [] for column in columns}
    for named, cells in evidence.every_cell(*source.by):
        keys += named
        for column, made in _figures(evidence, columns, cells).items():
            found[column] += made
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}  # group is the first column
    order = sorted(range(len(keys)), key=lambda i: (place[str(keys[i][0])], *map(str, keys[i][1:])))
    for (metric, stage), made in found.items():
        yield from ((metric.name, stage, *keys[i], made[i]) for i in order)


def scored(evidence: Evidence) -> list[tuple[Metric, str]]:
    """The metrics with their stages, where any clip has a score."""
    return [
        (metric, stage)
        for metric in evidence.metrics.values()
        for stage in metric.stages
        if not np.isnan(evidence.values(stage, metric.name)).all()
    ]


def metrics_of_harm(evidence: Evidence, stage: str = "rendered") -> list[Metric]:
    """The metrics with a harmful end that any clip has a score of at a stage.

    Of the metrics of similarity models only the identification by the primary one, since the others measure much the
    same.
    """
    primary = {identification(model) for model in evidence.similarity_models[:1]}
    return [
        metric
        for metric, of in scored(evidence)
        if of == stage
        and metric.worse is not None
        and (metric.quantity not in MODEL_QUANTITIES or metric.name in primary)
    ]


def _figures(
    evidence: Evidence, columns: list[tuple[Metric, str]], cells: Cells
) -> dict[tuple[Metric, str], list[Estimate]]:
    """The estimates of every column in every cell, in batches that limit memory."""
    made: dict[tuple[Metric, str], list[Estimate]] = {}
    n, at_once = len(cells.keys), max(1, AT_ONCE // max(1, len(cells.units)))
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
    make=disparities,
    further=lambda source: source.further,
)
