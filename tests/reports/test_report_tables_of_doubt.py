"""The report's tables of corrected figures, bounds, all groups, languages and retrieval."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

import audit
from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.reports.html.tabular import TableView
from audit.reports.report import error_tables, group_tables, language_tables, similarity_tables


@pytest.fixture(scope="module")
def planted() -> Audit:
    """Asian portraits are read as white in a tenth, asian English in six tenths; some faces are missing."""
    truth = {
        "groups": ["asian", "white", "unknown"],
        "speakers_per_group": 40,
        "clips_per_language": 2,
        "languages": ["en", "zh"],
        "missing": 0.1,
        "portrait": {"asian": {"white": 0.1}, "unknown": {"white": 1.0}},
        "ceiling": {"unknown": {language: {"white": 1.0} for language in ("en", "zh")}},
        "rendered": {
            "asian": {"en": {"white": 0.6}},
            "unknown": {language: {"white": 1.0} for language in ("en", "zh")},
        },
    }
    return audit.measure(audit.simulate(truth))


def row(view: TableView, *labels: str) -> list[str]:
    """The texts of the row that begins with these labels."""
    for cells in view.rows:
        texts = [cell.text for cell in cells]
        if texts[: len(labels)] == list(labels):
            return texts
    raise AssertionError(f"no row {labels} among {[[cell.text for cell in cells][:2] for cells in view.rows]}")


def test_raw_and_corrected_rates_by_hand(planted: Audit) -> None:
    view = error_tables.corrected(planted)
    assert view.bands[-2:] == [("Read as the own group", 4), ("Read as white", 4)]
    raw, fixed = row(view, "asian", "English")[8:]
    portraits = planted.finding("S2F001").estimates["portrait"].value
    read = planted.finding("S2F001").estimates["rendered"].value
    assert portraits is not None
    assert read is not None
    assert raw == f"{100 * read:.0f}%"
    # of what looks asian a share of ``portraits`` is read as white: white - portraits * (1 - white) = read
    assert fixed == f"{100 * (read - portraits) / (1 - portraits):.0f}%"
    assert view.note.startswith("Condition number of the calibration: 1.")


def test_a_mixed_label_is_not_corrected_and_has_a_reason() -> None:
    run = audit.simulate({"groups": ["asian|indian", "white", "black"], "speakers_per_group": 20})
    view = error_tables.corrected(audit.measure(run))
    assert row(view, "asian or indian", "all languages")[2:4] == ["100%", "not corrected"]
    assert row(view, "asian or indian", "all languages")[6:8] == ["0%", "not estimable"]
    assert any("no calibration units of asian, indian" in note for note in view.notes)


def test_without_portraits_of_a_group_there_is_no_correction() -> None:
    """Without indian portraits in the calibration, indian faces would be corrected to other groups."""
    truth = {"groups": ["asian", "asian|indian", "white"], "speakers_per_group": 30, "languages": ["en"]}
    finding = audit.measure(audit.simulate(truth), with_tables=False).finding("S2F001")
    estimate = finding.estimates["rendered_corrected"]
    assert estimate.value is None
    assert "no calibration units of indian" in estimate.method


def test_the_calibration_is_shown_row_by_row(planted: Audit) -> None:
    assert row(error_tables.calibration(planted), "white")[1:5] == ["0%", "0%", "0%", "100%"]


def test_bounds_are_shown_where_something_is_missing_or_unknown(planted: Audit) -> None:
    view = error_tables.bounds(planted)
    least, most = row(view, "white", "read as the own group", "missing faces")[3:5]
    assert int(least[:-1]) < 100
    assert most == "100%"
    assert row(view, "asian", "read as white", "unknown groups")[7] == "40"
    whole = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 20})
    assert not error_tables.bounds(audit.measure(whole)).rows


def test_the_table_of_all_groups_at_once(planted: Audit) -> None:
    view = group_tables.groups(planted)
    figure = row(view, "Read as the own group", "rendered")
    assert figure[2:4] == ["2", "< 0.001"]
    assert figure[6] == "asian"
    assert row(view, "Gender read as labelled", "portrait")[6] == "\N{EN DASH}"


def test_flips_and_coverage(planted: Audit) -> None:
    assert row(language_tables.language_flips(planted), "white", "English and Chinese")[2:] == ["0%", "0%", "0"]
    assert not language_tables.coverage(planted).rows, "no model states its training coverage"


def test_human_readings_are_shown_next_to_the_instrument() -> None:
    rows = [
        ("read_own_group", "asian", "all", reader, value, value - 0.1, value + 0.1, 20, 20, 0, "made up")
        for reader, value in (("instrument", 0.3), ("people", 0.5), ("prediction_powered", 0.4))
    ]
    columns = ["metric", "group", "language", "read_by", "value", "low", "high", "n_speakers", "n_clips", "n_missing"]
    table = Table("People", "", pd.DataFrame(rows, columns=[*columns, "method"]))
    made = dataclasses.replace(
        audit.measure(audit.simulate({"groups": ["asian"], "speakers_per_group": 5})), tables={"human_readings": table}
    )
    assert row(error_tables.people(made), "asian")[1:4] == ["30%", "50%", "40%"]


def test_similarity_tables_need_features(planted: Audit) -> None:
    assert not similarity_tables.retrieval(planted).rows
    assert not similarity_tables.craniofacial(planted).rows


def test_retrieval_shows_the_gallery_and_chance() -> None:
    rows = [
        (stage, first, "asian", "all", 0.25, 0.1, 0.4, 20, 40, 0, "made up", 50, first / 50)
        for stage in ("ceiling", "rendered")
        for first in (1, 5)
    ]
    columns = ["stage", "first", "group", "language", "value", "low", "high", "n_speakers", "n_clips", "n_missing"]
    table = Table("Found", "", pd.DataFrame(rows, columns=[*columns, "method", "gallery", "chance"]))
    made = dataclasses.replace(
        audit.measure(audit.simulate({"groups": ["asian"], "speakers_per_group": 5})), tables={"retrieval": table}
    )
    view = similarity_tables.retrieval(made)
    assert row(view, "asian") == ["asian", "50", "25%", "25%", "25%", "25%"]
    assert view.note == "By chance alone: 2% among the first 1, 10% among the first 5."
