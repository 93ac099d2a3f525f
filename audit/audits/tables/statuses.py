"""Statuses of the clips."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.core.group_order import in_group_order
from audit.core.vocabulary import CLIP_STATUSES


def statuses(frame: pd.DataFrame) -> pd.DataFrame:
    """The number of clips by group, language and status."""
    ordered = frame.assign(status=pd.Categorical(frame["status"], CLIP_STATUSES, ordered=True))
    counts = ordered.groupby(["group", "language", "status"], observed=True, sort=True).agg(
        n_clips=("clip_id", "size"), n_speakers=("speaker_id", "nunique")
    )
    return in_group_order(counts.reset_index().astype({"status": object}))


TABLE = TableSpec(
    name="statuses",
    title="Statuses of the clips",
    note="Every clip has one status; none is dropped.",
    columns=(GROUP, LANGUAGE, Column("status", "status", "Status"), N_CLIPS, N_SPEAKERS),
    make=lambda source: statuses(source.evidence.every_clip),
)
