"""The report on paper: printed by a browser of the machine, or an error that says what is missing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.core.errors import AuditError
from audit.core.written_files import write_files
from audit.reports import print_pdf, write_report
from audit.reports.html.pdf import VARIABLE, browser_path
from tests.browser import pdf_headings, pdf_pages
from tests.report_fixture import fictional_audit
from tests.reports.test_report_page import only

TO = 'for to in "$@"; do case "$to" in --print-to-pdf=*) to=${to#*=}; break;; esac; done'
"""Shell that extracts the browser's output path."""
TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 8, "languages": ["en", "zh"]}


def program(folder: Path, script: str) -> Path:
    """A program that is taken for a browser."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.html").write_text("<title>t</title><h1>A page</h1>")
    return folder / "report.html"


@pytest.mark.skipif(browser_path() is None, reason="no Chromium or Chrome is on this machine (AUDIT_BROWSER)")
def test_the_command_prints_the_report_beside_its_page(tmp_path: Path) -> None:
    run = audit.simulate(TRUTH, out=tmp_path / "run")
    audit.measure(run).write(tmp_path / "run")
    done = CliRunner().invoke(app, ["report", str(tmp_path / "run"), "--pdf"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "run" / "report.pdf")
    printed = (tmp_path / "run" / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF-") and pdf_pages(printed) >= 3
    assert any("Results" in heading for heading in pdf_headings(printed))
    for place in (b"file:", str(tmp_path).encode(), os.fsencode(Path.home())):
        assert place not in printed, "no sheet and no field names a place on this machine"
    assert {path.name for path in (tmp_path / "run").glob("*report*")} == {"report.html", "report.pdf"}


def test_without_a_browser_the_error_says_what_was_looked_for(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(page.parent))
    monkeypatch.setattr("audit.reports.html.pdf.PLACES", {})
    with pytest.raises(
        AuditError, match=r"looked for chromium, .*Install Chromium, or name a browser in AUDIT_BROWSER"
    ):
        print_pdf(page)
    monkeypatch.setenv(VARIABLE, "no/such/browser")
    with pytest.raises(AuditError, match="AUDIT_BROWSER names no/such/browser, which is not an executable program"):
        print_pdf(page)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo no display >&2; exit 1", "no display"),
        ("exit 0", "no message"),
        ("exec sleep 20", "stopped after 0.5 seconds"),
        (f"{TO}; printf '%%PDF-1.4 half' > \"$to\"; exec sleep 20", "stopped after 0.5 seconds"),
        (f"{TO}; printf '%%PDF-1.4 half' > \"$to\"; echo crashed >&2; exit 1", "crashed"),
    ],
)
def test_a_browser_that_prints_nothing_is_an_error(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setenv(VARIABLE, str(program(tmp_path, script)))
    with pytest.raises(AuditError, match=words):
        print_pdf(page, seconds=0.5)
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_browser_that_hangs_after_a_whole_file_has_printed_it(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"{TO}; printf '%%PDF-1.4\\n%%%%EOF\\n' > \"$to\"; exec sleep 20"
    monkeypatch.setenv(VARIABLE, str(program(tmp_path, script)))
    assert print_pdf(page, seconds=0.5).read_bytes() == b"%PDF-1.4\n%%EOF\n"


def test_a_pdf_of_an_earlier_page_is_not_left_beside_a_new_one(page: Path) -> None:
    write_files(page.parent, {"report.html": page.read_bytes(), "report.pdf": b"old"})
    write_report(only(fictional_audit()), page.parent)
    assert not page.with_suffix(".pdf").exists()
