"""The report: what one audit found, as a page to read, print, question and sign."""

from audit.reports.html.printing import print_pdf
from audit.reports.html.verdicts import outcome_table
from audit.reports.report.page import write_report
from audit.reports.report.sign_off import keep_sign_off

__all__ = ["keep_sign_off", "outcome_table", "print_pdf", "write_report"]
