"""The report: what one audit found, as a page to read, print, question and sign."""

from audit.report.page import write_report
from audit.report.printing import print_pdf
from audit.report.sign_off import keep_sign_off
from audit.report.verdicts import outcome_table

__all__ = ["keep_sign_off", "outcome_table", "print_pdf", "write_report"]
