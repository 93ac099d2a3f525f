"""The tables of an audit, each declared in a file of its own: one figure a row, with its interval and its counts."""

from __future__ import annotations

from typing import Final

import pandas as pd

from audit.audits.table import Table
from audit.audits.tables import (
    bounds,
    changes,
    confusion,
    corrected,
    coverage,
    craniofacial,
    disparities,
    failures,
    gallery,
    groups,
    human_readings,
    instrument,
    label_sources,
    language_effects,
    language_flips,
    metric_definitions,
    power,
    rendered_as,
    retrieval,
    stage_statuses,
    statuses,
    strata,
)
from audit.audits.tables.spec import Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.errors import PlanError
from audit.core.plan import MeasureSettings

TABLES: Final[tuple[TableSpec, ...]] = (
    strata.TABLE,
    label_sources.TABLE,
    statuses.TABLE,
    stage_statuses.TABLE,
    instrument.TABLE,
    metric_definitions.TABLE,
    disparities.TABLE,
    groups.TABLE,
    retrieval.TABLE,
    craniofacial.TABLE,
    changes.TABLE,
    language_effects.TABLE,
    language_flips.TABLE,
    coverage.TABLE,
    rendered_as.TABLE,
    confusion.TABLE,
    corrected.TABLE,
    bounds.TABLE,
    power.TABLE,
    gallery.TABLE,
    failures.TABLE,
    human_readings.TABLE,
)
"""Every table of the package, in the order of audit.json. A table may read those before it."""


def tables(evidence: Evidence, settings: MeasureSettings) -> dict[str, Table]:
    """Every table of the audit, by name.

    Raises
    ------
    PlanError
        If a column to stratify by is not in the run.
    """
    made: dict[str, Table] = {}
    source = Source(evidence, settings, made)
    if absent := [column for column in source.by if column not in evidence.frame]:
        raise PlanError(
            f"measure.by names {', '.join(absent)}.", f"columns of the run: {', '.join(_columns(evidence.frame))}"
        )
    for spec in TABLES:
        if (table := spec.table(source)) is not None:
            made[spec.name] = table
    return made


def _columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if "." not in str(name)]
