"""Suppression of the small cells of an audit: its findings, tables and notices."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from audit.audits.audit import Audit
from audit.audits.privacy.findings import suppressed_finding
from audit.audits.privacy.small_cells import SmallCells, suppressed_tables


def suppressed(audit: Audit, small: SmallCells) -> Audit:
    """The audit without the figures of small cells.

    The outcomes of all checks are kept. Where the headline figure of a check is suppressed, its sentence and p-values
    are too; where another one is, every text that quotes it. Rows of single clips are removed with their cell.
    """
    if small.below < 2:
        return audit
    found = [suppressed_finding(finding, small) for finding in audit.findings]
    tables, count = suppressed_tables(audit.tables, small)
    count += sum(hidden for _, hidden in found)
    notice = (
        f"{count:,} figures and rows are suppressed, because they are of fewer than {small.below} speakers or would "
        "reveal a cell with fewer. The verdicts include them."
    )
    notices: list[str] = cast(list[str], audit.run.get("notices", []))
    run = {**audit.run, "notices": [*notices, notice]}
    return replace(audit, run=run, findings=tuple(finding for finding, _ in found), tables=tables)
