"""The sign-off: what counts, what does not, and that nothing in it can break the page."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re

import pytest

from audit.audits.audit import Audit
from audit.cli import app
from audit.core.errors import AuditError, RunError
from audit.reports import keep_sign_off, write_report
from audit.reports.report.sign_off import DECISIONS, audit_sha256, sign_offs
from tests.report_fixture import fictional_audit
from tests.reports.test_report_page import HOSTILE, Page, only


@pytest.fixture
def run(tmp_path):
    """A folder with a small audit."""
    folder = tmp_path / "run"
    folder.mkdir()
    only(fictional_audit()).write(folder)
    return folder


def digest_of(run) -> str:
    return hashlib.sha256((run / "audit.json").read_bytes()).hexdigest()


def form(run, **given) -> dict[str, str]:
    """What the page's form saves."""
    filled = {
        "audit_sha256": digest_of(run),
        "name": "Ada Imaginary",
        "role": "ethics board",
        "decision": "release_with_conditions",
        "conditions": "Only on fictional voices.",
        "date": "2026-03-01",
    }
    return {**filled, **given}


def saved(tmp_path, content):
    path = tmp_path / "sign-off.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def page_of(run) -> Page:
    return Page(write_report(Audit.read(run), run).read_text(encoding="utf-8"))


def test_the_page_names_the_digest_that_a_sign_off_must_carry(run):
    page = page_of(run)
    assert [element["data-audit"] for element in page.all("form")] == [digest_of(run)]
    assert digest_of(run)[:12] in page.text
    assert audit_sha256(only(fictional_audit()), run / "elsewhere") == digest_of(run), "as it would be written"


def test_without_a_sign_off_the_page_says_so_and_has_lines_to_fill_in(run):
    page = page_of(run)
    assert page.text.count("Nobody has signed this audit") == 2
    assert len([element for element in page.all("div") if element.get("class") == "blanks"]) == 2


def test_a_sign_off_is_kept_by_its_own_digest_and_printed_in_both_places(run, tmp_path):
    kept = keep_sign_off(saved(tmp_path, form(run)), run)
    assert kept.name == f"sign-off-{hashlib.sha256(kept.read_bytes()).hexdigest()[:12]}.json"
    page = page_of(run)
    assert page.text.count("Ada Imaginary , ethics board, 2026-03-01") == 2
    assert page.text.count("Only on fictional voices.") == 2
    assert page.text.count("Signed for this audit") == 2
    assert "Nobody has signed" not in page.text
    assert not [element for element in page.all("div") if element.get("class") == "blanks"]


def test_several_may_sign_and_the_same_one_is_kept_once(run, tmp_path):
    for name, day in (("Bo", "2026-03-02"), ("Ada", "2026-03-01"), ("Ada", "2026-03-01")):
        keep_sign_off(saved(tmp_path, form(run, name=name, date=day)), run)
    assert [signed.name for signed in sign_offs(run, digest_of(run)).counting] == ["Ada", "Bo"]


def test_a_sign_off_of_another_audit_is_refused(run, tmp_path):
    with pytest.raises(AuditError, match="signs the audit abababababab, but that of .* measured again"):
        keep_sign_off(saved(tmp_path, form(run, audit_sha256="ab" * 32)), run)
    assert not list(run.glob("sign-off-*"))


def test_after_measuring_again_a_sign_off_counts_only_if_nothing_changed(run, tmp_path):
    keep_sign_off(saved(tmp_path, form(run)), run)
    only(fictional_audit()).write(run)
    assert "Ada Imaginary" in page_of(run).text and "does not count" not in page_of(run).text
    only(fictional_audit(title="Measured again")).write(run)
    page = page_of(run)
    assert "1 sign-off in this folder, of another audit" in page.text and "does not count: Ada Imaginary" in page.text
    assert "Signed for this audit" not in page.text


