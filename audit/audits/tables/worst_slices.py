"""The slices of the cohort that fail most, by metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from audit.audits.table import (
    GROUP,
    LANGUAGE,
    METHOD,
    N_CLIPS,
    N_SPEAKERS,
    OF_METRIC,
    P_VALUE,
    Column,
    interval_columns,
)
from audit.audits.tables.disparities import metrics_of_harm
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.slice_columns import slice_columns
from audit.core.metric import Metric
from audit.core.sentences import slice_words
from audit.stats import ALL
from audit.stats.slices import DEEPEST, MIN_SPEAKERS, Slices, SliceSearch

STAGE: Final = "rendered"
LISTED: Final = 5
"""The most slices listed of each metric."""


def worst_slices(source: Source) -> Iterator[Row]:
    """The slices that fail most, for every metric with a worse direction: at least one row for each metric.

    Of the metrics of similarity models only the identification by the primary one is searched, since the others
    measure much the same. Speakers who are linked by shared clusters count as one.
    """
    evidence, settings = source.evidence, source.settings
    columns = slice_columns(evidence, settings.slice_columns)
    linked = evidence.shared_by_speakers(evidence.speakers)
    slices = Slices.of(evidence.speakers if linked is None else linked, columns)
    for metric in metrics_of_harm(evidence):
        assert metric.worse is not None
        found = slices.search(
            evidence.values(STAGE, metric.name),
            evidence.settings,
            worse=metric.worse,
            kind=metric.kind,
            depth=settings.slice_depth,
            min_speakers=max(MIN_SPEAKERS, settings.min_speakers),
            apart=settings.suppress_below,
            most=LISTED,
            name=f"{STAGE}.{metric.name}",
        )
        yield from _rows(metric, found, "; linked speakers count as one" if linked is not None else "")


def _rows(metric: Metric, found: SliceSearch, linked: str) -> Iterator[Row]:
    counts = (found.n_slices, found.n_small, f"{found.method}{linked}")
    if not found.worst:
        nothing = (None,) * (2 * DEEPEST + 5)
        yield (metric.name, 0, ALL, ALL, "", *nothing, 0, 0, *counts)
    for place, each in enumerate(found.worst, start=1):
        defined = [*each.values.items(), *[("", "")] * DEEPEST][:DEEPEST]
        yield (
            *(metric.name, place, each.values.get("group", ALL), each.values.get("language", ALL)),
            slice_words(each.values),
            *(cell for pair in defined for cell in pair),
            *(each.value, each.difference, each.low, each.high, each.p, each.n_speakers, each.n_clips),
            *counts,
        )


TABLE = TableSpec(
    name="worst_slices",
    title="Worst slices",
    note="Of all combinations of values of up to three columns with enough speakers, those whose rendered faces fail "
    "most, by the end of the interval that is nearer to no difference. Difference: to all other clips, averaged over "
    "speakers. p and intervals are adjusted for the search over all slices of the metric, not for the number of "
    "metrics. Speakers are not adjusted for other columns, and the instrument's own errors are included.",
    columns=(
        Column("metric", "metric", "Figure"),
        Column("place", "key", "Place"),
        GROUP,
        LANGUAGE,
        Column("slice", "text", "Slice"),
        *(Column(f"{what}_{i}", "key") for i in range(1, DEEPEST + 1) for what in ("column", "value")),
        Column("value", "value", "Value", OF_METRIC),
        *interval_columns("difference", "Difference to the complement", OF_METRIC, signed=True),
        P_VALUE,
        N_SPEAKERS,
        N_CLIPS,
        Column("n_slices", "setting", "Slices searched"),
        Column("n_small", "setting", "Slices with too few speakers"),
        METHOD,
    ),
    make=lambda source: worst_slices(source) if source.settings.slice_depth else None,
)
