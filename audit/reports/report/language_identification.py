"""The section "Language identification" of the report: whose languages the identifiers rejected."""

from __future__ import annotations

from typing import Final

from audit.audits.audit import Audit
from audit.core.identification import DECLARED
from audit.core.languages import UNDETERMINED
from audit.reports.html.records import Record, Value, count, records, text
from audit.reports.html.tabular import Column, TableView, estimate, head, whole, words
from audit.reports.html.wording import group_name, language_name

SECTION: Final = "language_identification"
_COUNTS: Final = {
    "n_clips": "Clips",
    "accepted": "Accepted",
    "contradicted": "Accepted as another language",
    "disagreement": "Disagreement",
    "low_probability": "Low probability",
    "not_identified": "Too short, silent or unreadable",
}


def language_identification(audit: Audit) -> TableView:
    """The outcomes by group and language before; no rows for a cohort that was not identified."""
    absent = "suppressed" if audit.settings.get("suppress_below") else "not recorded"

    def counted(name: str) -> Column[Record]:
        return Column(_COUNTS[name], lambda row: whole(count(row, name), absent), numeric=True)

    def before(row: Record) -> str:
        code = text(row, DECLARED)
        return "none" if code == UNDETERMINED else language_name(code)

    columns = (
        Column[Record]("Group", lambda row: head(group_name(text(row, "group")))),
        Column[Record]("Language before", lambda row: words(before(row))),
        *map(counted, _COUNTS),
        Column[Record](
            "Rejected", lambda row: estimate(Value.of(row, "rejected", "n_speakers"), "share"), numeric=True
        ),
    )
    caption = "Clips by outcome of language identification; share rejected, mean over speakers, with interval"
    return TableView.of("language-identification", caption, columns, records(audit, SECTION), sortable=False)
