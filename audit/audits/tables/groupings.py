"""Speakers and clips of every group in the groupings of the plan."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from audit.audits.table import N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import Source, TableSpec
from audit.checks.strata import Strata
from audit.core.grouping import GROUP, Grouping


def group_sizes(strata: Strata, groupings: Sequence[Grouping]) -> pd.DataFrame:
    """Speakers and clips of every group in every grouping other than by ``group``, in the fixed order."""
    rows = []
    for grouping in groupings:
        if grouping == GROUP:
            continue
        of = strata.by(grouping)
        for group, n_speakers in of.n_speakers.items():
            rows.append((grouping.name, group, n_speakers, int(of.where(group=group).sum())))
    return pd.DataFrame(rows, columns=TABLE.names)


def _made(source: Source) -> pd.DataFrame | None:
    found = group_sizes(source.evidence, source.settings.groupings)
    return None if found.empty else found


TABLE = TableSpec(
    name="groupings",
    title="Speakers and clips of the plan's groupings",
    note="A speaker may be in several groups of a grouping by a column of the clips.",
    columns=(Column("grouping", "grouping", "Grouping"), Column("group", "group", "Group"), N_SPEAKERS, N_CLIPS),
    make=_made,
)
