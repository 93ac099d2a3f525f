"""The report: what one audit found, as a page to read, print and question."""

from audit.report.page import render

__all__ = ["render"]
