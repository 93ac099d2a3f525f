"""The section "Language identification" of the report: whose languages the identifiers rejected."""

from __future__ import annotations

from typing import Final

from audit.audits.audit import Audit
from audit.reports.html.tabular import TableView
from audit.reports.report.further_tables import typed_view

SECTION: Final = "language_identification"


def language_identification(audit: Audit) -> TableView:
    """The outcomes by group and language before; no rows for a cohort that was not identified."""
    if SECTION not in audit.tables:
        return TableView.of(SECTION, "", (), ())
    return typed_view(audit, SECTION)
