"""Documents written with their pages: the functions behind every ``write_report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from audit.audits.audit import Audit
from audit.audits.privacy.sharing import withheld
from audit.comparisons.comparison import Comparison
from audit.core.addresses import place, refuse_address
from audit.core.files import writing
from audit.core.written_files import write_files
from audit.probes.probe import Probe
from audit.release.decision import Decision
from audit.reports.comparison.page import write_comparison
from audit.reports.decision import junit_xml, sarif_json, summary_markdown
from audit.reports.html.pdf import print_pdf
from audit.reports.probe.page import write_probe
from audit.reports.report.page import write_report
from audit.reports.report.sign_off import same_audit
from audit.reports.series.history import write_history
from audit.reports.series.sweep import write_sweep
from audit.series import History
from audit.series.sweep import Sweep


def write_audit_report(
    audit: Audit,
    folder: str | Path,
    *,
    pdf: bool = False,
    show_faces: bool = False,
    show_ids: bool = False,
    rules: Sequence[str] = (),
) -> Path:
    """The page of an audit; see :meth:`audit.Audit.write_report`."""
    home = place(folder)
    if pdf:
        refuse_address(home, "The folder of the report that is to be printed")
    path = home / Audit.FILE
    if not (path.is_file() and same_audit(path, audit)):
        (audit if show_ids else replace(audit, tables=withheld(audit.tables))).write(home)
    with writing(home):
        page = write_report(audit, home, show_faces=show_faces, show_ids=show_ids, rules=rules)
    if pdf:
        print_pdf(page)
    return page


def write_comparison_report(
    comparison: Comparison, folder: str | Path, *, show_faces: bool = False, show_ids: bool = False
) -> Path:
    """The page of a comparison; see :meth:`audit.Comparison.write_report`."""
    with writing(folder):
        return write_comparison(comparison, folder, comparison.folders, show_faces=show_faces, show_ids=show_ids)


def write_probe_report(probe: Probe, folder: str | Path) -> Path:
    """The page of a probe; see :meth:`audit.Probe.write_report`."""
    with writing(folder):
        return write_probe(probe, folder)


def write_series_report(series: History | Sweep, folder: str | Path) -> Path:
    """The page of a history or a sweep; see :meth:`audit.History.write_report`."""
    with writing(folder):
        return write_history(series, folder) if isinstance(series, History) else write_sweep(series, folder)


def write_decision_report(decision: Decision, folder: str | Path) -> Path:
    """The decision as JSON, Markdown, JUnit XML and SARIF; see :meth:`audit.Decision.write_report`."""
    home = place(folder)
    files = {
        Decision.FILE: decision.to_json(),
        "decision.md": summary_markdown(decision),
        "decision.junit.xml": junit_xml(decision),
        "decision.sarif": sarif_json(decision),
    }
    with writing(home):
        write_files(home, files, durable=True)
    return home / "decision.md"
