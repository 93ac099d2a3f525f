"""The section "Recordings" of the report: recording quality by group and language."""

from __future__ import annotations

from typing import Final

from audit.audits.audit import Audit
from audit.core.recording import RECORDING
from audit.reports.html.records import records, split, text, where
from audit.reports.html.tabular import GROUP, LANGUAGE, TableView, figure

SECTION: Final = "recording"
MOST_ROWS: Final = 100


def recording(audit: Audit) -> TableView:
    """The mean of every measure of recording quality by group and language; no rows for a run without them."""
    rows = records(audit, SECTION)
    cells = split(rows, "group", "language")
    columns = [GROUP, LANGUAGE]
    for measure in RECORDING:
        if where(rows, measure=measure.name):
            columns.append(figure(measure.label[:1].upper() + measure.label[1:], measure.unit, measure=measure.name))
    totals = sum(text(cell[0], "group") == "all" for cell in cells) if len(cells) <= MOST_ROWS else 0
    note = f"The first {MOST_ROWS} of {len(cells):,} rows are shown; all are in tables/{SECTION}.csv."
    caption = "Recording quality of the clips: mean over speakers, with interval"
    view = TableView.of(SECTION, caption, columns, cells[:MOST_ROWS], totals=totals)
    view.note = note if len(cells) > MOST_ROWS else ""
    return view
