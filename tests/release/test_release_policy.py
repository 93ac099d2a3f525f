"""The policy: what may be said in it, and how a mistake is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from audit.release import Policy
from tests.release_fixture import RULE, policy, waiver

HEAD = 'schema = 1\nname = "p"\n'
RELATIVE = '[[rule]]\nid = "x"\ncheck = "S2F001"\nkind = "non_inferiority"\n'
WAIVER = waiver()


def test_the_shipped_policy_is_read() -> None:
    shipped = Policy.default()
    assert [rule.check for rule in shipped.terms.rule] == ["S2F001", "S2F002", "S2F003", "S2F004", "S2F006"]
    assert shipped.confidence == 0.95
    assert {resolved.rule.check: resolved.side for resolved in shipped.rules}["S2F004"] == "within"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "the key rule is missing"),
        ('name = "p"\n' + RULE, "the key schema is missing"),
        (HEAD.replace("1", "2") + RULE, "schema is 2"),
        (HEAD + "rule = []\n", "rule is []"),
        (HEAD + RULE + "limt = 0.2\n", "there is no key rule.0.limt, did you mean 'limit'?"),
        (HEAD + RULE + "[data]\nstratum = 1\n", "there is no key data.stratum, did you mean 'strata'?"),
        (HEAD + RULE + '[[data.strata]]\ngrup = "asian"\n', "there is no key data.strata.0.grup, did you mean 'group'"),
        (HEAD + RULE.replace("S2F001", "S2F01"), "there is no such check, did you mean 'S2F010'?"),
        (HEAD + RULE.replace("0.1", "1.5"), "the limit of rule 'white' is 1.5; it lies in [0, 1]"),
        (HEAD + RULE.replace("0.1", "-0.1"), "rule.0.limit is -0.1"),
        (HEAD + RULE.replace("0.1", "nan"), "rule.0.limit is nan"),
        (HEAD + RULE.replace("limit = 0.1\n", ""), "rule 'white' is absolute: it needs a limit"),
        (HEAD + RULE + "margin = 0.1\n", "takes no margin"),
        (HEAD + RELATIVE, "it needs a margin"),
        (HEAD + RELATIVE + 'margin = 0.1\nfigure = "rendered"\n', "takes no figure"),
        (HEAD + RELATIVE + "margin = 0.1\nlimit = 2\n", "the limit of rule 'x.limit' is 2; it lies in [0, 1]"),
        (HEAD + RELATIVE + "margin = 0.1\nlimit = 0.2\n" + RULE.replace("white", "x.limit"), "two rules have the id"),
        (HEAD + RULE + 'figure = "rendered"\n', "names a figure, so it needs a side"),
        (HEAD + RULE + 'groups = ["asain"]\n', "there is no group 'asain', did you mean 'asian'?"),
        (HEAD + RULE + 'groups = ["asain"]\n', "The race labels are asian, indian, black, white"),
        (HEAD + RULE + 'groups = ["unknown"]\n', "unknown is never judged"),
        (HEAD + RULE + "groups = []\n", "name a group"),
        (HEAD + RULE + "min_speakers = 1\n", "rule.0.min_speakers is 1"),
        (HEAD + RULE + "alpha = 0.5\n", "rule.0.alpha is 0.5"),
        (HEAD + RULE + RULE, "two rules have the id 'white'"),
        (HEAD + RULE.replace('"white"', '"data.complete"'), "begins with the name of a policy section"),
        (HEAD + RULE + WAIVER.replace('"white"', '"whit"'), "which does not exist, did you mean 'white'?"),
        (HEAD + RULE + WAIVER.replace('"Ann"', '" "'), "waiver.0.name is ' '"),
        (HEAD + RULE + waiver(reason=None), "the key waiver.0.reason is missing"),
        (HEAD + RULE + waiver(expires='"soon"'), "waiver.0.expires is 'soon'"),
        (HEAD + RULE + '[data.label_sources]\ngroup = ["self_report"]\n', "did you mean 'self_reported'?"),
        (HEAD + RULE + "[instrument]\nmin_recall = 2\n", "instrument.min_recall is 2"),
        ("schema = ", "is not a TOML file"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(audit.PlanError) as caught:
        Policy.parse(text)
    assert message in str(caught.value)


def test_a_limit_in_years_may_be_above_one() -> None:
    rule = '[[rule]]\nid = "age"\ncheck = "S2F004"\nfigure = "age_error.asian"\nside = "at_most"\nlimit = 5\n'
    assert policy(rule).terms.rule[0].limit == 5


def test_the_page_shows_policies_that_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "gate.md").read_text(encoding="utf-8")
    whole, more = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert {rule.kind for rule in Policy.parse(whole).terms.rule} == {"absolute", "non_inferiority"}
    assert [rule.check for rule in Policy.parse(HEAD + more).terms.rule] == ["S2F005", "S2F007"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(audit.PlanError, match=r"nowhere\.toml cannot be read"):
        Policy.read("nowhere.toml")


def test_every_ruling_stands_at_its_line() -> None:
    text = HEAD + "[instrument]\nmin_recall = 0.5\n\n" + RULE + "# a remark\n" + RULE.replace("white", "again")
    read = Policy.parse(text)
    lines = text.splitlines()
    assert [lines[read.line(name) - 1] for name in ("white", "again", "instrument.min_recall")] == [
        "[[rule]]",
        "[[rule]]",
        "[instrument]",
    ]
    assert read.line("white") < read.line("again")
    assert read.line("data.complete") == 1  # which the policy does not mention


def test_rules_in_one_line_are_found_by_their_names() -> None:
    text = (
        HEAD
        + 'rule = [\n  { id = "a", check = "S2F001", limit = 0.1 },\n  { id = "b", check = "S2F002", limit = 0 }\n]'
    )
    assert [Policy.parse(text).line(name) for name in ("a", "b")] == [4, 5]


@given(st.text(max_size=200), st.sampled_from([HEAD, HEAD + RULE, HEAD + RULE + WAIVER]))
def test_any_text_is_a_policy_or_a_plan_error(text: str, before: str) -> None:
    try:
        assert Policy.parse(before + text).terms.rule
    except audit.PlanError as error:
        assert str(error)
