"""The gate's truth table, by hand: for every exit code what yields it, and which goes first."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from audit.release import EXIT_CODES, decide
from audit.release.deciding import Baseline
from audit.stats import Curve
from tests.release_fixture import RULE, TODAY, by_group, decided, estimate, made, policy, portraits, waiver, white

RECALL = "[instrument]\nmin_recall = 0.6\n"
GOOD = portraits(asian=0.8, white=0.8)
BAD = portraits(asian=0.5, white=0.8)


@pytest.mark.parametrize(
    ("low", "high", "speakers", "code"),
    [
        (-0.05, 0.10, 50, 0),  # the bound itself is allowed
        (-0.05, 0.1001, 50, 11),  # no significant difference is not a pass
        (0.05, 0.15, 50, 11),
        (0.10, 0.30, 50, 11),  # low is not above the limit
        (0.1001, 0.30, 50, 10),
        (-0.05, 0.05, 9, 11),  # fewer speakers than the rule asks for
        (0.2, 0.4, 9, 10),  # too few to pass, enough for a breach whose interval holds for them
        (None, None, 3, 11),
    ],
)
def test_an_absolute_rule(low: float | None, high: float | None, speakers: int, code: int) -> None:
    decision = decided(policy(), made(white(low, high, speakers)))
    assert decision.exit_code == code
    (ruling,) = (ruling for ruling in decision.rulings if ruling.id == "white")
    assert (ruling.limit, ruling.figure, ruling.side) == (0.1, "excess_over_portrait", "at_most")
    assert ruling.estimate == estimate(low, high, speakers, name="excess_over_portrait", group="asian", language="en")


@pytest.mark.parametrize(
    ("side", "low", "high", "code"),
    [
        ("at_least", 0.1, 0.3, 0),
        ("at_least", 0.05, 0.3, 11),
        ("at_least", -0.3, 0.05, 10),
        ("within", -0.1, 0.1, 0),
        ("within", -0.11, 0.1, 11),
        ("within", -0.3, -0.11, 10),
        ("within", 0.11, 0.3, 10),
    ],
)
def test_the_other_sides(side: str, low: float, high: float, code: int) -> None:
    assert decided(policy(RULE + f'side = "{side}"\n'), made(white(low, high))).exit_code == code


def test_missing_clips_of_one_language_are_not_thinned_by_another() -> None:
    found = made(white(-0.05, 0.05))
    table = found.tables["statuses"].frame
    english = (table["group"] == "asian") & (table["language"] == "en")
    table.loc[english & (table["status"] == "no_face"), "n_clips"] = 4  # of 29 in English, and of 54 in both
    decision = decided(policy("[data]\nmax_missing = 0.1\n", RULE), found)
    assert decision.exit_code == 13
    assert "4 of 29 clips of group asian in en have no result" in decision.rulings[1].sentence


def test_changes_of_several_groups_are_simultaneous() -> None:
    """A curve whose interval widens with the confidence: at 95 % it breaches, one of two groups at 97.5 % does not."""
    finding = by_group("S2F003", {"asian": (-0.05, 0.05), "white": (-0.05, 0.05)})
    rule = '[[rule]]\nid = "worse"\ncheck = "S2F003"\nkind = "non_inferiority"\nmargin = 0.1\n'
    terms, found = policy(rule), made(finding)
    curve = Curve(lambda confidence: estimate(0.11 if confidence < 0.96 else 0.05, 0.3))
    baseline = Baseline(found.run, {"S2F003.asian": curve, "S2F003.white": curve})
    code = {"version": "1", "commit": None, "dirty": None}
    assert decide(terms, found, baseline, today=TODAY, code=code).exit_code == 11


def test_a_headline_of_several_groups_is_judged_for_each_of_them() -> None:
    rule = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.1\n'
    both = by_group("S2F003", {"asian": (-0.1, 0.05), "white": (-0.1, 0.05)})
    assert decided(policy(rule), made(both)).exit_code == 0
    # the headline is of asian; white is wider, and reaches past the limit
    wide = by_group("S2F003", {"asian": (0.0, 0.09), "white": (-0.3, 0.2)})
    decision = decided(policy(rule), made(wide))
    assert decision.exit_code == 11 and decision.rulings[-1].figure == "white"
    # a known group without a figure is not a pass either
    lacking = by_group("S2F003", {"asian": (-0.1, 0.05)})
    assert decided(policy(rule), made(lacking)).exit_code == 11
    assert decided(policy(rule + 'groups = ["asian"]\n'), made(lacking)).exit_code == 0


def test_an_absent_group_never_passes() -> None:
    rule = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.1\ngroups = ["asian", "black"]\n'
    decision = decided(policy(rule), made(by_group("S2F003", {"asian": (-0.1, 0.05), "white": (-0.1, 0.05)})))
    assert decision.exit_code == 11
    assert "there is no group 'black' in this run; its groups are asian and white" in decision.rulings[-1].sentence


def test_a_figure_of_every_group() -> None:
    rule = '[[rule]]\nid = "r"\ncheck = "S2F003"\nfigure = "portrait"\ngroups = "all"\nside = "at_least"\nlimit = 0.7\n'
    assert decided(policy(rule), made(GOOD)).exit_code == 0
    assert decided(policy(rule), made(BAD)).exit_code == 11


def test_a_figure_that_a_check_does_not_have_is_a_policy_error() -> None:
    rule = RULE + 'figure = "excess_over_portrat"\nside = "at_most"\n'
    with pytest.raises(audit.PlanError, match="did you mean 'excess_over_portrait'"):
        decided(policy(rule), made(white(0, 0.05)))


def test_a_check_that_was_not_made_never_passes() -> None:
    assert decided(policy(), made()).exit_code == 11


@pytest.mark.parametrize(
    ("terms", "found", "code"),
    [
        ("", {"complete": False}, 13),
        ("", {"planned": 101}, 13),  # whatever the manifest says of itself
        ("", {"clips": 0, "planned": 0}, 13),
        ("[data]\nmax_missing = 0.2\n", {"failed": 5}, 0),
        ("[data]\nmax_missing = 0.1\n", {"failed": 5}, 13),
        ('[data.label_sources]\ngroup = ["self_reported"]\n', {}, 0),
        ('[data.label_sources]\ngroup = ["annotator"]\n', {}, 13),
        ('[[data.strata]]\ngroup = "asian"\nlanguage = "en"\nspeakers = 25\n', {}, 0),
        ('[[data.strata]]\ngroup = "asian"\nlanguage = "en"\nspeakers = 26\n', {}, 13),
        ('[[data.strata]]\ngroup = "asian"\nlanguage = "en"\nspeakers = 25\n', {"failed": 25}, 13),
        ('[[data.strata]]\ngroup = "black"\nlanguage = "en"\n', {}, 13),
        ('[[data.strata]]\ngroup = "asian"\nlanguage = "fr"\n', {}, 13),
        ('[instrument]\nallowed = ["embedded"]\n', {}, 0),
        ('[instrument]\nallowed = ["deepface"]\n', {}, 12),
    ],
)
def test_requirements_on_data_and_instrument(terms: str, found: dict[str, Any], code: int) -> None:
    decision = decided(policy(terms, RULE), made(white(-0.05, 0.05), **found))
    assert decision.exit_code == code
    if code:  # and the rule that would have passed is not a pass in any output
        assert {ruling.outcome for ruling in decision.rulings if ruling.id == "white"} != {"pass"}


@pytest.mark.parametrize(
    ("recall", "code"),
    [
        (GOOD, 0),
        (BAD, 12),  # the point .75 is above, the interval from .5 is not
        (by_group("S2F003", {"asian": (0, 0.05)}), 12),  # no portrait was read
    ],
)
def test_the_instruments_recall_must_be_shown(recall: audit.Finding, code: int) -> None:
    assert decided(policy(RECALL, RULE), made(white(-0.05, 0.05), recall)).exit_code == code


def test_the_instruments_recall_may_be_asked_for_some_groups_only() -> None:
    terms = policy(RECALL + 'groups = ["white"]\n', RULE)
    assert decided(terms, made(white(-0.05, 0.05), BAD)).exit_code == 0


OUTCOMES = {
    13: lambda on: {"complete": not on},
    12: lambda on: {"recall": BAD if on else GOOD},
    10: lambda on: {"breach": (0.2, 0.3) if on else (0.0, 0.05)},
    11: lambda on: {"wide": (0.0, 0.3) if on else (0.0, 0.05)},
}


@pytest.mark.parametrize("codes", [c for n in range(5) for c in itertools.combinations((13, 12, 10, 11), n)])
def test_several_at_once_13_then_12_then_10_then_11(codes: tuple[int, ...]) -> None:
    facts: dict[str, Any] = {}
    for code, fact in OUTCOMES.items():
        facts |= fact(code in codes)
    second = '[[rule]]\nid = "wide"\ncheck = "S2F001"\nfigure = "rendered"\nside = "at_most"\nlimit = 0.1\n'
    finding = audit.Finding(
        "S2F001",
        "t",
        "inconclusive",
        "asian",
        estimate(*facts["breach"]),
        {"excess_over_portrait": estimate(*facts["breach"]), "rendered": estimate(*facts["wide"])},
    )
    found = made(finding, facts["recall"], complete=facts["complete"])
    assert decided(policy(RECALL, RULE, second), found).exit_code == (codes[0] if codes else 0)


def test_an_exit_code_for_every_outcome() -> None:
    assert EXIT_CODES == {
        "incomplete": 13,
        "instrument": 12,
        "breach": 10,
        "inconclusive": 11,
        "waived": 0,
        "pass": 0,
    }


# Against a baseline

WORSE = '[[rule]]\nid = "worse"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.05\n'


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [(-0.05, 0.05, 0), (-0.01, 0.06, 11), (0.06, 0.1, 10), (-0.3, -0.2, 0), (None, None, 11)],
)
def test_a_rule_of_non_inferiority(low: float | None, high: float | None, code: int) -> None:
    # the candidate itself is far beyond any limit: only the change counts
    changes = {"S2F001": estimate(low, high)}
    assert decided(policy(WORSE), made(white(0.5, 0.6)), changes).exit_code == code


@pytest.mark.parametrize(("low", "high", "code"), [(-0.05, 0.3, 0), (-0.06, 0.0, 11), (-0.2, -0.06, 10)])
def test_where_low_is_worse_a_fall_is_harm(low: float, high: float, code: int) -> None:
    found = made(by_group("S2F004", {"asian": (-0.05, 0.05)}), groups=("asian",))
    decision = decided(policy(WORSE.replace("S2F001", "S2F004")), found, {"S2F004.asian": estimate(low, high)})
    assert decision.exit_code == code
    assert (decision.rulings[-1].side, decision.rulings[-1].limit) == ("at_least", -0.05)


def test_a_change_is_judged_for_every_group_if_the_headline_is_chosen_among_groups() -> None:
    rule = WORSE.replace("S2F001", "S2F003")
    found = made(by_group("S2F003", {"asian": (0, 0.1), "white": (0, 0.1)}))
    changes = {"S2F003.asian": estimate(-0.05, 0.05), "S2F003.white": estimate(-0.05, 0.05)}
    assert decided(policy(rule), found, changes).exit_code == 0
    assert decided(policy(rule), found, changes | {"S2F003.white": estimate(0.1, 0.2)}).exit_code == 10
    del changes["S2F003.white"]
    assert decided(policy(rule), found, changes).exit_code == 11


def test_a_missing_baseline_is_an_error() -> None:
    with pytest.raises(audit.PlanError, match="--baseline"):
        decided(policy(WORSE), made(white(0, 0.05)))


# Waivers


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.4), (0.0, 0.4)])
def test_a_waiver_allows_a_breach_and_is_reported(low: float, high: float) -> None:
    decision = decided(policy(RULE, waiver()), made(white(low, high)))
    assert (decision.exit_code, decision.outcome) == (0, "waived")
    (ruling,) = (ruling for ruling in decision.rulings if ruling.id == "white")
    assert "Waived through 2026-06-30 up to 50% by Ann: pilot of ten users" in ruling.sentence
    assert [use.state for use in decision.waivers] == ["applied"]


def test_an_expired_waiver_has_no_effect_and_is_reported() -> None:
    decision = decided(policy(RULE, waiver(expires="2026-06-14")), made(white(0.2, 0.4)))
    assert decision.exit_code == 10
    assert [use.state for use in decision.waivers] == ["expired"]
    assert "EXPIRED on 2026-06-14" in decision.waivers[0].sentence


def test_a_waiver_that_is_not_needed_leaves_the_pass() -> None:
    decision = decided(policy(RULE, waiver()), made(white(0.0, 0.05)))
    assert decision.outcome == "pass" and [use.state for use in decision.waivers] == ["not_needed"]


def test_no_waiver_makes_a_run_complete_or_an_instrument_valid() -> None:
    assert decided(policy(RULE, waiver()), made(white(0.0, 0.05), complete=False)).exit_code == 13
    assert decided(policy(RECALL, RULE, waiver()), made(white(0.2, 0.4), BAD)).exit_code == 12


# As a whole


def test_a_decision_says_what_decided_it_and_by_what() -> None:
    terms = policy()
    decision = decided(terms, made(white(0.2, 0.4)))
    said = json.loads(decision.to_json())
    assert said["exit_code"] == 10 and "S2F001 white" in said["sentence"]
    assert (said["policy"]["sha256"], said["run"]["digest"]) == (terms.sha256, "d" * 64)
    assert said["run"]["weights_sha256"] == "w" * 64 and said["run"]["cohort_digest"] == "c" * 64
    assert said["run"]["code"] == {"version": "1", "commit": "abc", "dirty": False}
    assert said["rulings"][-1]["line"] == 3
    assert decision.to_json() == decided(terms, made(white(0.2, 0.4))).to_json()


@given(
    low=st.floats(-1, 1),
    width=st.floats(0, 1),
    speakers=st.integers(0, 200),
    limit=st.floats(0, 1),
    side=st.sampled_from(["at_most", "at_least", "within"]),
)
def test_a_pass_is_an_interval_wholly_within_the_limit(
    low: float, width: float, speakers: int, limit: float, side: str
) -> None:
    terms = policy(RULE.replace("0.1", f"{limit!r}") + f'side = "{side}"\n')
    high = low + width
    passed = decided(terms, made(white(low, high, speakers))).exit_code == 0
    inside = {"at_most": high <= limit, "at_least": low >= limit, "within": -limit <= low and high <= limit}[side]
    assert passed == (inside and speakers >= 10)


# The absolute cap of a non-inferiority rule

CAPPED = '[[rule]]\nid = "worse"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\nlimit = 0.2\n'


@pytest.mark.parametrize(
    ("change", "own", "codes"),
    [
        ((-0.05, 0.05), (0.0, 0.15), ("pass", "pass", 0)),
        ((-0.05, 0.05), (0.1, 0.25), ("pass", "inconclusive", 11)),
        ((-0.05, 0.05), (0.25, 0.35), ("pass", "breach", 10)),
        ((0.11, 0.2), (0.0, 0.15), ("breach", "pass", 10)),
    ],
)
def test_a_change_and_the_figure_itself_must_both_be_within_their_bounds(
    change: tuple[float, float], own: tuple[float, float], codes: tuple[str, str, int]
) -> None:
    decision = decided(policy(CAPPED), made(white(*own)), {"S2F001": estimate(*change)})
    worse, cap = (ruling for ruling in decision.rulings if ruling.check)
    assert (worse.outcome, cap.outcome, decision.exit_code) == codes
    assert (worse.id, worse.kind, worse.limit) == ("worse", "non_inferiority", 0.1)
    assert (cap.id, cap.kind, cap.limit, cap.line) == ("worse.limit", "absolute", 0.2, worse.line)


def test_a_waiver_of_the_change_does_not_waive_the_cap() -> None:
    both_breach = made(white(0.25, 0.35)), {"S2F001": estimate(0.11, 0.2)}
    assert decided(policy(CAPPED, waiver("worse")), *both_breach).exit_code == 10
    assert decided(policy(CAPPED, waiver("worse.limit")), *both_breach).exit_code == 10
    waived = policy(CAPPED, waiver("worse"), waiver("worse.limit"))
    assert decided(waived, *both_breach).exit_code == 0
