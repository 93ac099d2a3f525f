"""The instrument's accuracy on this cohort's portraits."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import GROUP, OF_METRIC, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.core.vocabulary import STATED_GENDERS
from audit.stats import ALL, Estimate


def instrument(source: Source) -> Iterator[Row]:
    """The metrics of the portraits, by group and gender."""
    evidence = source.evidence
    metrics = [metric.name for metric in evidence.metrics.values() if metric.scored_against_truth]
    found: dict[tuple[object, ...], list[Estimate]] = {}
    for cells in (evidence.cells("group"), evidence.cells("group", "gender")):
        estimates = [evidence.figures(metric, "portrait", cells) for metric in metrics]
        for i, key in enumerate(cells.keys):
            found[key if len(key) == 2 else (*key, ALL)] = [of_metric[i] for of_metric in estimates]
    for group in evidence.groups:
        for gender in (ALL, *STATED_GENDERS):
            for metric, estimate in zip(metrics, found.get((group, gender), []), strict=False):
                yield group, gender, metric, estimate


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
    make=instrument,
)
