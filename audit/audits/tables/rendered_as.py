"""Changes of all reads from portrait to rendered face (exploratory)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column
from audit.audits.tables.paired import changed, compared_columns, with_q
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES
from audit.stats import ALL


def rendered_as(evidence: Evidence) -> pd.DataFrame:
    """The change of every read from portrait (or ceiling) to rendered, by group and language."""
    before = "portrait" if evidence.has("portrait") else "ceiling"
    rows: list[tuple[Any, ...]] = []
    for race in RACES if evidence.has(before) else ():
        found = changed(evidence, f"read_{race}", before, "rendered")
        rows += [(group, race, language, *row) for group, language, *row in found]
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}
    rows.sort(key=lambda row: place[str(row[0])])
    return with_q(pd.DataFrame(rows, columns=TABLE.names[:-1]))


TABLE = TableSpec(
    name="rendered_as",
    title="Rendered as another group (exploratory)",
    note="Rendered minus portrait, paired by speaker. q: p-value adjusted for the number of rows (Benjamini-Hochberg); "
    "the intervals are not adjusted.",
    columns=(GROUP, Column("read", "read", "Read as"), LANGUAGE, *compared_columns("share")),
    make=lambda source: rendered_as(source.evidence),
)
