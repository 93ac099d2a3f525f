"""The report: what one audit found, as a page to read, print and question."""

from audit.report.page import write_report
from audit.report.verdicts import outcome_table

__all__ = ["outcome_table", "write_report"]
