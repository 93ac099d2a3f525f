"""One quantity has one sign and one axis, wherever the report of the sample audit shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from audit import Audit
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.reports.html.records import records, where
from audit.reports.html.tabular import TableView
from audit.reports.html.verdicts import verdicts
from audit.reports.html.wording import group_name
from audit.reports.report import charts, evidence, language_tables, trends
from audit.reports.report.cells import cells
from audit.reports.report.skin_tone import skin_tone

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


@pytest.fixture(scope="module")
def sample() -> Audit:
    return Audit.read(SAMPLE)


def shown(view: TableView, row: Sequence[str], column: str) -> float:
    """The number that a table shows in the row that begins with these texts, in a column."""
    place = next(i for i, each in enumerate(view.columns) if each.label == column)
    found = next(each for each in view.rows if [cell.text for cell in each[: len(row)]] == list(row))
    return float(found[place].sort)


def test_judged_figures_of_a_unit_share_one_axis(sample: Audit) -> None:
    ticks: dict[tuple[str, bool], set[tuple[Any, ...]]] = {}
    for verdict in verdicts(sample):
        figure = verdict.finding.estimate
        if verdict.glyph is not None and figure is not None:
            ticks.setdefault((figure.unit, figure.signed), set()).add(verdict.glyph.ticks)
    assert {unit for unit, _ in ticks} == {"share", "years", "degrees"}
    assert all(len(found) == 1 for found in ticks.values())
    (of_shares,) = ticks["share", True]
    assert [tick.label for tick in of_shares] == ["\N{MINUS SIGN}100", "0", "+100"]


def test_every_interval_lies_on_its_axis(sample: Audit) -> None:
    """Beyond an axis a line would be cut, and look shorter than it is."""
    for verdict in verdicts(sample):
        if verdict.glyph is not None:
            for mark in filter(None, (verdict.glyph, verdict.glyph.worst)):
                assert mark.bar is not None and mark.bar[0] <= mark.dot <= mark.bar[1]
                assert mark.bar[0] < mark.bar[1]


def test_a_metric_has_one_axis_in_all_charts(sample: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[tuple[str, bool], set[Any]] = {}

    def dots(title: str, rows: Any, unit: str, *, signed: bool = False, limits: Any = None, **_: Any) -> str:
        found.setdefault((title, signed), set()).add(limits)
        return ""

    def curve(title: str, points: Any, unit: str, limits: Any, *_: Any) -> str:
        found.setdefault((title, False), set()).add(limits)
        assert limits[0] <= min(point.band[0] for point in points), title
        assert limits[1] >= max(point.band[1] for point in points), title
        return ""

    monkeypatch.setattr(charts, "dots", dots)
    monkeypatch.setattr(charts, "heat", lambda *_, **__: "")
    monkeypatch.setattr(trends, "curve", curve)
    charts.figure_views(sample)
    assert {("Age error, years", False), ("Gender read as labelled", False)} < set(found) and len(found) > 8
    assert all(len(limits) == 1 and None not in limits for limits in found.values()), found


def test_a_fall_is_positive_in_the_finding_and_in_the_table_of_stages(sample: Audit) -> None:
    finding, view = sample.finding(ERASURE.code), evidence.three_stages(sample, ERASURE.metric)
    for group in finding.by_group:
        judged = finding.estimates[group].value
        assert judged == shown(view, [group_name(group)], "Voice encoder: ceiling to rendered")
    assert {column.band for column in view.columns} >= {"Fall at each step, same speakers, points"}


def test_other_differences_have_the_sign_of_their_finding(sample: Audit) -> None:
    white = sample.finding("S2F001").estimates
    effects = language_tables.language_effects(sample)
    assert white["language_effect"].value == shown(effects, ["asian", "any other"], "Read as white, points")
    (read,) = where(records(sample, "rendered_as"), group="asian", read="white", language="en")
    assert white["excess_over_portrait"].value == read["value"]
    flips, view = sample.finding("S2F002"), language_tables.language_flips(sample)
    for group in flips.by_group:
        excess = shown(view, [group_name(group), "all pairs"], "The second minus the first, points")
        assert flips.estimates[group].value == excess
    shift, beside = sample.finding("S2F008"), skin_tone(sample).table
    for row in beside.rows:
        assert shift.estimates[row[0].text].value == shown(beside, [row[0].text], "All languages")


def test_the_worst_intersection_is_that_of_the_table_of_intersections(sample: Audit) -> None:
    view = cells(sample)
    for finding in sample.findings:
        if finding.worst_cell is not None:
            of_check = [row for row in view.rows if row[0].text == finding.code]
            values = {float(row[3].sort) for row in of_check if row[3].sort}
            assert finding.worst_cell.figure.value in values or len(view.rows) == 200, finding.code
