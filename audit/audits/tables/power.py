"""The power of every check on this cohort."""

from __future__ import annotations

from audit.audits.table import GROUP, LANGUAGE, METHOD, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.checks.power import detectable

TABLE = TableSpec(
    name="power",
    title="Power: minimum detectable effects",
    note="The smallest true difference whose interval would lie beyond the check's margin with a power of .80, at a "
    "rate of one half.",
    columns=(
        Column("check", "key", "Check"),
        Column("comparison", "key", "Comparison"),
        GROUP,
        LANGUAGE,
        N_SPEAKERS,
        Column("margin", "setting", "Margin", "share", signed=True),
        Column("smallest_detectable", "value", "Minimum detectable effect", "share", signed=True),
        Column("note", METHOD.kind, "Method"),
    ),
    make=lambda source: detectable(
        source.evidence.frame, source.evidence.checks, source.evidence.margins, source.evidence.settings
    ),
)
