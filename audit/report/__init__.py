"""The report: what one audit found, as a page to read, print and question."""

from audit.report.page import write_report
from audit.report.sign_off import keep_sign_off

__all__ = ["keep_sign_off", "write_report"]
