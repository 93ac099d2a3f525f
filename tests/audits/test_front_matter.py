"""Front matter: it is in audit.json, so that a sign-off covers it, and it is no part of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import audit
from audit.audits.front_matter import keep_front_matter
from audit.core.front_matter import FrontMatter
from audit.reports.report.sign_off import audit_sha256

TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 6, "languages": ["en", "zh"]}
STATED = FrontMatter(date="2026-03-01", auditor="A. Auditor", complaints="Write to us.\nThen appeal.")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> audit.Run:
    folder = tmp_path_factory.mktemp("front") / "run"
    audit.simulate(TRUTH, out=folder)
    run = audit.Run.read(folder)
    audit.measure(run, with_tables=False).write(folder)
    return run


def test_without_front_matter_audits_and_plans_are_as_before(run: audit.Run) -> None:
    assert run.folder is not None
    assert "front_matter" not in json.loads((run.folder / "audit.json").read_text())
    assert "[audit]" not in (run.folder / "plan.toml").read_text()
    assert not audit.Audit.read(run.folder).front_matter


def test_front_matter_is_kept_without_measuring_and_with_it(run: audit.Run) -> None:
    assert run.folder is not None
    before, plan = audit_sha256(audit.Audit.read(run.folder), run.folder), (run.folder / "plan.toml").read_text()
    made = keep_front_matter(STATED, run.folder)
    text = (run.folder / "audit.json").read_text(encoding="utf-8")
    assert audit.Audit.read(run.folder).front_matter == STATED
    assert audit_sha256(made, run.folder) != before  # a sign-off of the former audit does not count
    again = audit.Run.read(run.folder)
    assert again.digest == run.digest
    assert audit.measure(again, with_tables=False).to_json() == text
    assert audit.gate(run.folder, policy=None).exit_code != 2  # audit.json does not contradict the run
    keep_front_matter(FrontMatter(), run.folder)
    assert audit_sha256(audit.Audit.read(run.folder), run.folder) == before
    assert (run.folder / "plan.toml").read_text() == plan


def test_a_file_needs_the_section_and_no_other_is_read(tmp_path: Path) -> None:
    path = tmp_path / "front.toml"
    path.write_text('title = 3\n[audit]\nauditor = " A. Auditor "\n')
    assert FrontMatter.read(path) == FrontMatter(auditor="A. Auditor")
    for text, words in (
        ('auditor = "x"\n', r"has no section \[audit\]"),
        ("[audit\n", "is not a TOML file"),
        ("[audit]\nnext_audit = 3\n", "next_audit is 3: not a date"),
        ("audit = 3\n", "valid dictionary"),
    ):
        path.write_text(text)
        with pytest.raises(audit.PlanError, match=words):
            FrontMatter.read(path)
    with pytest.raises(audit.PlanError, match="cannot be read"):
        FrontMatter.read(tmp_path / "absent.toml")


def test_fields_of_later_versions_are_left_out(run: audit.Run) -> None:
    made = audit.measure(run, with_tables=False, front_matter=STATED)
    data = json.loads(made.to_json())
    later = {**data["front_matter"], "weather": "fine"}
    assert FrontMatter.stored(later) == data["front_matter"]
    assert list(data)[:5] == ["schema_version", "content_sha256", "method_version", "run", "front_matter"]