def test_a_sign_off_of_other_figures_does_not_count(run, tmp_path):
    keep_sign_off(saved(tmp_path, form(run)), run)
    signed = Audit.read(run)
    first = dataclasses.replace(signed.findings[0], outcome="not_shown")
    for other in (
        dataclasses.replace(signed, findings=(first, *signed.findings[1:])),
        dataclasses.replace(signed, settings={**signed.settings, "confidence": 0.5}),
        dataclasses.replace(signed, run={**signed.run, "digest": "0" * 64}),
    ):
        page = Page(write_report(other, run).read_text(encoding="utf-8"))
        assert "does not count: Ada Imaginary" in page.text and "Signed for this audit" not in page.text
        digests = [element["data-audit"] for element in page.all("form")]
        assert digests != [digest_of(run)], "what is signed on this page is refused in this folder"
    with_ids = {"failures": fictional_audit().tables["failures"]}
    page = Page(write_report(dataclasses.replace(signed, tables=with_ids), run).read_text(encoding="utf-8"))
    assert "Signed for this audit" in page.text


@pytest.mark.parametrize("change", ["content", "name"])
def test_a_record_that_was_changed_after_it_was_kept_does_not_count(run, tmp_path, change):
    kept = keep_sign_off(saved(tmp_path, form(run)), run)
    if change == "content":
        kept.write_text(kept.read_text().replace("release_with_conditions", "release"))
    else:
        kept = kept.rename(run / "sign-off-000000000000.json")
    page = page_of(run)
    assert f"does not count: {kept.name}" in page.text and "Ada Imaginary" not in page.text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "  "}, "name: String should have at least 1 character"),
        ({"decision": "yes"}, "decision: Input should be 'release', 'release_with_conditions'"),
        ({"date": "2026-02-30"}, "date: Input should be a valid date"),
        ({"conditions": " "}, "release_with_conditions needs its conditions or reasons"),
        ({"conditions": "x" * 4001}, "conditions: String should have at most 4000"),
        ({"audit_sha256": "AB"}, "audit_sha256: String should match"),
        ({"nmae": "Ada"}, "there is no field nmae (did you mean 'name'?)"),
        ({"name": 3}, "name: Input should be a valid string"),
    ],
)
def test_wrong_fields_are_reported_in_words(run, tmp_path, given, expected):
    with pytest.raises(AuditError, match=re.escape(expected)) as error:
        keep_sign_off(saved(tmp_path, form(run, **given)), run)
    assert error.value.next_step


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", "[" * 50_000, "\x00", "x" * 200_000])
def test_an_invalid_sign_off_is_refused_and_one_in_the_folder_does_not_break_the_page(run, tmp_path, content):
    path = saved(tmp_path, content)
    with pytest.raises(AuditError):
        keep_sign_off(path, run)
    (run / "sign-off-abcdefabcdef.json").write_text(content)
    (run / "sign-off-folder.json").mkdir()
    assert sign_offs(run, digest_of(run)).unreadable == ("sign-off-abcdefabcdef.json",)


def test_a_missing_file_or_audit_is_an_error(run, tmp_path):
    with pytest.raises(AuditError, match="cannot be read"):
        keep_sign_off(tmp_path / "none.json", run)
    path = saved(tmp_path, form(run))
    (run / "audit.json").unlink()
    with pytest.raises(RunError, match="has no audit.json"):
        keep_sign_off(path, run)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_of_a_signer_is_shown_as_text(run, tmp_path, text):
    given = form(run, name=text[:180], role=text[:180], conditions=text)
    keep_sign_off(saved(tmp_path, given), run)
    page = page_of(run)
    assert len(page.all("script")) == 1 and not page.all("img")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert re.sub(r"\s+", " ", re.sub("[\x00-\x08\x0e-\x1f\u202e]", "\ufffd", text)).strip() in page.text


def test_the_form_can_be_filled_in_by_label_and_names_every_decision(run):
    page = page_of(run)
    fields = [element for tag in ("input", "textarea") for element in page.all(tag)]
    labelled = {element.get("for") for element in page.all("label")}
    assert all(field.get("type") == "radio" or field["id"] in labelled for field in fields)
    assert tuple(field["value"] for field in fields if field.get("type") == "radio") == DECISIONS
    assert [element for element in page.all("form") if "hidden" in element], "without a script there is no dead form"
    assert "form-action 'none'" in page.policy


def test_the_command_keeps_and_prints_it(run, tmp_path):
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["report", str(run), "--sign-off", str(saved(tmp_path, form(run)))])
    assert done.exit_code == 0, done.output
    assert "Ada Imaginary" in (run / "report.html").read_text(encoding="utf-8")
