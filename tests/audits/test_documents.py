"""Documents are read strictly: what was edited, damaged, too large or too deep is refused in a sentence."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import audit
from audit.core import document
from audit.core.document import Document
from tests.document_fixture import sealed

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 6, "languages": ["en", "zh"]}
KINDS: tuple[type[Document], ...] = (audit.Audit, audit.Comparison, audit.Probe, audit.Decision)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@cache
def made() -> dict[type[Document], Document]:
    """One small document of each kind."""
    run = audit.simulate(TRUTH)
    measured = audit.measure(run)
    probe = audit.Probe(
        model={"name": "a model"},
        instrument={"name": "an instrument"},
        cohort={"name": "voices", "n_voices": 4},
        settings={"confidence": 0.95},
        notices=("Fictional voices.",),
        findings=measured.findings,
        sentences=("The face changes.",),
        tables={"effects": measured.tables["strata"]},
    )
    documents = (measured, audit.compare(run, run), probe, audit.gate(run, today=dt.date(2026, 6, 15)))
    return dict(zip(KINDS, documents, strict=True))


def data_of(kind: type[Document]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(made()[kind].to_json())
    return data


def first_number(data: Any) -> tuple[Any, Any]:
    """Where the first number that is not a count stands: its container and its key."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(value, float):
            return data, key
        if isinstance(value, dict | list) and (found := first_number(value))[0] is not None:
            return found
    return None, None


@each_kind
def test_a_document_comes_back_as_it_was_written(kind: type[Document], tmp_path: Path) -> None:
    text = made()[kind].to_json()
    assert list(json.loads(text))[:2] == ["schema_version", "content_sha256"]
    assert json.loads(text)["schema_version"] == "1.2"
    assert kind.from_json(text).to_json() == text
    path = made()[kind].write(tmp_path)
    assert path == tmp_path / kind.FILE and path.read_text(encoding="utf-8") == text
    assert kind.read(tmp_path).to_json() == text
    assert json.loads(text)["content_sha256"] == made()[kind].content_sha256


# E6: edited


@each_kind
def test_an_edited_document_is_refused(kind: type[Document]) -> None:
    data = data_of(kind)
    place, key = first_number(data)
    place[key] += 0.25
    with pytest.raises(audit.RunError, match=f"{kind.FILE} was changed after it was written"):
        kind.from_json(json.dumps(data))


@each_kind
def test_a_document_without_its_digest_is_refused(kind: type[Document]) -> None:
    data = data_of(kind)
    del data["content_sha256"]
    with pytest.raises(audit.RunError, match=f"{kind.FILE} has no content_sha256"):
        kind.from_json(json.dumps(data))


@each_kind
def test_schema_1_0_is_no_way_around_the_digest(kind: type[Document]) -> None:
    data = data_of(kind) | {"schema_version": "1.0"}
    del data["content_sha256"]
    with pytest.raises(audit.RunError, match="has no content_sha256"):
        kind.from_json(json.dumps(data))


def test_an_audit_of_schema_1_0_is_read() -> None:
    """Its figures and tables say less: no unit, no group, no types of columns."""
    data = json.loads((SAMPLE / "audit.json").read_text(encoding="utf-8"))
    estimate = ("value", "low", "high", "n_speakers", "n_clips", "n_missing", "method")
    for finding in data["findings"]:
        for key in ("by_group", "scope"):
            del finding[key]
        if finding["estimate"] is not None:
            finding["estimate"] = {key: finding["estimate"][key] for key in estimate}
        finding["estimates"] = {
            name: {key: item[key] for key in estimate} for name, item in finding["estimates"].items()
        }
    for table in data["tables"].values():
        del table["column_types"]
    content = {key: value for key, value in data.items() if key not in ("schema_version", "content_sha256")}
    written = json.dumps(content, indent=1, ensure_ascii=False)
    head = {"schema_version": "1.0", "content_sha256": hashlib.sha256(written.encode()).hexdigest()}
    read = audit.Audit.from_json(json.dumps(head | content, indent=1, ensure_ascii=False))
    assert read.schema_version == "1.0"
    assert [finding.code for finding in read.findings] == [item["code"] for item in data["findings"]]
    assert {figure.unit for finding in read.findings for figure in finding.estimates.values()} == {""}
    with pytest.raises(audit.PlanError, match="written by an earlier version"):
        audit.gate(read)


# E7: damaged


