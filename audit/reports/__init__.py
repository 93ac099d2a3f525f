"""Reports: everything that leaves as a file for people or other tools; parts are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from audit.reports.html.pdf import print_pdf
    from audit.reports.html.verdicts import outcome_table
    from audit.reports.report.page import write_report
    from audit.reports.report.sign_off import keep_sign_off

_HOMES: Final = {
    "keep_sign_off": "audit.reports.report.sign_off",
    "outcome_table": "audit.reports.html.verdicts",
    "print_pdf": "audit.reports.html.pdf",
    "write_report": "audit.reports.report.page",
}

__all__ = ["keep_sign_off", "outcome_table", "print_pdf", "write_report"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit.reports' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
