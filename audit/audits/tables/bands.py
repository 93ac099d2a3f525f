"""Metrics of rendered faces by bands of each continuous attribute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from audit.audits.continuous import STAGE, Continuous, continuous, sampled, scored_by_attribute
from audit.audits.table import OF_METRIC, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.metric import Metric
from audit.stats import Estimate
from audit.stats.bands import Bands, bands
from audit.stats.rates import estimates
from audit.stats.settings import Kind
from audit.stats.speakers import Reads, SpeakerSums, Standing

KINDS: tuple[Kind, ...] = ("rate", "mean")


def by_band(source: Source) -> Iterator[Row]:
    """One row per metric, attribute and band, over all groups; attributes with one band are left out."""
    evidence, words = sampled(source.evidence)
    metrics = scored_by_attribute(evidence)
    found = {each: made for each in continuous(evidence.frame) if len((made := _bands(evidence, each)).labels) > 1}
    figures = {each: _estimates(evidence, metrics, made, each) for each, made in found.items()}
    for metric in metrics:
        for each, made in found.items():
            for label, estimate in zip(made.labels, figures[each][metric], strict=True):
                method = f"{estimate.method}; {words}" if words else estimate.method
                yield metric.name, STAGE, each.column, label, replace(estimate, method=method)


def _bands(evidence: Evidence, attribute: Continuous) -> Bands:
    values = evidence.frame[attribute.column].to_numpy(np.float64)
    return bands(values, evidence.speakers, min_speakers=evidence.settings.min_speakers)


def _estimates(
    evidence: Evidence, metrics: list[Metric], made: Bands, attribute: Continuous
) -> dict[Metric, list[Estimate]]:
    """Every metric in every band."""
    n = len(made.labels)
    standing = Standing.of(evidence.speakers, made.number, n, evidence.shared())
    found: dict[Metric, list[Estimate]] = {}
    for kind in KINDS:
        chosen = [metric for metric in metrics if metric.kind == kind]
        if not chosen:
            continue
        sums = [standing.sums(Reads.of(evidence.values(STAGE, metric.name))) for metric in chosen]
        names = [f"{STAGE}.{metric.name}/{attribute.column}/{label}" for metric in chosen for label in made.labels]
        every = estimates(SpeakerSums.joined(sums), kind, evidence.settings, names)
        found |= {metric: every[place * n : (place + 1) * n] for place, metric in enumerate(chosen)}
    return found


TABLE = TableSpec(
    name="bands",
    title="Metrics by bands of age, skin tone and recording quality",
    note="Rendered faces of all groups. Bands divide the speakers at rounded quantiles; a speaker with clips in "
    "several bands counts in each. They are not adjusted for one another.",
    columns=(
        Column("metric", "metric", "Metric"),
        Column("stage", "key", "Stage"),
        Column("attribute", "key", "Attribute"),
        Column("band", "key", "Band"),
        *estimate_columns(OF_METRIC),
    ),
    make=by_band,
)