@each_kind
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: '{"a":' * 100_000, "nested too deeply"),
        (lambda text: text.replace("{", '{"deep": ' + "[" * 40 + "]" * 40 + ",", 1), "nested too deeply"),
        (lambda text: text.replace("{", '{"extra": NaN,', 1), "NaN is not a JSON number"),
        (lambda text: text.replace("{", '{"extra": -Infinity,', 1), "-Infinity is not a JSON number"),
        (lambda text: text.replace("{", '{"extra": 1e999,', 1), "not JSON compliant"),
        (lambda text: text.replace("{", '{"extra": ' + "9" * 5000 + ",", 1), "Exceeds the limit"),
        (lambda text: text.replace("{", '{"schema_version": "1.2",', 1), "the key 'schema_version' occurs twice"),
        (lambda text: text[: len(text) // 2], "is not valid"),
        (lambda text: "", "is not valid"),
        (lambda text: "null", "is not valid"),
        (lambda text: "[]", "is not valid"),
        (lambda text: "{}", "schema_version"),
        (lambda text: text.replace('"1.2"', "1.1", 1), "schema_version"),
        (lambda text: text.replace('"1.2"', '"9.0"', 1), r"schema version 9\.0"),
        (lambda text: text.replace('"1.2"', '"1"', 1), "schema_version is '1'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_document_is_refused_in_a_sentence(
    kind: type[Document], damage: Callable[[str], str], words: str
) -> None:
    with pytest.raises(audit.RunError, match=words) as raised:
        kind.from_json(damage(made()[kind].to_json()))
    assert kind.FILE in str(raised.value) and kind.COMMAND in str(raised.value)
    assert len(str(raised.value)) < 600


@each_kind
def test_a_file_that_is_not_utf_8_or_too_large_is_refused(
    kind: type[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(audit.RunError, match=f"has no {kind.FILE}"):
        kind.read(tmp_path)
    path = made()[kind].write(tmp_path)
    path.write_bytes(path.read_bytes() + b"\xff")
    with pytest.raises(audit.RunError, match="is not UTF-8"):
        kind.read(tmp_path)
    path.write_text(made()[kind].to_json().replace("{", '{"extra": "\\ud800",', 1))
    with pytest.raises(audit.RunError, match="was changed after it was written"):
        kind.read(tmp_path)
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    with pytest.raises(audit.RunError, match="is larger than 1,000 bytes"):
        kind.read(tmp_path)


def _of_the_first(name: str, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data[name][0].update(values)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (audit.Audit, lambda data: data.pop("findings")),
        (audit.Audit, lambda data: data.update(findings={})),
        (audit.Audit, lambda data: data["run"].update(n_speakers="12")),
        (audit.Audit, lambda data: data["settings"].update({"deep": "x"}) or data.update(settings=[])),
        (audit.Audit, _of_the_first("findings", outcome="fine")),
        (audit.Audit, _of_the_first("findings", p_value="0.5")),
        (audit.Audit, lambda data: data["findings"][0]["estimates"]["rendered"].update(value="0.5")),
        (audit.Audit, lambda data: data["findings"][0]["estimates"]["rendered"].update(n_clips=1.5)),
        (audit.Audit, lambda data: data["findings"][0]["estimates"]["rendered"].update(value=True)),
        (audit.Audit, lambda data: data["findings"][0]["estimates"]["rendered"].update(unit=["points"])),
        (audit.Audit, lambda data: data["findings"][0]["estimates"]["rendered"].pop("method")),
        (audit.Audit, lambda data: data["tables"]["strata"]["rows"][0].pop()),
        (audit.Audit, lambda data: data["tables"]["strata"]["rows"][0].__setitem__(0, {})),
        (audit.Audit, lambda data: data["tables"]["strata"]["columns"].__setitem__(0, "language")),
        (audit.Probe, lambda data: data.update(notices="Fictional")),
        (audit.Probe, lambda data: data.update(model=None)),
        (audit.Probe, _of_the_first("findings", threshold=[])),
        (audit.Comparison, lambda data: data.update(runs=[{"digest": "x"}])),
        (audit.Comparison, lambda data: data.update(runs=[])),
        (audit.Comparison, _of_the_first("checks", before=None)),
        (audit.Comparison, _of_the_first("metrics", word="better")),
        (audit.Comparison, _of_the_first("metrics", headline=1)),
        (audit.Comparison, lambda data: data.update(levelled_down=[{}])),
        (audit.Decision, lambda data: data.update(rulings=[])),
        (audit.Decision, lambda data: data.update(exit_code=0)),
        (audit.Decision, lambda data: data.update(outcome="pass", exit_code=0)),
        (audit.Decision, _of_the_first("rulings", line="3")),
        (audit.Decision, _of_the_first("rulings", outcome="fine")),
    ],
)
def test_wrong_types_are_refused_even_with_a_right_digest(
    kind: type[Document], change: Callable[[dict[str, Any]], object]
) -> None:
    data = data_of(kind)
    change(data)
    with pytest.raises(audit.RunError, match=f"{kind.FILE} is not valid"):
        kind.from_json(sealed(data))


def test_a_decision_comes_back_with_every_ruling() -> None:
    decision = made()[audit.Decision]
    assert isinstance(decision, audit.Decision)
    read = audit.Decision.from_json(decision.to_json())
    assert read == replace(decision, run=read.run) and read.exit_code == decision.exit_code


@each_kind
def test_a_later_minor_version_may_add_keys(kind: type[Document]) -> None:
    data = data_of(kind) | {"schema_version": "1.7", "added": {"by": ["a later version"]}}
    read = kind.from_json(sealed(data))
    assert read.schema_version == "1.7"
