"""Changes of the metrics from stage to stage."""

from __future__ import annotations

from typing import Any

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, OF_METRIC, Column
from audit.audits.tables.paired import changed, compared_columns, with_q
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence

STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")


def changes(evidence: Evidence) -> pd.DataFrame:
    """The change of each metric between stages, by group and language, paired by speaker."""
    rows: list[tuple[Any, ...]] = []
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if evidence.has(before) and evidence.has(after):
                rows += [(metric, before, after, *row) for row in changed(evidence, metric, before, after)]
    return with_q(pd.DataFrame(rows, columns=TABLE.names[:-1]))


TABLE = TableSpec(
    name="changes",
    title="Changes from stage to stage",
    note="Paired by speaker. Portrait to ceiling is the effect of the decoder, ceiling to rendered that of the voice "
    "encoder. q: p-value adjusted for the number of rows (Benjamini-Hochberg).",
    columns=(
        Column("metric", "metric", "Metric"),
        Column("from_stage", "key", "From"),
        Column("to_stage", "key", "To"),
        GROUP,
        LANGUAGE,
        *compared_columns(OF_METRIC),
    ),
    make=lambda source: changes(source.evidence),
)
