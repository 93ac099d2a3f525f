"""The report: what one audit found, as a page to read, print and question."""

from audit.report.page import write_report

__all__ = ["write_report"]
