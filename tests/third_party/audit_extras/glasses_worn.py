"""The table ``glasses_worn``: how many portraits and rendered faces of each group are read with glasses."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, N_SPEAKERS, Column
from audit.audits.tables.spec import Source, TableSpec


def rows(source: Source) -> pd.DataFrame | None:
    """One row for each group; no table where glasses were not read."""
    evidence = source.evidence
    if "glasses_read" not in evidence.metrics:
        return None
    found = []
    for group in evidence.groups:
        portrait, rendered = (
            evidence.figure("glasses_read", stage, evidence.where(group=group)) for stage in ("portrait", "rendered")
        )
        lost = None if portrait.value is None or rendered.value is None else rendered.value - portrait.value
        found.append((group, portrait.value, lost, portrait.n_speakers))
    return pd.DataFrame(found, columns=TABLE.names)


TABLE = TableSpec(
    name="glasses_worn",
    title="Glasses by group",
    note="Read by the audit_extras package.",
    columns=(
        GROUP,
        Column("worn", "value", "Worn in the portrait", "share"),
        Column("lost", "value", "Rendered minus portrait", "share", signed=True),
        N_SPEAKERS,
    ),
    make=rows,
)
