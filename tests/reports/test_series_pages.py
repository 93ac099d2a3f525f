"""The pages of a history and of a sweep: content, charts on one axis, hostile texts, and a narrow screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import audit
from audit.core.errors import RunError
from audit.reports.series import history, sweep
from audit.reports.series.charts import short_labels
from audit.series.history import Break
from tests.browser import chromium, opened, violations
from tests.reports.test_report_page import HOSTILE, Page
from tests.series_fixture import history_of_three, sweep_of_three


def few(made: audit.History | audit.Sweep) -> Any:
    """The document with the figures of two checks only."""
    return replace(made, points=tuple(point for point in made.points if point.check in ("S2F001", "S2F003")))


WRITTEN: dict[str, tuple[Callable[[], audit.History | audit.Sweep], Callable[..., str], str]] = {
    "history": (history_of_three, history.to_html, "1.1 to 2.0"),
    "sweep": (sweep_of_three, sweep.to_html, "z to worse"),
}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: to_html(few(made())) for name, (made, to_html, _) in WRITTEN.items()}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_says_first_what_is_beyond_noise_and_loads_nothing(texts: dict[str, str], name: str) -> None:
    page = Page(texts[name])
    ids = [str(element["id"]) for element in page.all("section")]
    assert ids == ["changed", "verdicts", "charts", "tested", "runs", "settings"]
    assert "adjusted by Holm" in page.text
    assert page.text.index("These runs are simulated") < page.text.index("are beyond noise")
    assert not re.search(r"\b(nan|None|null|undefined)\b", page.text)
    page.check_that_nothing_is_loaded()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_chart_can_be_read_without_seeing_it(texts: dict[str, str], name: str) -> None:
    panels = [str(part["aria-label"]) for part in Page(texts[name]).all("div") if part.get("class") == "panel"]
    assert panels[0].startswith("Asian, read as white in English")
    assert f"Beyond noise: worse from {WRITTEN[name][2]}" in panels[0]
    assert any(panel.startswith("White") and panel.endswith("No change is beyond noise.") for panel in panels)


def test_all_groups_of_a_check_have_one_axis() -> None:
    made = few(history_of_three())
    (view,) = history.check_charts(replace(made, points=tuple(each for each in made.points if each.check == "S2F003")))
    ends = [panel.drawing.on(Figure().subplots()).get_ylim() for panel in view.figure.panels]
    assert len(ends) == 2 and ends[0] == ends[1]


def test_a_break_is_on_the_page() -> None:
    found = Break("1.0", "1.1", "the cohort's digest", '"one"', '"other"')
    page = Page(history.to_html(replace(few(history_of_three()), breaks=(found,))))
    assert found.sentence in page.text
    assert "3 releases, 1 break" in page.text


def test_long_labels_are_numbered_in_charts() -> None:
    assert short_labels(["1.0", "2.0"]) == ["1.0", "2.0"]
    assert short_labels(["speech2face-small-gap", "speech2face-small-full"]) == ["1", "2"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    made = history_of_three()
    point = replace(made.points[0], run=text, told=text, group=text)
    runs = ({**made.runs[0], "label": text, "model": text}, *made.runs[1:])
    hostile = replace(made, runs=runs, points=(point,), steps=(), sentences=(text, text), notices=(text,))
    Page(history.to_html(hostile)).check_that_nothing_is_loaded()


def test_files_are_written_and_a_run_is_not_overwritten(tmp_path: Path) -> None:
    path = history.write_history(few(history_of_three()), tmp_path / "out")
    names = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert names >= {"history.html", "history.json", "tables/figures.csv", "tables/changes.csv", "tables/verdicts.csv"}
    assert path == history.write_history(audit.History.read(tmp_path / "out"), tmp_path / "out")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    with pytest.raises(RunError, match="contains a run"):
        history.write_history(few(history_of_three()), tmp_path / "run")


def test_axe_finds_nothing_and_nothing_sticks_out_on_a_phone(tmp_path: Path) -> None:
    path = history.write_history(few(history_of_three()), tmp_path)
    with chromium() as browser, opened(browser, path, width=400) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 400
        assert violations(page) == []
