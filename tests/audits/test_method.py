"""The version of the method changes whenever the same run gives other numbers, and versions are never mixed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import audit
from audit.audits.method import METHOD_VERSION
from tests.document_fixture import sealed
from tests.release_fixture import policy

NUMBERS_SHA256 = "186cb15bb0469974"
"""Digest of the numbers of version METHOD_VERSION; to be updated together with it."""

TRUTH: dict[str, Any] = {
    "groups": ["asian", "white"],
    "speakers_per_group": 32,
    "clips_per_language": 2,
    "icc": 0.3,
    "icc_between_languages": 0.3,
    "missing": {"asian": 0.1},
    "rendered": {"asian": {"en": {"white": 0.3}}},
}
NUMBERS = ("value", "low", "high", "n_speakers", "n_clips", "n_missing", "margin")


@cache
def measured() -> audit.Audit:
    return audit.measure(audit.simulate(TRUTH), with_tables=False)


def rounded(value: object) -> object:
    """The number with six significant digits, beyond which machines may differ."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_numbers_change_only_with_the_version() -> None:
    numbers = [
        [
            finding.code,
            finding.outcome,
            rounded(finding.p_value),
            {name: [rounded(getattr(figure, key)) for key in NUMBERS] for name, figure in finding.estimates.items()},
        ]
        for finding in measured().findings
    ]
    found = hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:16]
    assert found == NUMBERS_SHA256, (
        "The same run now gives other numbers. If that is not intended, undo it. If it is, increase METHOD_VERSION in "
        f"audit/audits/method.py (unless the present version was never released) and set NUMBERS_SHA256 = {found!r}."
    )


def test_every_document_names_the_version() -> None:
    run = audit.simulate(TRUTH | {"speakers_per_group": 6})
    for made in (audit.measure(run), audit.compare(run, run), audit.gate(run)):
        assert json.loads(made.to_json())["method_version"] == METHOD_VERSION
        assert type(made).from_json(made.to_json()).method_version == METHOD_VERSION


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A run whose audit.json was measured by another version of the method."""
    folder = tmp_path / "run"
    run = audit.simulate(TRUTH | {"speakers_per_group": 6}, out=folder)
    audit.measure(run).write(folder)
    store(folder, METHOD_VERSION + 1)
    return folder


def store(folder: Path, version: int | None) -> None:
    data = json.loads((folder / "audit.json").read_text())
    data["method_version"] = version
    if version is None:
        del data["method_version"]
    (folder / "audit.json").write_text(sealed(data))


@pytest.mark.parametrize(
    ("version", "words"),
    [(METHOD_VERSION + 1, f"version {METHOD_VERSION + 1} of the method"), (None, "an earlier method")],
)
def test_gate_and_compare_refuse_another_version(older: Path, version: int | None, words: str) -> None:
    store(older, version)
    current = audit.simulate(TRUTH | {"speakers_per_group": 6})
    worse = policy('[[rule]]\nid = "x"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\n')
    for refused in (
        lambda: audit.gate(older),
        lambda: audit.gate(current, policy=worse, baseline=older),
        lambda: audit.compare(current, audit.Run.read(older)),
    ):
        with pytest.raises(audit.RunError, match=rf"{words}.*Next: Measure again: audit measure {older}\."):
            refused()
    with pytest.raises(audit.RunError, match=words):
        audit.gate(audit.Audit.read(older))


def test_a_run_that_is_measured_again_is_accepted(older: Path) -> None:
    run = audit.Run.read(older)
    audit.measure(run).write(older)
    assert audit.gate(older).method_version == METHOD_VERSION
    assert audit.compare(run, run).method_version == METHOD_VERSION
