"""The report's CSV files: what the audit holds, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses

import pandas as pd
import pytest

from audit.core.errors import RunError
from audit.reports.html.csv_tables import harmless, write_csv_tables
from tests.report_fixture import fictional_audit, hostile_audit


def test_every_table_is_written_as_it_is(tmp_path):
    audit = fictional_audit()
    paths = write_csv_tables(audit, tmp_path)
    assert sorted(path.stem for path in paths) == sorted(audit.tables)
    read = pd.read_csv(tmp_path / "disparities.csv")
    frame = audit.tables["disparities"].frame
    assert list(read.columns) == list(frame.columns)
    assert read["value"].tolist() == pytest.approx(frame["value"].astype(float).tolist(), nan_ok=True)


def test_a_null_is_empty_and_never_zero(tmp_path):
    write_csv_tables(fictional_audit(), tmp_path)
    with (tmp_path / "power.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["smallest_detectable"] == ""


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "  =1", "\uff1d1", "%0A=1"]
)
def test_text_that_begins_like_a_formula_is_made_harmless(text):
    assert str(harmless(text)).startswith("'")


def test_numbers_stay_numbers():
    assert harmless(-0.25) == -0.25
    assert harmless(0) == 0


def test_hostile_cells_and_names_of_columns_are_harmless_in_the_file(tmp_path):
    audit = hostile_audit("=1+1")
    frame = audit.tables["strata"].frame.rename(columns={"gender": "=2+2"})
    tables = {**audit.tables, "strata": dataclasses.replace(audit.tables["strata"], frame=frame, columns=())}
    for path in write_csv_tables(dataclasses.replace(audit, tables=tables), tmp_path):
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_tables_of_an_earlier_audit_are_removed(tmp_path):
    (tmp_path / "old.csv").write_text("a\n")
    write_csv_tables(fictional_audit(), tmp_path)
    assert not (tmp_path / "old.csv").exists()


def test_a_name_that_leads_elsewhere_is_refused(tmp_path):
    audit = fictional_audit()
    renamed = dataclasses.replace(audit, tables={"../power": audit.tables["power"]})
    with pytest.raises(RunError, match="names a table"):
        write_csv_tables(renamed, tmp_path)
