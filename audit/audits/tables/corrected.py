"""Rates corrected for the instrument's misclassification."""

from __future__ import annotations

import math
from collections.abc import Iterator

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.stats import ALL, TRANSFER


def corrected(source: Source) -> Iterator[Row]:
    """The raw and corrected rates of every calibrated race at each later stage, by group and language."""
    evidence = source.evidence
    for stage in filter(evidence.has, ("ceiling", "rendered")):
        for group in evidence.groups:
            for language in (ALL, *evidence.languages):
                part = evidence.where(group=group, language=None if language == ALL else language)
                for read, found in evidence.correction(stage, part).items() if part.any() else ():
                    condition = None if found.condition_number == math.inf else found.condition_number
                    yield stage, group, language, read, found.raw, found.estimate, condition, found.effective_speakers


TABLE = TableSpec(
    name="corrected",
    title="Rates corrected for the instrument's misclassification",
    note=f"Raw and corrected rates. {TRANSFER} Here: rendered faces are misclassified like the calibration pictures.",
    columns=(
        Column("stage", "key", "Stage"),
        GROUP,
        LANGUAGE,
        Column("read", "read", "Read as"),
        Column("raw", "value", "Raw", "share"),
        *estimate_columns("share", "Corrected"),
        Column("condition_number", "value", "Condition number"),
        Column("effective_speakers", "value", "Effective speakers"),
    ),
    make=corrected,
)
