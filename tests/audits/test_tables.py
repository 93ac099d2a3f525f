"""Tables: declared once with typed columns, which audit.json, CSV, the report and suppression read."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.audit import Audit
from audit.audits.privacy.small_cells import SmallCells, suppressed_tables
from audit.audits.table import GROUP, LANGUAGE, METHOD, N_SPEAKERS, OF_METRIC, Column, Table, interval_columns
from audit.audits.tables import shipped
from audit.audits.tables.gallery import gallery
from audit.audits.tables.spec import Source, TableSpec
from audit.cli import main
from audit.core.errors import AuditError
from audit.core.plan import MeasureSettings, Plan
from audit.reports import write_report

TRUTH = {"groups": ["asian", "black", "white"], "speakers_per_group": 9, "missing": 0.1}
BLACK_RATE = "tests.audits.test_tables:BLACK_RATE_SPEC"


def rates(source: Source) -> pd.DataFrame:
    """A rate for every group, under column names that the package has never seen."""
    evidence = source.evidence
    rows = []
    for label in evidence.groups:
        found = evidence.figure("read_own_group", "rendered", evidence.where(group=label))
        rows.append((label, "age_error", found.value, found.low, found.high, found.n_speakers, found.method))
    return pd.DataFrame(rows, columns=BLACK_RATE_SPEC.names)


BLACK_RATE_SPEC = TableSpec(
    "lab_rates",
    "Rates of a laboratory",
    "Made by somebody else.",
    (
        Column("who", "group", "Speakers of"),
        Column("figure", "metric", "Figure"),
        *(
            Column(name, kind, label, "share")
            for name, kind, label in (
                ("black_rate", "value", "Read as they are"),
                ("from", "low", ""),
                ("to", "high", ""),
            )
        ),
        Column("people", "n_speakers", "People"),
        Column("why", "method", "Why"),
    ),
    rates,
)


def few(**speakers: int) -> audit.Run:
    """A run with this number of speakers of each group."""
    run = audit.simulate({**TRUTH, "groups": list(speakers)})
    frame = run.observations
    kept = [
        name
        for group, n in speakers.items()
        for name in sorted(frame.loc[frame["group"] == group, "speaker_id"].unique())[:n]
    ]
    return replace(run, held=frame[frame["speaker_id"].isin(kept)].reset_index(drop=True))


@pytest.fixture(scope="module")
def measured() -> Audit:
    return audit.measure(audit.simulate(TRUTH), by=("group", "language", "gender"))


def test_every_declared_table_has_exactly_its_columns(measured: Audit) -> None:
    # not in a simulated run, or only for groupings of a plan or an identified cohort
    optional = ("human_readings", "faces_found", "recording", "groupings", "language_identification")
    assert list(measured.tables) == [spec.name for spec in shipped() if spec.name not in optional]
    for spec in shipped():
        if spec.name in measured.tables:
            table = measured.tables[spec.name]
            further = ["gender"] if spec.name in ("disparities", "intersections") else []
            assert sorted(table.frame.columns) == sorted([*spec.names, *further]), spec.name
            assert not table.names("untyped")


def test_a_table_without_rows_has_its_columns_too() -> None:
    made = audit.measure(audit.simulate({"groups": ["white"], "speakers_per_group": 2, "missing": 1.0}))
    assert made.tables["language_effects"].frame.empty
    for name, table in made.tables.items():
        assert [column.name for column in table.columns] == list(table.frame.columns), name


def test_the_types_survive_audit_json(measured: Audit) -> None:
    told = json.loads(measured.to_json())["tables"]["disparities"]
    assert told["columns"] == ["metric", "stage", "group", "language", "gender", *told["columns"][5:]]
    types = dict(zip(told["columns"], told["column_types"], strict=True))
    assert types["value"] == {"kind": "value", "label": "Value", "unit": OF_METRIC}
    assert types["gender"] == {"kind": "key"}
    read = Audit.from_json(measured.to_json())
    assert {name: table.columns for name, table in read.tables.items()} == {
        name: table.columns for name, table in measured.tables.items()
    }


def test_every_metric_of_a_table_is_defined(measured: Audit) -> None:
    defined = measured.tables["metric_definitions"].frame.set_index("metric")
    for name, table in measured.tables.items():
        for column in table.names("metric"):
            assert set(table.frame[column]) <= set(defined.index), name
    assert defined.loc["age_error", ["label", "unit"]].tolist() == ["age error", "years"]


def test_a_table_of_an_earlier_audit_is_read_without_types_and_its_ids_are_known() -> None:
    table = Table.from_dict(
        {"title": "t", "note": "", "columns": ["group", "speaker_id", "value"], "rows": [["asian", "Ann", 0.5]]}
    )
    assert [column.kind for column in table.columns] == ["untyped", "speaker_id", "untyped"]
    assert "column_types" not in Table("t", "", pd.DataFrame({"value": [1.0]})).as_dict()


@pytest.mark.parametrize("types", [[{"kind": "wrong"}], [{"kind": 3}], [{}, {}], [{"signed": "perhaps"}], ["key"]])
def test_malformed_types_are_refused(types: list[object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Table.from_dict({"title": "t", "note": "", "columns": ["value"], "rows": [[0.5]], "column_types": types})


def test_a_table_whose_columns_are_not_those_of_its_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="has the columns value; its types are of group"):
        Table("t", "", pd.DataFrame({"value": [1.0]}), (GROUP,))


@pytest.mark.parametrize("name", ["speaker_id", "clip_id", "detail"])
def test_a_column_of_ids_cannot_be_declared_as_anything_else(name: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Column(name, "text")


# suppression


def renamed(tables: dict[str, Table], kept: Collection[str]) -> dict[str, Table]:
    """The tables with names of columns that say nothing, but for those of the cohort's columns that groups are crossed
    with."""
    made = {}
    for name, table in tables.items():
        new = {
            column.name: column.name
            if column.kind in ("speaker_id", "clip_id", "detail") or column.name in kept
            else f"column_{i}"
            for i, column in enumerate(table.columns)
        }
        columns = tuple(
            replace(column, name=new[column.name], about=new.get(column.about, "")) for column in table.columns
        )
        made[name] = Table(table.title, table.note, table.frame.rename(columns=new), columns)
    return made


def test_suppression_is_the_same_whatever_the_columns_are_called() -> None:
    run = few(asian=3, black=7, white=9)
    tables = dict(audit.measure(run).tables)
    small = SmallCells.of(run.observations, MeasureSettings(suppress_below=5))
    one, other = suppressed_tables(tables, small), suppressed_tables(renamed(tables, small.crossed_with), small)
    assert one[1] == other[1] > 0
    for name, table in one[0].items():
        told = other[0][name].frame.set_axis(table.frame.columns, axis=1)
        pd.testing.assert_frame_equal(table.frame, told, check_exact=True)


def cells_of(tables: dict[str, Table], group: str) -> Iterator[tuple[str, object]]:
    """Every figure of the rows and columns that are about a group."""
    for name, table in tables.items():
        for row in table.frame.to_dict("records"):
            of_row = group in [row[key] for key in table.names("group")]
            for column in table.columns:
                about = row[column.about] == group if column.about else of_row
                if about and column.figure and not pd.isna(row[column.name]):
                    yield f"{name}.{column.name}", row[column.name]


def test_no_figure_of_a_small_cell_survives_under_any_column_name() -> None:
    run = few(asian=3, black=7, white=9)
    settings = MeasureSettings(suppress_below=5, tables=(BLACK_RATE,))
    whole = audit.measure(run, tables=[BLACK_RATE])
    left = audit.measure(run, settings=settings)
    for group in ("asian", "black"):  # black with asian, which could be found from the total
        assert any(name == "lab_rates.black_rate" for name, _ in cells_of(dict(whole.tables), group))
        assert list(cells_of(dict(left.tables), group)) == []
    assert any(name == "lab_rates.black_rate" for name, _ in cells_of(dict(left.tables), "white"))
    rows = left.tables["lab_rates"].frame.set_index("who")
    assert (
        rows.loc["asian", "why"].startswith("suppressed")
        and rows.loc["white", "why"] == whole.tables["lab_rates"].frame["why"].iloc[-1]
    )


def test_a_table_without_a_count_is_suppressed_by_its_groups() -> None:
    table = Table(
        "t",
        "",
        pd.DataFrame({"of": ["asian", "white"], "x": [0.1, 0.2]}),
        (Column("of", "group"), Column("x", "value")),
    )
    made, count = suppressed_tables({"t": table}, SmallCells(5, {"group": frozenset({("asian", "all")})}))
    assert count == 2 and made["t"].frame["x"].isna().all(), "the second could be found from a total"


def test_the_figures_about_another_group_are_suppressed_with_that_group() -> None:
    columns = (
        Column("run", "key"),
        Column("other", "text", about="other"),
        *interval_columns("theirs", "", "share", about="other"),
        Column("overall", "value"),
        N_SPEAKERS,
        METHOD,
    )
    frame = pd.DataFrame(
        [("A", "asian", 0.1, 0.0, 0.2, 0.5, 50, "m"), ("B", "white", 0.3, 0.2, 0.4, 0.6, 50, "m")],
        columns=[column.name for column in columns],
    )
    small = SmallCells(5, {"group": frozenset({("asian", "all")})})
    made, count = suppressed_tables({"t": Table("t", "", frame, columns)}, small)
    first, second = made["t"].frame.to_dict("records")
    assert count == 1 and second == frame.to_dict("records")[1]
    assert [first[name] for name in ("other", "theirs", "theirs_low", "theirs_high")] == [None] * 4
    assert first["overall"] == 0.5 and first["method"].startswith("suppressed")


def test_columns_without_types_cannot_be_suppressed() -> None:
    table = Table("t", "", pd.DataFrame({"group": ["asian"], "value": [0.5]}))
    with pytest.raises(ValueError, match="have no types"):
        suppressed_tables({"t": table}, SmallCells(5))


# third-party tables


def test_a_third_party_table_goes_through_audit_json_csv_and_report(tmp_path: Path) -> None:
    made = audit.measure(audit.simulate(TRUTH), tables=[BLACK_RATE])
    assert list(made.settings["tables"]) == [BLACK_RATE]  # type: ignore[call-overload]  # a list
    assert "tables" not in audit.measure(audit.simulate(TRUTH), with_tables=False).settings
    read = Audit.from_json(made.to_json())
    assert read.tables["lab_rates"].columns == BLACK_RATE_SPEC.columns
    page = write_report(read, tmp_path).read_text(encoding="utf-8")
    section = page[page.index('id="further_tables"') :].split("</section>")[0]
    for words in ("Rates of a laboratory", "Made by somebody else.", "Speakers of", "Read as they are", "age error"):
        assert words in section
    value = read.tables["lab_rates"].frame.loc[0, "black_rate"]
    assert f"{round(100 * value)}%" in section
    with (tmp_path / "tables" / "lab_rates.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["people"] for row in rows] == [str(n) for n in read.tables["lab_rates"].frame["people"]]
    assert float(rows[0]["black_rate"]) == value


def test_a_report_without_third_party_tables_has_no_section_for_them(measured: Audit, tmp_path: Path) -> None:
    assert "further_tables" not in write_report(measured, tmp_path).read_text(encoding="utf-8")


def test_a_count_is_a_whole_number_in_csv_where_another_is_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"group": ["asian", "white"], "n_speakers": [np.nan, 3.0]})
    made = Audit({}, {}, (), {"sizes": Table("t", "", frame, (GROUP, N_SPEAKERS))})
    write_report(made, tmp_path)
    assert (tmp_path / "tables" / "sizes.csv").read_text() == "group,n_speakers\nasian,\nwhite,3\n"


FAILING = TableSpec("failing", "t", "", (GROUP,), lambda source: 1 / 0)  # type: ignore[arg-type,return-value]
OTHER_COLUMNS = TableSpec("other", "t", "", (GROUP, LANGUAGE), lambda source: pd.DataFrame({"group": ["asian"]}))
TAKEN = TableSpec("strata", "t", "", (GROUP,), lambda source: pd.DataFrame({"group": ["asian"]}))
NOTHING = TableSpec("nothing", "t", "", (GROUP,), lambda source: None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FAILING", "failed: ZeroDivisionError"),
        ("OTHER_COLUMNS", "has the columns group; its types are of group, language"),
        ("TAKEN", "has the name strata of another"),
        ("TRUTH", "is a dict"),
        ("ABSENT", "cannot be imported"),
    ],
)
def test_a_third_party_table_that_cannot_be_made_is_refused(name: str, words: str) -> None:
    with pytest.raises(AuditError, match=words):
        audit.measure(audit.simulate(TRUTH), tables=[f"tests.audits.test_tables:{name}"])


def test_a_table_may_not_apply() -> None:
    assert "nothing" not in audit.measure(audit.simulate(TRUTH), tables=["tests.audits.test_tables:NOTHING"]).tables


def test_a_plan_names_it_but_a_received_run_does_not_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Plan.parse('[measure]\ntables = ["lab:TABLE"]\n').measure.tables == ("lab:TABLE",)
    audit.simulate(TRUTH, out=tmp_path / "run")
    (tmp_path / "run" / "plan.toml").write_text('[measure]\ntables = ["os:remove"]\n')
    monkeypatch.setattr(sys, "argv", ["audit", "measure", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    assert "third-party tables: os:remove" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "../up", "A table", "a" * 65])
def test_a_name_that_cannot_be_a_files_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is named"):
        TableSpec(name, "t", "", (GROUP,), lambda source: None)


def test_the_gallery_has_a_failure_and_a_success_of_each_group_and_language() -> None:
    reads = {"asian": ("asian", "white"), "black": ("white", "white"), "white": ("white", "white")}
    clips = [
        (
            group,
            language,
            f"{group}-{k}",
            f"{group}-{k}-{language}",
            group,
            reads[group][k % 2 if language == "en" else 0],
        )
        for group in reads
        for language in ("en", "zh")
        for k in range(10)
    ]
    clips.append(("unknown", "en", "nobody", "nobody-en", "white", "white"))
    columns = ["group", "language", "speaker_id", "clip_id", "portrait_race", "rendered_race"]
    frame = pd.DataFrame(clips, columns=columns).assign(
        ceiling_race=None, portrait_face="a", ceiling_face=None, rendered_face="b"
    )
    drawn = gallery(frame, 2, seed=0)
    picks = drawn.groupby(["group", "language"], sort=False)["pick"].agg(list).to_dict()
    assert picks == {
        ("asian", "en"): ["failure", "success"],
        ("asian", "zh"): ["success"],
        ("black", "en"): ["failure"],
        ("black", "zh"): ["failure"],
        ("white", "en"): ["success"],
        ("white", "zh"): ["success"],
        ("unknown", "en"): ["neither"],
    }
    assert drawn.equals(gallery(frame.sample(frac=1, random_state=1), 2, seed=0)), "the order of clips is no matter"
    assert {*gallery(frame, 2, seed=1)["clip_id"]} != {*drawn["clip_id"]}
    assert gallery(frame, 0, seed=0).empty
    assert gallery(frame, 6, seed=0).groupby(["group", "language", "pick"])["speaker_id"].nunique().max() == 3
    misread = frame.assign(portrait_race="indian")
    assert set(gallery(misread[misread["group"] == "black"], 2, seed=0)["pick"]) == {"neither"}, "not the model's doing"
