"""Rates corrected for the instrument's misclassification."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.stats import ALL, TRANSFER


def corrected(evidence: Evidence) -> pd.DataFrame:
    """The raw and corrected rates of every calibrated race at each later stage, by group and language."""
    rows = []
    for stage in ("ceiling", "rendered"):
        if not evidence.has(stage):
            continue
        for group in evidence.groups:
            mask = evidence.where(group=group)
            for language in (ALL, *evidence.languages):
                part = mask if language == ALL else mask & evidence.where(language=language)
                for read, found in evidence.correction(stage, part).items() if part.any() else ():
                    rows.append(
                        (
                            stage,
                            group,
                            language,
                            read,
                            found.raw,
                            *astuple(found.estimate),
                            found.condition_number,
                            found.effective_speakers,
                        )
                    )
    numbers = ["raw", "value", "low", "high", "condition_number", "effective_speakers"]
    table = pd.DataFrame(rows, columns=TABLE.names).astype(dict.fromkeys(numbers, float))
    return table.replace({"condition_number": {np.inf: np.nan}})


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
    make=lambda source: corrected(source.evidence),
)
