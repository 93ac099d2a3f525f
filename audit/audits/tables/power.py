"""What a cohort of this size could show."""

from __future__ import annotations

from audit.audits.table import GROUP, LANGUAGE, METHOD, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.checks.power import detectable

TABLE = TableSpec(
    name="power",
    title="What this cohort could show",
    note="The smallest true difference whose interval would lie beyond the check's margin with a power of .80, at a "
    "rate of one half.",
    columns=(
        Column("check", "key", "Check"),
        Column("comparison", "key", "Comparison"),
        GROUP,
        LANGUAGE,
        N_SPEAKERS,
        Column("margin", "setting", "Margin", "share", signed=True),
        Column("smallest_detectable", "value", "Smallest detectable difference", "share", signed=True),
        Column("note", METHOD.kind, "How it was reckoned"),
    ),
    make=lambda source: detectable(
        source.evidence.frame, source.evidence.checks, source.evidence.margins, source.evidence.settings
    ),
)
