"""Gaps of each group to all others, unadjusted and adjusted for age, gender and the recording."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.audits.continuous import STAGE, covariates, sampled
from audit.audits.table import GROUP, METHOD, N_CLIPS, N_SPEAKERS, OF_METRIC, Column, interval_columns
from audit.audits.tables.disparities import metrics_of_harm
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.grouping import Grouping
from audit.stats.adjusted import AdjustedGap, Adjustment


def adjusted_gaps(source: Source) -> Iterator[Row] | None:
    """One row per grouping, metric and group; ``None`` if the plan adjusts for nothing.

    See :meth:`audit.stats.adjusted.Adjustment.gaps`.
    """
    return None if source.settings.adjust_for == () else _rows(source)


def _rows(source: Source) -> Iterator[Row]:
    evidence, words = sampled(source.evidence)
    for grouping in source.settings.groupings:
        of = evidence.by(grouping)
        made = _adjustment(of, grouping, source.settings.adjust_for)
        if len(of.groups) < 2:
            continue
        unused = f"without {', '.join(made.design.unused)} (unknown for most speakers, or equal for nearly all)"
        notes = [*([words] if words else []), *([unused] if made.design.unused else [])]
        for metric in metrics_of_harm(of, STAGE):
            assert metric.worse is not None
            for group, gap in zip(
                of.groups, made.gaps(of.values(STAGE, metric.name), metric.kind, metric.worse), strict=True
            ):
                keys = (grouping.name, metric.name, STAGE, group)
                yield (*keys, *_cells(gap), made.design.words, "; ".join((gap.adjusted.method, *notes)))


def _adjustment(evidence: Evidence, grouping: Grouping, names: tuple[str, ...] | None) -> Adjustment:
    cells, place = evidence.cells(evidence.group_column), {group: i for i, group in enumerate(evidence.groups)}
    code = np.array([place.get(str(key[0]), -1) for key in cells.keys], np.int64)[cells.number]
    linked = evidence.shared_by_speakers(evidence.speakers)
    units = evidence.speakers if linked is None else linked
    found = covariates(evidence, names, grouping)
    return Adjustment(code, len(place), evidence.speakers, units, found, evidence.settings)


def _cells(gap: AdjustedGap) -> Row:
    """The cells of a gap, after its keys."""
    overlap, strength = gap.overlap, gap.e_value
    return (
        *(_short(end) for each in (gap.unadjusted, gap.adjusted) for end in (each.value, each.low, each.high)),
        *((None, None) if strength is None else (_short(strength.point), _short(strength.end))),
        gap.unadjusted.n_speakers,
        gap.unadjusted.n_clips,
        gap.unadjusted.n_missing,
        gap.n_left_out,
        "yes" if overlap.enough else "no",
        _short(overlap.outside),
        _short(overlap.effective),
    )


def _short(value: float | None) -> float | None:
    """Six significant digits; rounding errors around 0 are 0."""
    return None if value is None else float(f"{round(value, 12):.6g}")


TABLE = TableSpec(
    name="adjusted_gaps",
    title="Gaps adjusted for age, gender and recording quality",
    note="Each group minus all others, by one method without and with adjustment and from the same clips; a clip that "
    "lacks a covariate is left out of both. The adjusted gap never replaces the unadjusted one, and no finding uses "
    "it. E-value: the risk ratio that an unmeasured confounder would need with both group and outcome to explain the "
    "gap, or the end of its interval nearer to no gap. Without overlap the regression extrapolates, and the adjusted "
    "gap supports no conclusion. Intervals are not adjusted for the number of rows.",
    columns=(
        Column("grouping", "grouping", "Grouping"),
        Column("metric", "metric", "Metric"),
        Column("stage", "key", "Stage"),
        GROUP,
        *interval_columns("unadjusted", "Unadjusted gap", OF_METRIC, signed=True),
        *interval_columns("adjusted", "Adjusted gap", OF_METRIC, signed=True),
        Column("e_value", "value", "E-value"),
        Column("e_value_end", "value", "E-value of the interval's end"),
        N_SPEAKERS,
        N_CLIPS,
        Column("n_missing", "count", "Not read"),
        Column("n_left_out", "count", "Without covariates"),
        Column("overlap", "text", "Overlap"),
        Column("outside", "value", "Outside the others' range", "share"),
        Column("effective_speakers", "value", "Effective speakers"),
        Column("adjusted_for", "text", "Adjusted for"),
        METHOD,
    ),
    make=adjusted_gaps,
)
