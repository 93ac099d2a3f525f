"""The report's CSV files: the audit's tables, without anything that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io

import pandas as pd
import pytest

from audit.core.errors import RunError
from audit.core.written_files import write_files
from audit.reports import write_report
from audit.reports.html.csv_tables import csv_tables, harmless
from tests.report_fixture import fictional_audit, hostile_audit


def test_every_table_is_written_as_it_is(tmp_path):
    audit = fictional_audit()
    tables = csv_tables(audit)
    assert sorted(tables) == sorted(f"tables/{name}.csv" for name in audit.tables)
    write_files(tmp_path, tables)
    read = pd.read_csv(tmp_path / "tables" / "disparities.csv")
    frame = audit.tables["disparities"].frame
    assert list(read.columns) == list(frame.columns)
    assert read["value"].tolist() == pytest.approx(frame["value"].astype(float).tolist(), nan_ok=True)


def test_a_null_is_empty_and_never_zero():
    rows = list(csv.DictReader(io.StringIO(csv_tables(fictional_audit())["tables/power.csv"], newline="")))
    assert rows[1]["smallest_detectable"] == ""


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "  =1", "\uff1d1", "%0A=1"]
)
def test_text_that_begins_like_a_formula_is_made_harmless(text):
    assert str(harmless(text)).startswith("'")


def test_numbers_stay_numbers():
    assert harmless(-0.25) == -0.25
    assert harmless(0) == 0


def test_hostile_cells_and_names_of_columns_are_harmless_in_the_file():
    audit = hostile_audit("=1+1")
    frame = audit.tables["strata"].frame.rename(columns={"gender": "=2+2"})
    tables = {**audit.tables, "strata": dataclasses.replace(audit.tables["strata"], frame=frame, columns=())}
    for text in csv_tables(dataclasses.replace(audit, tables=tables)).values():
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_tables_of_an_earlier_audit_are_removed(tmp_path):
    audit = fictional_audit()
    write_report(audit, tmp_path)
    assert (tmp_path / "tables" / "power.csv").exists()
    fewer = {name: table for name, table in audit.tables.items() if name != "power"}
    write_report(dataclasses.replace(audit, tables=fewer), tmp_path)
    assert not (tmp_path / "tables" / "power.csv").exists()


def test_a_name_that_points_outside_the_folder_is_refused():
    audit = fictional_audit()
    renamed = dataclasses.replace(audit, tables={"../power": audit.tables["power"]})
    with pytest.raises(RunError, match="name of the table"):
        csv_tables(renamed)
