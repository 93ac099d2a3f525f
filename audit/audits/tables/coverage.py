"""Training coverage of each group and language."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence


def coverage(evidence: Evidence) -> pd.DataFrame:
    """The training clips of each group and language, and the rate of own-group reads."""
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
    title="Training coverage",
    note="The number of training clips reported by the model, and how often rendered faces are read as the own group.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("clips_trained", "setting", "Training clips", "clips"),
        *estimate_columns("share", "Rendered face read as the own group"),
    ),
    make=lambda source: coverage(source.evidence),
)
