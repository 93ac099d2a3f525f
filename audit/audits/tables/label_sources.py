"""Sources of the labels."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec


def label_sources(frame: pd.DataFrame) -> pd.DataFrame:
    """Speakers and clips by label and source."""
    rows = []
    for label in ("group", "gender", "language"):
        for source, part in frame.groupby(f"{label}_source", observed=True, sort=True):
            rows.append((label, source, part["speaker_id"].nunique(), len(part)))
    return pd.DataFrame(rows, columns=TABLE.names)


TABLE = TableSpec(
    name="label_sources",
    title="Sources of the labels",
    note="The quality of a label depends on its source.",
    columns=(Column("field", "key", "Label"), Column("source", "key", "Source"), N_SPEAKERS, N_CLIPS),
    make=lambda source: label_sources(source.evidence.every_clip),
)
