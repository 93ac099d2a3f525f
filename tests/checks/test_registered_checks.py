"""What every registered check owes: direction, margin, unit and the side of a gate rule agree, for every judged figure.

Each property is tried on the checks that ship and on two third-party ones, with intervals that hypothesis makes. The
main one: a figure beyond its limit never passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.audits.audit import Audit
from audit.audits.measure import evidence_of
from audit.audits.tables.power import detectable
from audit.checks import (
    Check,
    Evidence,
    Finding,
    GapCheck,
    GroupFigure,
    Judged,
    judge,
    judge_groups,
    margins_of,
    shipped,
)
from audit.checks.compared import CheckCompared, Compared
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.comparisons.groups import check_changes, compared_checks
from audit.core.errors import AuditError, PlanError
from audit.core.grouping import GROUP
from audit.core.plan import MeasureSettings, Plan
from audit.core.units import UNITS, unit_of
from audit.release import Policy
from audit.stats import ALL, Curve, Estimate, Settings
from tests.release_fixture import ALLOW, EVIDENCE, decided, made
from tests.third_party.audit_extras.own_group import CHECK as OWN_GROUP


class AgeGap(GapCheck):
    """Age error in years, which can be larger than 1."""

    code, title, question = "LAB001", "Age error differs", "Does the age error differ between groups?"
    scope = "all languages"
    judged = (
        Judged("age_gap", "age error, minus all other groups", "years", 2, "high", two_sided=True, per_group=True),
    )
    needs, would = "There is one group.", "Two groups."

    def metric(self, evidence: Evidence) -> str:
        return "age_error"

    def sentence(self, worst: GroupFigure, evidence: Evidence) -> str:
        return worst.judged.text

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        yield Comparison(self.judged[0], "the group against all others", group.n, "unpaired", group.n_others)


AGE_GAP = AgeGap()
NAMES = ("tests.third_party.audit_extras.own_group:CHECK", f"{__name__}:AGE_GAP")
CHECKS: tuple[Check, ...] = (*shipped(), OWN_GROUP, AGE_GAP)
ROOT = Path(__file__).parents[2]
GROUPS = ("asian", "white")
SETTINGS = MeasureSettings(checks=NAMES, group_by=("gender",))
Interval = tuple[float, float] | None

every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
every_figure = pytest.mark.parametrize(
    ("check", "item"),
    [(check, item) for check in CHECKS for item in check.judged],
    ids=lambda value: value.code if isinstance(value, Check) else value.name,
)
ENDS = st.floats(-1, 1).map(lambda value: round(value, 3))
INTERVALS: st.SearchStrategy[Interval] = st.one_of(
    st.tuples(ENDS, ENDS).map(lambda ends: (min(ends), max(ends))),
    # narrow ones, which a margin may contain
    st.tuples(ENDS, st.floats(0, 0.1)).map(lambda ends: (ends[0], min(1.0, round(ends[0] + ends[1], 3)))),
    st.none(),
)
MARGINS = st.floats(0.001, 1).map(lambda value: round(value, 3))
MANY = settings(max_examples=25, deadline=None)


def reach(item: Judged) -> float:
    """The largest value that the figure's unit allows; 100 where there is no limit."""
    return min(unit_of(item.unit).largest, 100.0)


def scaled(interval: Interval, item: Judged) -> Interval:
    return None if interval is None else (interval[0] * reach(item), interval[1] * reach(item))


def curve(interval: Interval) -> Curve:
    """A figure with this interval at every confidence, on 50 speakers."""
    low, high = interval or (None, None)
    value = None if low is None or high is None else (low + high) / 2
    found = Estimate(value, low, high, 50, 100, 0, "made up" if interval else "too few speakers")
    return Curve(lambda confidence: found)


def harmful(item: Judged, interval: tuple[float, float], margin: float) -> bool:
    """Whether a whole interval lies beyond the margin, on a side that the declaration calls harm."""
    low, high = interval
    above, below = low > margin, high < -margin
    return above or below if item.two_sided else above if item.harm == "high" else below


def harmless(item: Judged, interval: tuple[float, float], margin: float) -> bool:
    """Whether a whole interval lies within the margin, on every side that the declaration calls harm."""
    low, high = interval
    above, below = high <= margin, low >= -margin
    return above and below if item.two_sided else above if item.harm == "high" else below


