"""How many faces the pictures of each stage have."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, N_CLIPS, Column
from audit.audits.tables.spec import TableSpec
from audit.core.columns import FACES_FOUND
from audit.core.group_order import in_group_order
from audit.core.vocabulary import STAGES


def faces_found(frame: pd.DataFrame) -> pd.DataFrame | None:
    """The number of clips whose picture has more than one face, by stage and group; ``None`` where none was counted."""
    parts = []
    for stage in STAGES:
        if (column := f"{stage}{FACES_FOUND}") not in frame:
            continue
        counted = frame.loc[frame[column].notna(), ["group", column]]
        found = counted.assign(several=counted[column] > 1).groupby("group", observed=True, sort=True)
        counts = found.agg(n_clips=(column, "size"), n_several=("several", "sum"), most_faces=(column, "max"))
        counts.insert(0, "stage", stage)
        parts.append(in_group_order(counts.reset_index())[TABLE.names].astype({"most_faces": int}))
    if not any(map(len, parts)):
        return None
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


TABLE = TableSpec(
    name="faces_found",
    title="Pictures with more than one face",
    note="Over the clips in whose picture faces were counted. One face of each picture is read.",
    columns=(
        Column("stage", "key", "Stage"),
        GROUP,
        N_CLIPS,
        Column("n_several", "count", "More than one face"),
        Column("most_faces", "count", "Most faces"),
    ),
    make=lambda source: faces_found(source.evidence.every_clip),
)
