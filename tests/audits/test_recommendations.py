"""Recommendations: they follow from shown findings only, name the groups of the evidence, and say how strong it is."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from audit.audits.audit import Audit
from audit.audits.recommendations import Case, RecommendationRule, chosen, recommend, shipped
from audit.audits.recommendations.strength import Criteria, Size
from audit.audits.table import Table
from audit.checks import shipped as checks
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding
from audit.core.errors import AuditError
from audit.stats.verdict import Outcome

HERE = "tests.audits.test_recommendations"
SPANS: dict[Outcome, tuple[float, float]] = {
    "shown": (0.3, 0.5), "not_shown": (-0.02, 0.02), "inconclusive": (0.0, 0.5)
}  # fmt: skip
FURTHER = {
    "S2F001": ("portrait", "ceiling", "rendered", "language_effect", "excess_over_ceiling"),
    "S2F002": ("between",),
    "S2F003": ("portrait", "ceiling", "rendered"),
    "S2F004": ("own",),
    "S2F005": ("own",),
    "S2F006": ("own", "others"),
    "S2F007": ("coverage_effect",),
    "S2F008": ("ceiling", "rendered"),
}
NAMES = {code: next(check for check in checks() if check.code == code).judged[0].name for code in FURTHER} | {
    "S2F009": "read_difference", "S2F010": "excess", "LAB001": "anything"
}  # fmt: skip


def figure(name: str, group: str, outcome: Outcome = "shown", language: str = "all", n: int = 40) -> Figure:
    """A judged figure with this outcome, whose margin is 0.1."""
    known = {"name": name, "group": group, "language": language, "unit": "share", "margin": 0.1, "harm": "high"}
    if outcome == "not_evaluable":
        return Figure(None, None, None, n, n, 0, "too few", **known)
    low, high = SPANS[outcome]
    return Figure((low + high) / 2, low, high, n, n, 0, "by hand", **known)


def finding(code: str, *, n: int = 40, **by_group: Outcome) -> Finding:
    """A finding with one judged figure for each group, and every further figure that a rule could ask for."""
    judged = {group: figure(NAMES[code], group, outcome, n=n) for group, outcome in by_group.items()}
    more = {
        f"{group}.{name}": figure(name, group)
        for group in by_group for name in FURTHER.get(code, ()) if name != NAMES[code]
    }  # fmt: skip
    more |= {f"{group}.en": figure("shift", group, "shown", "en") for group in by_group if code == "S2F008"}
    outcomes = {*by_group.values()}
    outcome = "shown" if "shown" in outcomes else outcomes.pop()
    head = next(group for group, found in by_group.items() if found == outcome)
    return Finding(code, "t", outcome, head, judged[head], judged | more, by_group=by_group, p_adjusted=0.001)


def table(**columns: object) -> Table:
    return Table("t", "", pd.DataFrame(columns))


def an_audit(*findings: Finding, errors: float = 0.3, missing: str | None = "shown", n_missing: int = 2) -> Audit:
    """An audit in which every rule has the tables that it asks for, and they support it."""
    groups = ("asian", "white")
    rows = [(f.code, g, doubt) for f in findings for g in groups for doubt in ("missing_faces", "misclassified_faces")]
    tables = {
        "coverage": table(
            group=["asian", "asian", "white", "white"], language=["en", "zh"] * 2,
            clips_trained=[0.0, 80.0, 0.0, 80.0], low=[0.1, 0.8] * 2, high=[0.3, 1.0] * 2,
        ),
        "instrument": table(
            group=groups, gender="all", metric="read_own_group", low=1 - errors - 0.1, high=1 - errors + 0.1
        ),
        "sensitivity": table(
            check=[row[0] for row in rows], group=[row[1] for row in rows], doubt=[row[2] for row in rows],
            n_available=n_missing, outcome_if_all=missing, rate_to_change=0.05,
        ),
        "statuses": table(status=["no_face"]),
    }  # fmt: skip
    return Audit({}, {"confidence": 0.95}, findings, tables)


@pytest.mark.parametrize("code", NAMES)
def test_every_shown_finding_has_a_limit_on_use(code: str) -> None:
    found = recommend(an_audit(finding(code, asian="shown")))
    assert found[0].rule == "limit_on_use"
    assert "asian" in found[0].text
    assert "10 points" in found[0].text


def test_every_rule_speaks_where_everything_it_needs_is_shown() -> None:
    found = recommend(an_audit(*(finding(code, asian="shown") for code in NAMES)))
    assert {each.rule for each in found} == {rule.name for rule in shipped()}


@pytest.mark.parametrize("outcome", OUTCOMES[1:])
def test_no_rule_speaks_about_another_outcome(outcome: Outcome) -> None:
    assert recommend(an_audit(*(finding(code, asian=outcome) for code in NAMES))) == ()
    mixed = [finding(code, asian="shown", white=outcome) for code in NAMES]
    found = recommend(an_audit(*mixed))
    assert {each.rule for each in found} == {rule.name for rule in shipped()}
    assert {each.groups for each in found} == {("asian",)}
    assert not any("white" in each.text for each in found)
    with pytest.raises(ValueError, match="no recommendation follows"):
        Case(an_audit(), finding("S2F003", asian=outcome))


def test_the_language_that_the_training_hardly_covered_is_named() -> None:
    made = an_audit(finding("S2F007", asian="shown"))
    text = next(each.text for each in recommend(made) if each.rule == "training_coverage")
    assert "asian speakers in English (now 0)" in text
    overlapping = made.tables["coverage"].frame.assign(high=0.9)
    made = replace(made, tables={**made.tables, "coverage": Table("t", "", overlapping)})
    assert "training_coverage" not in {each.rule for each in recommend(made)}


def test_the_stage_is_the_one_that_the_figures_name() -> None:
    only_rendered = finding("S2F004", asian="shown")
    more = {"asian.gender_gap_ceiling": figure("gender_gap_ceiling", "asian", "not_shown")}
    encoder = replace(only_rendered, estimates={**only_rendered.estimates, **more})
    more = {"asian.gender_gap_ceiling": figure("gender_gap_ceiling", "asian", "shown")}
    decoder = replace(only_rendered, estimates={**only_rendered.estimates, **more})
    texts = [
        [each.text for each in recommend(an_audit(f)) if each.rule == "stage"]
        for f in (only_rendered, encoder, decoder)
    ]
    assert texts[0] == []
    assert "arises in the voice encoder" in texts[1][0]
    assert "arises in the decoder" in texts[2][0]


def test_people_are_asked_to_read_where_the_instrument_may_be_the_cause() -> None:
    def asked(**known: float) -> bool:
        found = recommend(an_audit(finding("S2F003", asian="shown"), **known))
        return "human_readings" in {each.rule for each in found}

    assert asked(errors=0.3)  # 20 to 40% of portraits are misread
    assert not asked(errors=-0.1)  # none; the verdict would need 5% of misread faces
    assert asked(errors=0.0)  # up to 10%


def test_missing_faces_are_those_of_the_group_that_has_more_of_them() -> None:
    less = finding("S2F006", asian="shown")
    below = replace(less.estimates["asian"], value=-0.4, low=-0.5, high=-0.3, two_sided=True)
    less = replace(less, estimate=below, estimates={**less.estimates, "asian": below})
    text = next(each.text for each in recommend(an_audit(less)) if each.rule == "missing_faces")
    assert "speakers other than asian" in text


@pytest.mark.parametrize(
    ("change", "strength"),
    [
        ({}, "strong"),
        ({"p": 0.2}, "weak"),
        ({"p": None}, "weak"),
        ({"missing": "inconclusive"}, "weak"),
        ({"missing": None}, "moderate"),
        ({"missing": None, "n_missing": 0}, "strong"),
        ({"n": 20}, "moderate"),
        ({"n": 9}, "weak"),
    ],
)
def test_the_strength_is_that_of_the_evidence(change: dict, strength: str) -> None:
    found = replace(finding("S2F003", n=change.get("n", 40), asian="shown"), p_adjusted=change.get("p", 0.001))
    known = {name: value for name, value in change.items() if name in ("missing", "n_missing")}
    assert {each.strength for each in recommend(an_audit(found, **known))} == {strength}


def test_several_groups_are_as_strong_as_the_least_of_them() -> None:
    sizes: list[Size] = ["enough", "some"]
    strong, weaker = (Criteria(True, True, True, True, size) for size in sizes)
    assert (strong.strength, Criteria.least([strong, weaker])) == ("strong", weaker)


def test_suppressed_figures_are_neither_used_nor_named() -> None:
    found = finding("S2F003", asian="shown")
    empty = {key: each.emptied("suppressed") for key, each in found.estimates.items()}
    (only,) = recommend(an_audit(replace(found, estimates=empty, estimate=empty["asian"], p_adjusted=None)))
    assert (only.rule, only.strength, only.figures) == ("limit_on_use", "weak", ())
    assert "points" not in only.text


def test_the_figures_are_keys_of_the_finding() -> None:
    found = finding("S2F003", asian="shown", white="shown")
    used = {key for each in recommend(an_audit(found)) for key in each.figures}
    assert {"asian", "white", "asian.ceiling"} <= used <= {*found.estimates}


LAB = RecommendationRule(name="lab", summary="s", figures={"*": ()}, words=lambda case, groups: "Ask the laboratory.")
BROKEN = RecommendationRule(name="broken", summary="s", figures={"*": ()}, words=lambda case, groups: groups[9])
TWICE = replace(LAB, name="stage")
CHECK = "no rule"


def test_a_third_party_rule_is_named() -> None:
    made = an_audit(finding("LAB001", asian="shown"))
    assert [each.text for each in recommend(made, [f"{HERE}:LAB"])][-1] == "Ask the laboratory."
    for name, words in (("BROKEN", "failed: IndexError"), ("TWICE", "the name stage"), ("CHECK", "is a str")):
        with pytest.raises(AuditError, match=words):
            recommend(made, [f"{HERE}:{name}"])
    with pytest.raises(ValueError, match="names no check"):
        replace(LAB, figures={})
    assert len(chosen([f"{HERE}:LAB"])) == len(shipped()) + 1