def finding_of(check: Check, item: Judged, interval: Interval, margin: float) -> Finding:
    """What the check would find, with this interval for the first group, and none but a harmless one for the other."""
    groups = GROUPS if item.per_group else (ALL,)
    figures = {
        (group if item.per_group else item.name): item.figure(
            curve(interval if place == 0 else (0.0, 0.0)), 0.95, margin, group=group
        )
        for place, group in enumerate(groups)
    }
    head = next(iter(figures.values()))
    found = Finding(check.code, check.title, head.verdict.outcome, head.group, head, figures, margin)
    return replace(found, grouping=(check.grouping or GROUP).name)


def policy(check: Check, *lines: str) -> Policy:
    rule = ['[[rule]]\nid = "it"', f'check = "{check.code}"', *lines]
    return Policy.parse(
        "\n".join(
            [
                f'schema = 1\nname = "p"\n{ALLOW}',
                f"checks = {[*NAMES]}",
                *rule,
            ]
        )
    )


@cache
def runs() -> tuple[audit.Run, audit.Run]:
    """A fair run and one in which everything is worse for Asian speakers."""
    truth = {"groups": ["asian", "white"], "speakers_per_group": 24, "languages": ["en", "zh"], "clips_per_language": 2}
    reads = {language: {"white": share} for language, share in (("en", 0.7), ("zh", 0.2))}
    missing, gender = {"asian": 0.3, "white": 0.0}, {"asian": 0.6, "white": 1.0}
    worse = truth | {"rendered": {"asian": reads}, "missing": missing, "gender_right": gender}
    return with_first_languages(audit.simulate(truth)), with_first_languages(audit.simulate(worse))


def with_first_languages(run: audit.Run) -> audit.Run:
    """The run with the first languages Chinese of Asian and English of white speakers."""
    languages = run.observations["group"].map({"asian": "zh", "white": "en"})
    return audit.Run(run.observations.assign(native_language=languages), run.manifest, None)


@cache
def pair() -> Pair:
    fair, worse = (evidence_of(run, SETTINGS) for run in runs())
    return Pair(fair, worse)


@cache
def result(place: int) -> Audit:
    return audit.measure(runs()[place], settings=SETTINGS, with_tables=False)


# Declarations


@every_check
def test_a_check_says_what_it_is(check: Check) -> None:
    assert check.code and check.title and check.scope
    assert check.question.endswith("?")


@pytest.mark.parametrize("check", shipped(), ids=lambda check: check.code)
def test_a_shipped_check_has_a_page(check: Check) -> None:
    folders = [path for path in (ROOT / "docs").rglob("checks") if path.is_dir()]
    if not folders:
        pytest.skip("there are no pages of checks yet")
    pages = [page for folder in folders for page in folder.glob("*.md")]
    assert any(check.code.lower() in page.stem.lower() for page in pages)


def test_codes_and_keys_of_margins_are_unique() -> None:
    assert len({check.code for check in CHECKS}) == len(CHECKS)
    assert len(margins_of(CHECKS)) == sum(len(check.margins()) for check in CHECKS)


@every_figure
@MANY
@given(margin=MARGINS)
def test_a_plan_sets_the_margin_of_every_judged_figure(check: Check, item: Judged, margin: float) -> None:
    margin, key = round(margin * reach(item), 3), check.margin_key(item)
    given_in_plan = Plan.parse(f'[measure]\nchecks = {[*NAMES]}\n[measure.margins]\n"{key}" = {margin}\n').measure
    assert check.margin(item, margins_of(CHECKS, given_in_plan.margins)) == margin
    assert check.margin(item, margins_of(CHECKS)) == check.margins()[key] <= unit_of(item.unit).largest
    with pytest.raises(PlanError, match=key):
        margins_of(CHECKS, {key: -margin})


@every_figure
def test_a_margin_beyond_the_unit_is_refused(check: Check, item: Judged) -> None:
    assert item.unit in UNITS
    with pytest.raises(PlanError, match=check.margin_key(item)):
        margins_of(CHECKS, {check.margin_key(item): unit_of(item.unit).largest * 1.01})


# Finding and gate


@every_figure
@MANY
@given(interval=INTERVALS, margin=MARGINS)
def test_a_figure_is_judged_in_its_declared_direction(
    check: Check, item: Judged, interval: Interval, margin: float
) -> None:
    interval, margin = scaled(interval, item), margin * reach(item)
    outcome = finding_of(check, item, interval, margin).outcome
    if interval is None:
        assert outcome == "not_evaluable"
    elif harmful(item, interval, margin):
        assert outcome == "shown"
    else:
        assert outcome == ("not_shown" if harmless(item, interval, margin) else "inconclusive")


