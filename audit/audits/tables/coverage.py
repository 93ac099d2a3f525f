"""What the training heard of each group and language."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence


def coverage(evidence: Evidence) -> pd.DataFrame:
    """What the training heard of each group in each language, beside how often the faces are read as the group."""
    rows = []
    for group in evidence.every_group:
        for language in evidence.languages:
            part = evidence.where(group=group, language=language)
            if part.any():
                trained = evidence.clips_trained[part][0]
                curve = evidence.figure_curve("read_own_group", "rendered", part)
                figure = curve.at(evidence.settings.confidence)
                rows.append((group, language, trained, *astuple(figure)))
    return pd.DataFrame(rows, columns=TABLE.names)


TABLE = TableSpec(
    name="coverage",
    title="What the training heard",
    note="By the model's own record, beside how often the rendered faces are read as the own group.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("clips_trained", "setting", "Clips that the training heard", "clips"),
        *estimate_columns("share", "Rendered face read as the own group"),
    ),
    make=lambda source: coverage(source.evidence),
)
