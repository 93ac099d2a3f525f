"""The section "Your files" of the report: files of the cohort that cannot be used."""

from __future__ import annotations

from audit.audits.audit import Audit
from audit.audits.tables.your_files import AUDIO, DAMAGE
from audit.core.language_names import language_name
from audit.reports.html.records import Record, count, records, text
from audit.reports.html.tabular import Column, TableView, head, whole, words
from audit.reports.html.wording import group_name, status_name

SECTION = "your_files"


def your_files(audit: Audit) -> TableView:
    """The number of clips by group, language, file and damage; no rows where every file can be used."""
    absent = "suppressed" if audit.settings.get("suppress_below") else "not recorded"
    columns = (
        Column[Record]("Group", lambda row: head(group_name(text(row, "group")))),
        Column[Record]("Language", lambda row: words(language_name(text(row, "language")))),
        Column[Record]("File", lambda row: words(_file(text(row, "file")))),
        Column[Record]("What is wrong", lambda row: words(DAMAGE.get(text(row, "damage"), text(row, "damage")))),
        Column[Record]("Status of the clip", lambda row: words(status_name(text(row, "status")))),
        Column[Record]("Clips", lambda row: whole(count(row, "n_clips"), absent), numeric=True),
        Column[Record]("Speakers", lambda row: whole(count(row, "n_speakers"), absent), numeric=True),
    )
    return TableView.of("your-files", "Files that cannot be used", columns, records(audit, SECTION))


def _file(name: str) -> str:
    return name if name == AUDIO else f"{name} picture"