@every_figure
@MANY
@given(interval=INTERVALS, margin=MARGINS)
def test_a_figure_beyond_its_limit_never_passes(check: Check, item: Judged, interval: Interval, margin: float) -> None:
    interval, margin = scaled(interval, item), round(margin * reach(item), 3)
    named = [] if item == check.judged[0] else [f'figure = "{item.name}"']
    found = finding_of(check, item, interval, margin)
    code = decided(policy(check, f"limit = {margin}", *named), made(found)).exit_code
    if interval is None:
        assert code == 11
    elif harmful(item, interval, margin):
        assert code == 10
    else:
        assert code == (0 if harmless(item, interval, margin) else 11)


# Comparison


@every_figure
@MANY
@given(interval=INTERVALS, margin=MARGINS)
def test_a_change_towards_harm_is_never_a_gain(check: Check, item: Judged, interval: Interval, margin: float) -> None:
    interval = scaled(interval, item)
    level = curve((0.0, 0.0))
    compared = Compared("asian", level, level, curve(interval))
    found = CheckCompared(item, compared, (compared,), "it", worst_of_groups=item.per_group)
    headline, group = check_changes(check, found, "B", pair())
    assert headline.word == group.word
    assert (group.change.unit, group.change.harm, group.change.kind) == (item.unit, item.harm, "difference")
    towards, away = (end == item.harm for end in ("high", "low"))
    if interval is None:
        assert group.word == "inconclusive"
    elif interval[0] > 0:
        assert group.word == ("pays" if towards else "gains")
    elif interval[1] < 0:
        assert group.word == ("pays" if away else "gains")
    else:
        assert group.word in ("no_difference", "inconclusive")


@every_check
@MANY
@given(interval=INTERVALS, margin=MARGINS)
def test_a_change_beyond_its_margin_is_never_not_worse(check: Check, interval: Interval, margin: float) -> None:
    item = check.judged[0]
    interval, margin = scaled(interval, item), round(margin * reach(item), 3)
    change = curve(interval).at(0.95)
    changes = {check.code: change, f"{check.code}.asian": change, f"{check.code}.white": curve((0.0, 0.0)).at(0.95)}
    terms = policy(check, 'kind = "non_inferiority"', f"margin = {margin}")
    code = decided(terms, made(finding_of(check, item, (0.0, 0.0), margin)), changes).exit_code
    if interval is None:
        assert code == 11
        return
    worse, not_worse = interval[0] > margin, interval[1] <= margin
    if item.harm == "low":
        worse, not_worse = interval[1] < -margin, interval[0] >= -margin
    assert code == (10 if worse else 0 if not_worse else 11)


# What the checks make of runs


@every_check
@pytest.mark.parametrize("place", [0, 1], ids=["fair", "worse"])
def test_a_finding_has_the_declared_units_and_directions(check: Check, place: int) -> None:
    by = "gender" if check.code == "S2F010" else (check.grouping or GROUP).name  # it is not made for race labels
    finding = result(place).finding(check.code, by)
    assert finding.scope == check.scope or finding.outcome == "not_evaluable"
    judged = [figure for figure in finding.estimates.values() if figure.harm is not None]
    assert (finding.estimate in judged) == (finding.estimate is not None)
    for figure in judged:
        item = check.declared(figure.name)
        assert (figure.unit, figure.harm, figure.two_sided) == (item.unit, item.harm, item.two_sided)
        assert (figure.margin, figure.kind) == (item.margin, "difference")
        assert (figure.group == ALL) <= (not item.per_group)
    assert all(figure.unit and figure.kind for figure in finding.estimates.values())


def test_a_comparison_has_the_figures_of_the_findings() -> None:
    found = compared_checks(CHECKS, pair())
    assert [check.code for check, _ in found] == ["S2F001", "S2F002", "S2F003", "S2F004", "S2F006", "XTR001", "LAB001"]
    for check, compared in found:
        assert compared.judged in check.judged
        for one in compared.groups:
            for place, side in enumerate((one.baseline, one.candidate)):
                figures = result(place).finding(check.code).estimates.values()
                named = [item for item in figures if (item.name, item.group) == (compared.judged.name, one.group)]
                assert [item.value for item in named] == pytest.approx([side.at(0.95).value]), (check.code, one.group)


def test_a_model_that_is_worse_for_one_group_gains_nothing_there() -> None:
    changes = audit.compare(*runs(), settings=SETTINGS).checks
    words = {(change.figure, change.group): change.word for change in changes}
    assert {words[code, "asian"] for code in ("S2F001", "S2F003", "S2F004", "S2F006")} == {"pays"}
    assert "gains" not in {word for (_, group), word in words.items() if group == "asian"}


