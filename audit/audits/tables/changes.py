"""Changes of the metrics from stage to stage."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import GROUP, LANGUAGE, OF_METRIC, Column
from audit.audits.tables.paired import changed, compared_columns
from audit.audits.tables.spec import Row, Source, TableSpec

STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")


def changes(source: Source) -> Iterator[Row]:
    """The change of each metric between stages, by group and language, paired by speaker."""
    evidence = source.evidence
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if evidence.has(before) and evidence.has(after):
                yield from ((metric, before, after, *row) for row in changed(evidence, metric, before, after))


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
    make=changes,
)
