"""The report: what one audit found, as a page to read, print and question, and as a part of a model's card."""

from audit.report.page import write_report
from audit.report.printing import print_pdf

__all__ = ["print_pdf", "write_report"]
