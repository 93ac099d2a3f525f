"""Histories: paired changes with one error rate, breaks, labels, suppression, and the document."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audit
from audit.checks import Figure
from audit.comparisons import paired_changes
from audit.comparisons.changes import Change
from audit.core.errors import RunError
from audit.core.plan import MeasureSettings
from audit.series.measuring import Link, mark_of, resolved
from audit.series.wording import labelled
from audit.stats import holm
from tests.comparisons.test_compare import described
from tests.series_fixture import LABELS, history_of_three, releases

NOTHING = Figure(0.0, None, None, 0, 0, 0, "")
CHANGE = Change("b", "ONE", "one", "asian", "all", False, NOTHING, NOTHING, NOTHING, "high", None, None)


@pytest.fixture(scope="module")
def runs() -> list[audit.Run]:
    return [*releases()]


@pytest.fixture(scope="module")
def made() -> audit.History:
    return history_of_three()


def test_each_release_is_compared_with_the_one_before_and_the_last_with_the_first(made: audit.History) -> None:
    links = dict.fromkeys((step.since, step.change.candidate, step.overall) for step in made.steps)
    assert list(links) == [("1.0", "1.1", False), ("1.1", "2.0", False), ("1.0", "2.0", True)]


def test_a_change_is_that_of_a_comparison(made: audit.History, runs: list[audit.Run]) -> None:
    expected = paired_changes(runs[1], runs[2], MeasureSettings())["S2F003.asian"].together(2).at(0.95)
    row = one(made, "2.0", "S2F003", "asian")
    assert (row["change"], row["change_low"], row["change_high"]) == (expected.value, *expected.interval)  # type: ignore[misc]


def test_the_figure_and_the_outcome_are_those_of_the_audit(made: audit.History, runs: list[audit.Run]) -> None:
    finding = audit.measure(runs[2], with_tables=False).finding("S2F003")
    row = one(made, "2.0", "S2F003", "asian")
    figure = finding.estimates["asian"]
    assert (row["value"], row["low"], row["high"]) == (figure.value, figure.low, figure.high)
    assert row["outcome"] == finding.by_group["asian"]


def one(made: audit.History, release: str, check: str, group: str) -> dict[str, Any]:
    frame = made.frame()
    (row,) = frame[(frame["release"] == release) & (frame["check"] == check) & (frame["group"] == group)].to_dict(
        "records"
    )
    return {str(name): value for name, value in row.items()}


def test_p_values_are_adjusted_over_all_checks_groups_and_changes(made: audit.History) -> None:
    changes = [step.change for step in made.steps]
    p_values = np.array([change.p_value for change in changes], np.float64)
    assert made.n_tests == np.count_nonzero(~np.isnan(p_values)) > 20
    np.testing.assert_allclose(np.array([change.p_adjusted for change in changes], np.float64), holm(p_values))


def test_only_the_planted_change_is_marked(made: audit.History) -> None:
    marked = {(step.since, step.change.candidate, step.change.group, step.marked) for step in made.marked}
    assert {("1.1", "2.0", "asian", "worse"), ("1.0", "2.0", "asian", "worse")} <= marked
    assert not [step for step in made.marked if step.change.candidate == "1.1"]
    assert "2.0 against 1.1: S2F001" in " ".join(made.sentences)
    for step in made.marked:
        low, high = step.change.change.interval or (0, 0)
        assert low > 0 or high < 0


@pytest.mark.parametrize(
    ("word", "p_adjusted", "mark"),
    [("gains", 0.05, "better"), ("pays", 0.05, "worse"), ("pays", 0.051, None), ("inconclusive", 0.01, None)],
)
def test_a_mark_needs_the_adjusted_p_value_and_the_interval(word: Any, p_adjusted: float, mark: str | None) -> None:
    change = replace(CHANGE, word=word, p_value=0.001, p_adjusted=p_adjusted)
    assert mark_of(change, 0.05) == mark


def test_small_p_values_are_made_again_and_only_those() -> None:
    changes = [replace(CHANGE, figure=code, p_value=p) for code, p in (("ONE", 0.0005), ("TWO", 0.2), ("THREE", None))]
    asked: list[frozenset[tuple[str, str]]] = []

    def again(only: frozenset[tuple[str, str]]) -> Any:
        asked.append(only)
        return iter([replace(changes[0], p_value=0.00002), replace(changes[1], p_value=0.1)])

    found = [change.p_value for _, change in resolved(Link(0, 1), changes, again, 0.01)]
    assert found == [0.00002, 0.2, None]
    assert asked == [frozenset({("ONE", "group")})]


@pytest.fixture(scope="module")
def broken(runs: list[audit.Run]) -> audit.History:
    """A history whose second and third release are of another cohort, without figures of fewer than 50 speakers."""
    other = [described(run, cohort__digest="of another cohort") for run in runs[1:]]
    return audit.history([runs[0], *other], labels=LABELS, settings=MeasureSettings(suppress_below=50))


def test_a_new_cohort_is_a_break_across_which_nothing_is_tested(broken: audit.History) -> None:
    assert list(dict.fromkeys((step.since, step.change.candidate) for step in broken.steps)) == [("1.1", "2.0")]
    (found,) = broken.breaks
    assert (found.before, found.after, found.what) == ("1.0", "1.1", "the cohort's digest")
    assert "No change is tested between 1.0 and 1.1" in found.sentence
    assert one(broken, "1.0", "S2F003", "asian")["outcome"], "a release alone has its figures"


def test_figures_of_few_speakers_are_suppressed_and_marks_are_kept(broken: audit.History) -> None:
    assert broken.marked
    assert broken.frame()[["value", "change"]].isna().all(axis=None)
    assert not [step for step in broken.steps if step.change.p_value is not None]
    assert "are suppressed" in broken.notices[-1]


def test_labels_are_the_given_ones_then_those_of_folders(runs: list[audit.Run], tmp_path: Path) -> None:
    stored = replace(runs[0], folder=tmp_path / "first")
    assert labelled([stored, runs[1]])[1] == ["first", "simulated"]
    assert labelled(runs[:2])[1] == ["1: simulated", "2: simulated"]
    assert labelled(runs[:2], ["a", None])[1] == ["a", "simulated"]
    for labels in (["a", "a"], ["a"]):
        with pytest.raises(RunError, match="label"):
            labelled(runs[:2], labels)


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_runs_are_refused(runs: list[audit.Run], number: int) -> None:
    with pytest.raises(RunError, match="from 2 to 100"):
        audit.history(runs[:number])


def test_an_incomplete_run_is_refused_by_its_label(runs: list[audit.Run]) -> None:
    with pytest.raises(RunError, match=r"2\.0 is not complete"):
        audit.history([runs[0], described(runs[1], status="running")], labels=["1.0", "2.0"])


def test_the_document_is_read_again_and_a_careless_edit_is_refused(made: audit.History) -> None:
    text = made.to_json()
    assert audit.History.from_json(text).to_json() == text
    edited = json.loads(text)
    edited["points"][0]["figure"]["value"] = 0.5
    with pytest.raises(RunError, match="was changed"):
        audit.History.from_json(json.dumps(edited))
