"""Gate rules about groups of other columns than ``group``, and about crossings."""

from __future__ import annotations

from typing import Any

import pytest

import audit
from audit.release.policy import Policy
from tests.release_fixture import ALLOW

TRUTH = {
    "groups": ["asian", "white"],
    "speakers_per_group": 60,
    "icc": 0.3,
    "rendered": {"asian": {"en": {"white": 0.6}}},
    "missing": {"asian": 0.05},
}
ERASED = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.2\n'


def policy(rule: str) -> Policy:
    return Policy.parse(f'schema = 1\nname = "x"\n{ALLOW}{rule}')


def ruling(rule: str, **known: Any) -> Any:
    return audit.gate(audit.simulate(TRUTH), policy=policy(rule), **known).rulings[-1]


def test_a_rule_by_a_crossing_judges_every_cell() -> None:
    found = ruling(ERASED + 'by = "group x gender"\nmissing = "worst_case"\n')
    outcomes = {item.group: item.outcome for item in found.held}
    assert outcomes == {"asian, man": "breach", "asian, woman": "breach", "white, man": "pass", "white, woman": "pass"}
    assert found.by == "group x gender"
    assert "by group x gender" in found.sentence
    assert "no face is missing" in found.held[2].reason


def test_a_rule_may_name_some_cells() -> None:
    found = ruling(ERASED + 'by = "group x gender"\ngroups = ["white, woman"]\n')
    assert [(item.group, item.outcome) for item in found.held] == [("white, woman", "pass")]


def test_a_group_that_the_run_lacks_is_no_pass() -> None:
    assert ruling(ERASED + 'groups = ["scottish"]\n').outcome == "inconclusive"


@pytest.mark.parametrize(("check", "by"), [("S2F001", "group x gender"), ("S2F003", "gender")])
def test_a_check_about_race_labels_has_no_figures_by_other_columns(check: str, by: str) -> None:
    with pytest.raises(audit.PlanError, match=f"{check} needs race labels, so it has no figures by {by}"):
        policy(ERASED.replace("S2F003", check) + f'by = "{by}"\n')


def test_a_misspelled_race_label_is_refused_with_a_suggestion() -> None:
    with pytest.raises(audit.PlanError, match="there is no group 'asain', did you mean 'asian'"):
        policy(ERASED + 'groups = ["asain"]\n')


def test_an_inconclusive_rule_by_a_crossing_is_planned_with_its_speakers() -> None:
    rule = '[[rule]]\nid = "faces"\ncheck = "S2F006"\nby = "group x gender"\nlimit = 0.05\n'
    found = ruling(rule, plans=True)
    assert found.outcome == "inconclusive"
    assert found.plan is not None
    assert {each.group: each.n_speakers for each in found.plan.groups} == dict.fromkeys(
        ("asian, man", "asian, woman", "white, man", "white, woman"), 30
    )


def test_a_run_that_was_measured_without_a_grouping_is_gated_by_it(tmp_path: Any) -> None:
    run = audit.simulate(TRUTH, out=tmp_path / "run")
    audit.measure(run).write(tmp_path / "run")
    rule = policy(ERASED + 'by = "group x gender"\n')
    assert audit.gate(tmp_path / "run", policy=rule).exit_code == 10
    audit.measure(run, group_by=["gender"]).write(tmp_path / "run")
    assert audit.gate(tmp_path / "run", policy=rule).exit_code == 10
