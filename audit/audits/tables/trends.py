"""Trends of the metrics of rendered faces along each continuous attribute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.audits.continuous import STAGE, continuous, sampled, scored_by_attribute
from audit.audits.table import METHOD, N_CLIPS, N_SPEAKERS, OF_METRIC, P_VALUE, Q_VALUE, Column, interval_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.stats.trend import Trend, trend


def trends(source: Source) -> Iterator[Row]:
    """Nine rows per metric and attribute, one for each point of the curve; one row with the reason without a curve.

    p and q are the same in all rows of a curve. :func:`audit.stats.benjamini_hochberg` gives the same q for p-values
    that are all repeated equally often.
    """
    evidence, words = sampled(source.evidence)
    linked = evidence.shared_by_speakers(evidence.speakers)
    units = evidence.speakers if linked is None else linked
    for metric in scored_by_attribute(evidence):
        values = evidence.values(STAGE, metric.name)
        for each in continuous(evidence.frame):
            numbers = evidence.frame[each.column].to_numpy(np.float64)
            name = f"{STAGE}.{metric.name}/{each.column}"
            found = trend(values, numbers, evidence.speakers, evidence.settings, metric.kind, units=units, name=name)
            for row in _rows(found, words):
                yield (metric.name, STAGE, each.column, *row)


def _rows(found: Trend, words: str) -> Iterator[Row]:
    counts = (found.n_speakers, found.n_clips, found.n_missing)
    method = f"{found.method}; {words}" if words else found.method
    for point in found.points:
        interval = (point.value, point.low, point.high)
        yield (point.at, *interval, point.band_low, point.band_high, found.p, None, *counts, method)
    if not found.points:
        yield (*(None,) * 6, found.p, None, *counts, method)


TABLE = TableSpec(
    name="trends",
    title="Trends along age, skin tone and recording quality",
    note="Rendered faces of all groups, from the 5th to the 95th percentile of the attribute over speakers. Each point "
    "has its own interval; the band contains the whole curve with the same confidence. p: of the hypothesis that there "
    "is no linear trend; q: p adjusted for the number of curves (Benjamini-Hochberg). A trend is no cause: attributes "
    "are associated with one another and with groups.",
    columns=(
        Column("metric", "metric", "Metric"),
        Column("stage", "key", "Stage"),
        Column("attribute", "key", "Attribute"),
        Column("at", "setting", "At"),
        *interval_columns("curve", "Curve", OF_METRIC),
        Column("band_low", "value", "Band from", OF_METRIC),
        Column("band_high", "value", "Band to", OF_METRIC),
        P_VALUE,
        Q_VALUE,
        N_SPEAKERS,
        N_CLIPS,
        Column("n_missing", "count", "Not read"),
        METHOD,
    ),
    make=trends,
)
