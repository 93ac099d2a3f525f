"""Changes of all reads from portrait to rendered face (exploratory)."""

from __future__ import annotations

from audit.audits.table import GROUP, LANGUAGE, Column
from audit.audits.tables.paired import changed, compared_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.core.vocabulary import RACES
from audit.stats import ALL


def rendered_as(source: Source) -> list[Row]:
    """The change of every read from portrait (or ceiling) to rendered, by group and language."""
    evidence = source.evidence
    before = "portrait" if evidence.has("portrait") else "ceiling"
    rows: list[Row] = [
        (group, race, *row)
        for race in (RACES if evidence.has(before) else ())
        for group, *row in changed(evidence, f"read_{race}", before, "rendered")
    ]
    groups = [ALL, *evidence.every_group]
    return sorted(rows, key=lambda row: groups.index(str(row[0])))


TABLE = TableSpec(
    name="rendered_as",
    title="Rendered as another group (exploratory)",
    note="Rendered minus portrait, paired by speaker. q: p-value adjusted for the number of rows (Benjamini-Hochberg); "
    "the intervals are not adjusted.",
    columns=(GROUP, Column("read", "read", "Read as"), LANGUAGE, *compared_columns("share")),
    make=rendered_as,
)
