"""The comparison of results before and after a change of the code: what counts as the same."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.result_differences import differences

ROOT = Path(__file__).parent.parent
BEFORE: dict[str, Any] = {
    "content_sha256": "1f",
    "run": {"digest": "2e", "n_speakers": 32, "cohort": {"digest": "3d"}, "plan": "[measure]\nconfidence = 0.95\n"},
    "findings": [
        {
            "code": "S2F001",
            "outcome": "shown",
            "estimates": {
                "portrait": {"value": 0.0, "method": "mid-P on 32 speakers"},
                "rendered": {"value": 0.329444132887, "method": "mid-P on 32 speakers, worth 32.7 independent reads"},
            },
            "sentence": "Of 32 speakers, 33% are read as white.",
        }
    ],
    "tables": {
        "power": {
            "title": "What this cohort could show",
            "columns": ["check", "group", "margin", "comparison"],
            "rows": [["S2F001", "asian", 0.1, "in words"], ["S2F001", "white", 0.2, "in words"]],
        }
    },
}


def changed(change: str) -> dict[str, Any]:
    """A copy of ``BEFORE`` to which one statement was applied."""
    after = copy.deepcopy(BEFORE)
    finding, table = after["findings"][0], after["tables"]["power"]
    names = {
        "after": after,
        "finding": finding,
        "estimates": finding["estimates"],
        "table": table,
        "rows": table["rows"],
    }
    exec(change, names)
    return after


def found(change: str, *reworded: str) -> list[tuple[str, str]]:
    """The kind and path of every difference that the change makes."""
    return [(each.kind, each.path) for each in differences(BEFORE, changed(change), reworded=reworded)]


def test_equal_documents_have_no_differences() -> None:
    assert found("pass") == []


@pytest.mark.parametrize(
    ("change", "kind", "path"),
    [
        ("estimates['rendered']['value'] = 0.329444132888", "value", "findings[0].estimates.rendered.value"),
        ("estimates['portrait']['value'] = 0", "type", "findings[0].estimates.portrait.value"),
        ("estimates['portrait']['value'] = None", "type", "findings[0].estimates.portrait.value"),
        ("finding['outcome'] = 'inconclusive'", "value", "findings[0].outcome"),
        ("finding['code'] = 'S2F002'", "value", "findings[0].code"),
        ("del after['run']['n_speakers']", "removed", "run.n_speakers"),
        ("del after['content_sha256']", "removed", "content_sha256"),
        ("after['run']['cohort']['digest'] = '00'", "value", "run.cohort.digest"),
        ("estimates['portrait'] = estimates.pop('portrait')", "order", "findings[0].estimates"),
        ("after['findings'].append(finding)", "length", "findings"),
        ("after['run']['plan'] = '[measure]\\nconfidence = 0.9'", "value", "run.plan.measure.confidence"),
        ("rows[1][2] = 0.3", "value", "tables.power.columns.margin[1]"),
        ("rows[1][1] = 'black'", "value", "tables.power.columns.group[1]"),
        ("estimates['portrait']['method'] = 'exact on 32 speakers'", "value", "findings[0].estimates.portrait.method"),
    ],
)
def test_a_changed_number_identifier_or_key_fails(change: str, kind: str, path: str) -> None:
    assert found(change) == [(kind, path)]
    assert all(each.fails for each in differences(BEFORE, changed(change)))


def test_a_renamed_key_is_one_removed_and_one_added() -> None:
    change = "estimates['from_voice'] = estimates.pop('rendered')"
    assert found(change) == [
        ("removed", "findings[0].estimates.rendered"),
        ("added", "findings[0].estimates.from_voice"),
    ]


def test_rows_in_another_order_fail() -> None:
    assert {kind for kind, _ in found("rows.reverse()")} == {"value"}


def test_columns_in_another_order_fail() -> None:
    change = "table['columns'].reverse(); [row.reverse() for row in rows]"
    assert found(change) == [("order", "tables.power.columns")]


def test_a_removed_row_fails() -> None:
    assert {kind for kind, _ in found("rows.pop()")} == {"length"}


@pytest.mark.parametrize(
    ("change", "kind", "path"),
    [
        ("estimates['rendered']['unit'] = 'rate'", "added", "findings[0].estimates.rendered.unit"),
        ("table['columns'].insert(1, 'n'); [row.insert(1, 9) for row in rows]", "added", "tables.power.columns.n"),
        ("after['run']['plan'] += 'seed = 0'", "added", "run.plan.measure.seed"),
        ("finding['sentence'] = '33% of 32 speakers are read as white.'", "text", "findings[0].sentence"),
        ("finding['sentence'] = 'A third.'", "text with other numbers", "findings[0].sentence"),
        ("table['title'] = 'Power'", "text", "tables.power.title"),
        ("rows[0][3] = 'in other words'", "text", "tables.power.columns.comparison[0]"),
        ("after['run']['digest'] = '00'", "ignored", "run.digest"),
    ],
)
def test_added_keys_and_changed_display_text_do_not_fail(change: str, kind: str, path: str) -> None:
    assert found(change) == [(kind, path)]
    assert not any(each.fails for each in differences(BEFORE, changed(change)))


def test_the_wording_of_a_method_may_change_on_request_but_not_its_numbers() -> None:
    path = "findings[0].estimates.rendered.method"
    reworded = "estimates['rendered']['method'] = 'mid-P, 32 speakers, effective sample size {}'"
    assert found(reworded.format(32.7), "*method") == [("text", path)]
    assert found(reworded.format(32.8), "*method") == [("value", path)]


@pytest.mark.parametrize(("change", "exit_code"), [("pass", 0), ("finding['outcome'] = 'not_shown'", 1)])
def test_the_command_compares_folders(tmp_path: Path, change: str, exit_code: int) -> None:
    for name, document in (("before", BEFORE), ("after", changed(change))):
        (tmp_path / name / "gap").mkdir(parents=True)
        (tmp_path / name / "gap" / "audit.json").write_text(json.dumps(document))
    line = [sys.executable, "scripts/same_results.py", "compare", tmp_path / "before", tmp_path / "after"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert f"1 documents compared, {exit_code} different" in done.stdout


def test_a_document_that_is_missing_afterwards_fails(tmp_path: Path) -> None:
    (tmp_path / "before" / "gap").mkdir(parents=True)
    (tmp_path / "before" / "gap" / "audit.json").write_text(json.dumps(BEFORE))
    line = [sys.executable, "scripts/same_results.py", "compare", tmp_path / "before", tmp_path / "after"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "removed: gap/audit.json" in done.stdout) == (1, True)