@every_check
def test_power_is_about_judged_figures(check: Check) -> None:
    clips = pd.DataFrame({"speaker_id": [1, 1, 2, 2], "language": ["en", "zh"] * 2, "clips": 2})
    assert all(found.judged in check.judged for found in check.power(GroupClips("asian", clips, 2, 5)))


def test_power_is_computed_for_rates_only() -> None:
    clips = pd.DataFrame({"speaker_id": range(60), "group": ["asian", "white"] * 30, "language": "en"})
    found = detectable(clips, CHECKS, margins_of(CHECKS), Settings()).set_index("check")
    assert found.loc["XTR001", "smallest_detectable"].notna().all() and set(found.loc["XTR001", "margin"]) == {0.08}
    assert found.loc["LAB001", ["margin", "smallest_detectable"]].isna().all(axis=None)
    assert set(found.loc["LAB001", "note"]) == {
        "computed for rates, not for years, whose variance between speakers is not known"
    }
    assert found.loc["S2F005", "smallest_detectable"].notna().all()
    gender, age = (
        found.loc["S2F004"][found.loc["S2F004", "comparison"].str.startswith(name)] for name in ("gender", "age")
    )
    assert gender["smallest_detectable"].notna().all() and age["smallest_detectable"].isna().all()
    assert not list(GapCheck.power(AGE_GAP, GroupClips("asian", clips, 30, 30)))


# Third-party checks that contradict their declarations


class TwoDirections(Check):
    """Judges two figures of which the other end is harm; its headline is the second one."""

    code, title, question, scope = "LAB002", "Two directions", "Which one?", "all languages"
    judged = (Judged("excess", "an excess", "share", 0.1, "high"), Judged("loss", "a loss", "share", 0.1, "low"))

    def measure(self, evidence: Evidence) -> Finding:
        figures = {
            "excess": self.figure(evidence, "excess", curve((-0.02, 0.02))),
            "loss": self.figure(evidence, "loss", curve((-0.7, -0.5))),
        }
        return judge(self, evidence, figures["loss"], figures, "A loss.")

    def compare(self, pair: Pair) -> CheckCompared:
        compared = Compared(ALL, curve((0.0, 0.0)), curve((-0.7, -0.5)), curve((-0.7, -0.5)))
        return CheckCompared(self.judged[1], compared, (), "a loss")


class UndeclaredHeadline(TwoDirections):
    def measure(self, evidence: Evidence) -> Finding:
        found = super().measure(evidence)
        assert found.estimate is not None
        return replace(found, estimate=replace(found.estimate, name="other"))


class OtherDirection(TwoDirections):
    def measure(self, evidence: Evidence) -> Finding:
        found = super().measure(evidence)
        assert found.estimate is not None
        return replace(found, estimate=replace(found.estimate, harm="high"))


class UndeclaredGroups(TwoDirections):
    def measure(self, evidence: Evidence) -> Finding:
        figures = [
            GroupFigure(group, self.figure(evidence, "excess", curve((0.2, 0.3)), group=group)) for group in GROUPS
        ]
        return judge_groups(self, evidence, figures, lambda named: "An excess.")


def test_a_rule_takes_the_direction_of_the_headline() -> None:
    first = f'schema = 1\nname = "p"\nchecks = ["{__name__}:TwoDirections"]\n'
    policy = Policy.parse(f'{first}{EVIDENCE}[[rule]]\nid = "it"\ncheck = "LAB002"\nlimit = 0.05\n')
    decision = audit.gate(runs()[0], policy=policy)
    assert decision.exit_code == 10
    assert decision.rulings[-1].side == "at_least" and decision.rulings[-1].figure == "loss"
    named = Policy.parse(policy.text + 'figure = "excess"\n')
    assert audit.gate(runs()[0], policy=named).exit_code == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("UndeclaredHeadline", "the headline figure other.*excess, loss"),
        ("OtherDirection", "the headline figure loss.*unit or direction"),
        ("UndeclaredGroups", "excess.*per_group"),
    ],
)
def test_a_finding_that_contradicts_the_declaration_is_refused(name: str, words: str) -> None:
    with pytest.raises(AuditError, match=f"(?s){words}"):
        audit.measure(runs()[0], checks=[f"{__name__}:{name}"], with_tables=False)


def test_a_change_of_another_direction_than_the_first_figure_is_refused() -> None:
    """A rule of non-inferiority takes the direction of the first judged figure."""
    with pytest.raises(AuditError, match="LAB002 compares the figure loss.*excess"):
        audit.compare(*runs(), settings=MeasureSettings(checks=(f"{__name__}:TwoDirections",)))
