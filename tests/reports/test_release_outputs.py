"""What the gate writes: valid by the formats' own schemas, and saying the same in each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from audit.release import EXIT_CODES, Decision, Policy
from audit.reports.decision import explanation, junit_xml, sarif_json, summary_markdown
from tests.release_fixture import EVIDENCE, RULE, TODAY, by_group, decided, made, policy, portraits, waiver, white

SCHEMAS = Path(__file__).parents[1] / "schemas"
STRANGE = 'schema = 1\nname = "a <b> & \\"c\\" | \\u0007 d"\n'
WAIVER = waiver(name='"Ann <a@b>"', reason='"line | one, two"')
ERASED = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.1\n'
WORSE = '[[rule]]\nid = "worse"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.05\n'


def several() -> dict[str, Decision]:
    """Decisions of every outcome, by name."""
    recall = "[instrument]\nmin_recall = 0.6\n"
    groups = by_group("S2F003", {"asian": (-0.1, 0.05), "white": (-0.3, 0.3)})
    bad = portraits(asian=0.3, white=0.8)
    waived = Policy.parse(STRANGE + RULE + WAIVER + EVIDENCE, "policies/a policy.toml")
    return {
        "pass": decided(policy(), made(white(0, 0.05))),
        "breach": decided(policy(RULE, ERASED), made(white(0.2, 0.3), groups)),
        "inconclusive": decided(policy(RULE, ERASED), made(white(0, 0.05), groups)),
        "no interval": decided(policy(), made(white(None, None))),
        "instrument": decided(policy(recall, RULE), made(white(0, 0.05), bad)),
        "incomplete": decided(policy(), made(white(0, 0.05), complete=False)),
        "waived": decided(waived, made(white(0.2, 0.3))),
        "baseline": decided(policy(WORSE), made(white(0, 0.05)), {}),
    }


@pytest.fixture(params=several())
def decision(request: pytest.FixtureRequest) -> Decision:
    return several()[request.param]


def sarif_of(decision: Decision) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif_json(decision))
    return document


def test_junit_is_valid(decision: Decision) -> None:
    schema = xmlschema.XMLSchema(SCHEMAS / "junit-jenkins.xsd")
    schema.validate(junit_xml(decision))


def test_sarif_is_valid(decision: Decision) -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(sarif_of(decision))


def test_the_schemas_refuse_what_is_wrong() -> None:
    decision = several()["breach"]
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        xmlschema.XMLSchema(SCHEMAS / "junit-jenkins.xsd").validate(junit_xml(decision).replace("testcase", "case"))
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate(sarif_of(decision) | {"version": "3"})


def test_both_digests_are_in_every_output(decision: Decision) -> None:
    for text in (decision.to_json(), junit_xml(decision), sarif_json(decision), summary_markdown(decision)):
        assert decision.policy["sha256"] in text and "d" * 64 in text


def test_every_output_says_who_waived_what() -> None:
    decision = several()["waived"]
    for text in (decision.to_json(), junit_xml(decision), sarif_json(decision), summary_markdown(decision)):
        assert "2026-06-30" in text and "Ann" in text


def test_junit_fails_every_rule_that_does_not_pass_and_skips_nothing() -> None:
    kinds = {"breach": "failure", "inconclusive": "failure", "instrument": "error", "incomplete": "error"}
    for name, decision in several().items():
        (suite,) = ElementTree.fromstring(junit_xml(decision))
        cases = suite.findall("testcase")
        assert [case.get("name") for case in cases] == [ruling.id for ruling in decision.rulings]
        for case, ruling in zip(cases, decision.rulings, strict=True):
            wanted = [kinds[ruling.outcome]] if ruling.outcome in kinds else []
            assert [child.tag for child in case] == wanted, name
        for kind in ("failure", "error"):
            assert suite.get(f"{kind}s") == str(len(suite.findall(f"testcase/{kind}")))
        failed = int(suite.get("failures", "")) + int(suite.get("errors", ""))
        assert (failed > 0) == (decision.exit_code > 0)


def test_sarif_points_to_the_policys_line() -> None:
    decision = several()["breach"]
    results = sarif_of(decision)["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["white", "erased"]
    lines = policy(RULE, ERASED).text.splitlines()
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "policy.toml"
        line = place["region"]["startLine"]
        assert lines[line - 1] == "[[rule]]" and result["ruleId"] in lines[line]


def test_a_sarif_fingerprint_does_not_depend_on_figures_and_line() -> None:
    first = decided(policy(RULE), made(white(0.2, 0.3)))
    later = decided(policy("# moved\n\n" + RULE.replace("0.1", "0.15")), made(white(0.4, 0.5)))
    other = decided(policy(RULE.replace('"white"', '"other"')), made(white(0.2, 0.3)))
    prints = [sarif_of(one)["runs"][0]["results"][0]["partialFingerprints"] for one in (first, later, other)]
    assert prints[0] == prints[1] != prints[2]


def test_sarif_suppresses_a_waived_result_with_its_waiver() -> None:
    (result,) = sarif_of(several()["waived"])["runs"][0]["results"]
    (suppression,) = result["suppressions"]
    assert suppression["status"] == "accepted" and "Ann <a@b>" in suppression["justification"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policies/a%20policy.toml"
    assert [sarif_of(several()["pass"])["runs"][0]["results"]] == [[]]


def test_the_summary_is_a_table_of_whole_rows(decision: Decision) -> None:
    text = summary_markdown(decision)
    assert text.startswith(f"## {decision.sentence}")
    tables = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {6, 5}
    assert TODAY.isoformat() in text


def test_figures_are_written_in_points_and_every_ruling_once() -> None:
    for decision in several().values():
        summary = summary_markdown(decision)
        for ruling in decision.rulings:
            assert summary.count(f"`{ruling.id}`") == 1
            if ruling.limit is not None:
                assert not re.search(r"required [a-z ]*[-−]?0\.", ruling.sentence), ruling.sentence
    breach = several()["breach"]
    assert "required at most 10%: the interval from 20 to 30% lies wholly above 10%" in breach.rulings[-2].sentence
    messages = [result["message"]["text"] for result in sarif_of(breach)["runs"][0]["results"]]
    assert "20 to 30%" in messages[0]
    (failure,) = ElementTree.fromstring(junit_xml(breach)).findall(".//testcase[@name='white']/failure")
    assert "above 10%" in str(failure.get("message")) and "above 10%" not in str(failure.text)


def test_an_explanation_has_every_ruling_with_its_exit_code_and_what_would_change_it() -> None:
    for name, decision in several().items():
        terms = policy(RULE, ERASED, WORSE) if name != "waived" else Policy.parse(STRANGE + RULE + WAIVER)
        text = "\n".join(explanation(decision, terms))
        for ruling in decision.rulings:
            assert re.search(rf"^{ruling.id}: .*, exit code {EXIT_CODES[ruling.outcome]}$", text, re.MULTILINE)
        assert text.count("changes it") == len(decision.rulings)
    text = "\n".join(explanation(several()["breach"], policy(RULE, ERASED)))
    assert "S2F001 rendered minus portrait at most 10%" in text and "the interval begins 10 points beyond" in text
    assert "Ann" in "\n".join(explanation(several()["waived"], Policy.parse(STRANGE + RULE + WAIVER)))
