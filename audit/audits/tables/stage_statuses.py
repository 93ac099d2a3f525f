"""Statuses of the faces at each stage."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, N_CLIPS, Column
from audit.audits.tables.spec import Source, TableSpec
from audit.core.group_order import in_group_order
from audit.core.vocabulary import STAGES


def stage_statuses(source: Source) -> pd.DataFrame:
    """The number of clips by stage, group and status."""
    frame, parts = source.evidence.every_clip, []
    for stage in STAGES:
        counts = (
            frame.groupby(["group", f"{stage}_status"], observed=True, sort=True).size().rename("n_clips").reset_index()
        )
        counts = counts.rename(columns={f"{stage}_status": "status"})
        counts.insert(0, "stage", stage)
        parts.append(in_group_order(counts))
    return pd.concat(parts, ignore_index=True)


TABLE = TableSpec(
    name="stage_statuses",
    title="Statuses at each stage",
    note="Pictures without a face are not scored.",
    columns=(Column("stage", "key", "Stage"), GROUP, Column("status", "key", "Status"), N_CLIPS),
    make=stage_statuses,
)
