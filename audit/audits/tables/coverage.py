"""Training coverage of each group and language."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec


def coverage(source: Source) -> Iterator[Row]:
    """The training clips of each group and language, and the rate of own-group reads."""
    evidence = source.evidence
    for group in evidence.every_group:
        for language in evidence.languages:
            part = evidence.where(group=group, language=language)
            if part.any():
                trained = evidence.clips_trained[part][0]
                yield group, language, trained, evidence.figure("read_own_group", "rendered", part)


TABLE = TableSpec(
    name="coverage",
    title="Training coverage",
    note="The number of training clips reported by the model, and how often rendered faces are read as the own group.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("clips_trained", "setting", "Training clips", "clips"),
        *estimate_columns("share", "Rendered face read as the own group"),
    ),
    make=coverage,
)
