"""Clips without a result."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column
from audit.audits.tables.spec import Source, TableSpec


def failures(source: Source) -> pd.DataFrame:
    """Every clip whose status is not ok."""
    frame = source.evidence.every_clip
    return frame.loc[frame["status"] != "ok", TABLE.names].reset_index(drop=True)


TABLE = TableSpec(
    name="failures",
    title="Clips without a result",
    note="Every clip whose status is not ok.",
    columns=(
        Column("clip_id", "clip_id", "Clip"),
        Column("speaker_id", "speaker_id", "Speaker"),
        GROUP,
        LANGUAGE,
        Column("status", "status", "Status"),
        Column("detail", "detail", "Detail"),
    ),
    make=failures,
)
