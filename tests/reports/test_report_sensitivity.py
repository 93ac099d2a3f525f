"""The report's part "How wrong would this have to be?": sentences that repeat the table's numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import audit
from audit.audits.audit import Audit
from audit.core.plan import MeasureSettings
from audit.reports import write_report
from audit.reports.html.records import records, where
from audit.reports.report.sensitivity import sensitivity, tipping_points
from tests.sensitivity_fixture import missing_if_white


@pytest.fixture(scope="module")
def measured() -> Audit:
    return audit.measure(missing_if_white())


def test_the_sentence_of_a_finding_names_the_fewest_errors(measured: Audit) -> None:
    sentence = tipping_points(measured)[0]
    assert sentence.startswith("S2F001 (not shown): the verdict would change if ")
    rows = where(records(measured, "sensitivity"), check="S2F001")
    for row, words in zip(
        rows, ("missing faces of asian speakers were read as white", "rendered faces", "group labels"), strict=True
    ):
        assert f"{row['n_to_change']}" in sentence and words in sentence
    assert [sentence[:6] for sentence in tipping_points(measured)] == ["S2F001", "S2F003", "S2F006"]


def test_the_table_has_a_row_for_every_error(measured: Audit) -> None:
    view = sensitivity(measured)
    assert len(view) == len(measured.tables["sensitivity"].frame)
    first = [cell.text for cell in view.rows[0]]
    row = records(measured, "sensitivity")[0]
    assert first[:5] == [
        "S2F001",
        "asian, in English: rendered minus portrait",
        "Missing faces",
        "read as white",
        "not shown",
    ]
    assert first[5] == f"{row['n_to_change']} of {row['n_available']}"


def test_the_report_has_the_part_and_an_older_audit_does_not(measured: Audit, tmp_path: Path) -> None:
    page = write_report(measured, tmp_path / "new").read_text(encoding="utf-8")
    assert "How wrong would this have to be?" in page and tipping_points(measured)[0] in page
    assert (tmp_path / "new" / "tables" / "sensitivity.csv").read_text().startswith("check,figure,group,")
    tables = {name: table for name, table in measured.tables.items() if name != "sensitivity"}
    page = write_report(replace(measured, tables=tables), tmp_path / "old").read_text(encoding="utf-8")
    assert "How wrong would this have to be?" not in page


def test_suppressed_rows_are_in_no_sentence() -> None:
    few = audit.measure(missing_if_white(speakers=8), settings=MeasureSettings(suppress_below=10))
    assert tipping_points(few) == []
    assert all(cell.text in ("\N{EN DASH}", "") for row in sensitivity(few).rows for cell in (row[5], row[7]))
