"""The ledger: every look at a candidate is recorded once and decided at its share of alpha; a damaged one blocks."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import audit
from audit.audits.audit import Audit
from audit.cli import app
from audit.release import Decision, Policy
from audit.release.ledger import BrokenLedgerError, Ledger
from audit.release.looks import candidate_key, decide_look
from audit.stats import Curve, Estimate
from audit.stats.sequential import share_of_look
from tests.release_fixture import EVIDENCE, RULE, TODAY, estimate, made, policy, waiver, white

CODE: Mapping[str, object] = {"version": "1", "commit": None, "dirty": None}
LEDGER = '[ledger]\npath = "ledger.jsonl"\n'


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger that was begun."""
    path = tmp_path / "ledger.jsonl"
    path.touch()
    return path


def terms(folder: Path, *parts: str) -> Policy:
    return replace(policy(LEDGER, *(parts or (RULE,))), folder=folder)


def release(digest: str = "1", weights: str | None = "w", high: float = 0.05, **run: Any) -> Audit:
    """A release whose interval at a confidence of 0.95 ends at ``high``, and further out at a higher one."""

    def at(confidence: float) -> Estimate:
        z = math.log10(0.05 / (1 - confidence))
        return estimate(-0.05 - 0.02 * z, high + 0.02 * z)

    found = made(white(-0.05, high))
    (finding,) = found.findings
    assert finding.estimate is not None
    figure = replace(finding.estimate, curve=Curve(at))
    judged = replace(finding, estimate=figure, estimates={"excess_over_portrait": figure})
    facts = {**found.run, "digest": digest * 64, "weights_sha256": weights, **run}
    return replace(found, run=facts, findings=(judged,))


def gated(folder: Path, found: Audit, *parts: str) -> Decision:
    by = terms(folder, *parts)
    assert by.terms.ledger is not None
    return decide_look(by, by.terms.ledger, found, today=TODAY, code=CODE)


def last(decision: Decision) -> tuple[str, str]:
    return decision.rulings[-1].outcome, decision.rulings[-1].sentence


# Shares of alpha


@pytest.mark.parametrize("planned", [None, 1, 4, 20])
def test_the_shares_of_all_looks_add_up_to_at_most_one(planned: int | None) -> None:
    shares = [share_of_look(look, planned) for look in range(1, 1001)]
    assert sum(shares) <= 1 + 1e-12
    assert shares == sorted(shares, reverse=True)


def test_a_look_is_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        share_of_look(0)


def test_every_look_is_decided_at_its_share_of_alpha(ledger: Path) -> None:
    """The interval of S2F001 ends at .05 + .02 log10(.05 / error); the error is .05 times the share."""
    for look, share in ((1, 1 / 2), (2, 1 / 6), (3, 1 / 12)):
        decision = gated(ledger.parent, release(str(look)))
        figure = decision.rulings[-1].estimate
        assert figure is not None and figure.high is not None
        assert figure.high == pytest.approx(0.05 + 0.02 * math.log10(1 / share))
        outcome, sentence = last(decision)
        assert outcome == "pass"
        assert sentence.endswith(f"Look {look} at this candidate, alpha {0.025 * share:.3g} of 0.025.")


def test_a_release_that_passes_at_its_first_look_may_be_inconclusive_at_a_later_one(ledger: Path) -> None:
    found = [gated(ledger.parent, release(digest, high=0.085)) for digest in "123"]
    assert [decision.exit_code for decision in found] == [0, 11, 11]


def test_planned_looks_have_equal_shares_and_no_further_look_passes(ledger: Path) -> None:
    planned = LEDGER + "looks = 2\n"
    by = replace(policy(planned, RULE), folder=ledger.parent)
    assert by.terms.ledger is not None
    found = [decide_look(by, by.terms.ledger, release(digest), today=TODAY, code=CODE) for digest in "123"]
    assert [decision.exit_code for decision in found] == [0, 0, 13]
    assert "alpha 0.0125 of 0.025" in last(found[0])[1] and "alpha 0.0125 of 0.025" in last(found[1])[1]
    assert "2 looks at this candidate are planned, and this is look 3" in found[2].rulings[-2].sentence
    assert [entry.look for entry in Ledger.read(ledger).entries] == [1, 2, 3]


def test_the_plan_cannot_change_after_the_first_look(ledger: Path) -> None:
    gated(ledger.parent, release("1"))
    by = replace(policy(LEDGER + "looks = 9\n", RULE), folder=ledger.parent)
    assert by.terms.ledger is not None
    decision = decide_look(by, by.terms.ledger, release("2"), today=TODAY, code=CODE)
    assert decision.exit_code == 13
    assert "planned no number of looks, and the policy now plans 9 looks" in decision.rulings[-2].sentence
    assert decide_look(by, by.terms.ledger, release("2", weights="v"), today=TODAY, code=CODE).exit_code == 0


# What a look is


def test_the_same_run_by_the_same_policy_is_the_same_look(ledger: Path) -> None:
    first = gated(ledger.parent, release("1"))
    gated(ledger.parent, release("2"))
    before = ledger.read_bytes()
    assert gated(ledger.parent, release("1")) == first
    assert ledger.read_bytes() == before


def test_a_waiver_is_no_new_look_and_a_rule_is(ledger: Path) -> None:
    gated(ledger.parent, release("1"))
    gated(ledger.parent, release("1"), RULE, waiver())
    gated(ledger.parent, release("1"), RULE + "alpha = 0.05\n")
    assert [(entry.number, entry.look) for entry in Ledger.read(ledger).entries] == [(1, 1), (2, 1), (3, 2)]


def test_every_candidate_has_its_own_looks(ledger: Path) -> None:
    for digest, weights in (("1", "w"), ("2", "v"), ("3", "w")):
        gated(ledger.parent, release(digest, weights))
    assert [entry.look for entry in Ledger.read(ledger).entries] == [1, 1, 2]


def test_a_candidate_is_its_weights_or_else_its_name_and_options() -> None:
    def key(weights: str | None, name: str = "m", **described: object) -> str:
        return candidate_key({"model": name, "weights_sha256": weights, "model_description": described})

    assert key("w") == key("w", "another name", options={"a": 1})
    assert key("w") != key("v")
    assert key("w") != key("w", mitigations=[{"name": "leace", "options": {}}])
    assert key(None, options={"a": 1}) == key(None, options={"a": 1}, n_pictures=3)
    assert key(None, options={"a": 1}) != key(None, options={"a": 2})
    assert key(None, "m") != key(None, "n")


def test_an_entry_says_what_was_decided(ledger: Path) -> None:
    decision = gated(ledger.parent, release("1"))
    (entry,) = Ledger.read(ledger).entries
    assert (entry.run, entry.cohort, entry.candidate) == ("1" * 64, "c" * 64, "weights w")
    assert (entry.decided, entry.outcome, entry.exit_code) == ("2026-06-15", "pass", 0)
    (ruled,) = entry.rulings
    figure = decision.rulings[-1].estimate
    assert figure is not None
    assert (ruled.rule, ruled.alpha, ruled.n_speakers) == ("white", 0.0125, 50)
    assert (ruled.low, ruled.high) == figure.interval
    assert decision.ledger is not None and decision.ledger["sha256"] == entry.sha256


# A ledger that is missing or broken blocks the release, and is left as it is


def test_a_missing_ledger_blocks_and_says_how_to_begin_one(tmp_path: Path) -> None:
    decision = gated(tmp_path, release())
    assert decision.exit_code == 13 and decision.ledger is None
    assert "does not exist" in decision.rulings[-2].sentence
    assert "create an empty file of that name" in decision.rulings[-2].sentence
    assert last(decision)[0] == "incomplete"
    assert not (tmp_path / "ledger.jsonl").exists()


@pytest.fixture
def filled(ledger: Path) -> Path:
    for digest in "123":
        gated(ledger.parent, release(digest))
    return ledger


def swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1]]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace(b'"outcome":"pass"', b'"outcome":"waived"', 1), "Line 1 .* was changed"),
        (lambda text: b'"look":9'.join(text.rsplit(b'"look":3', 1)), "Line 3 .* was changed"),
        (lambda text: b"\n".join([*swapped(text.split(b"\n")[:3]), b""]), "Line 2 .* does not follow"),
        (lambda text: text.split(b"\n", 1)[1], "Line 1 .* does not follow"),
        (lambda text: text[:-1], "Line 3 .* is cut off"),
        (lambda text: text[:-40], "Line 3 .* is cut off"),
        (lambda text: text[:-40] + b"\n", "Line 3 .* is not an entry"),
        (lambda text: text + b"\n", "Line 4 .* is not an entry"),
        (lambda text: text + text.split(b"\n")[2] + b"\n", "Line 4 .* does not follow"),
        (lambda text: text.replace(b",", b", ", 1), "Line 1 .* was changed"),
        (lambda text: b"my notes\n", "Line 1 .* is not an entry"),
        (lambda text: b"\xff\xfe\n", "Line 1 .* is not an entry"),
        (lambda text: b"[" * 100_000 + b"\n", "Line 1 .* is not an entry"),
    ],
)
def test_a_damaged_ledger_is_named_by_line_and_left_alone(filled: Path, damage: Any, words: str) -> None:
    damaged = damage(filled.read_bytes())
    assert damaged != b"" and damaged != filled.read_bytes()
    filled.write_bytes(damaged)
    with pytest.raises(BrokenLedgerError, match=words):
        Ledger.read(filled)
    decision = gated(filled.parent, release("4"))
    assert decision.exit_code == 13 and decision.ledger is None
    assert filled.read_bytes() == damaged


def test_a_link_or_a_folder_is_no_ledger(filled: Path) -> None:
    kept = filled.rename(filled.with_name("elsewhere.jsonl"))
    filled.symlink_to(kept)
    assert gated(filled.parent, release("4")).exit_code == 13
    filled.unlink()
    filled.mkdir()
    assert gated(filled.parent, release("4")).exit_code == 13
    assert len(Ledger.read(kept).entries) == 3


def test_a_ledger_that_changed_since_it_was_read_is_not_appended_to(filled: Path) -> None:
    read = Ledger.read(filled)
    gated(filled.parent, release("4"))
    with pytest.raises(audit.RunError, match="was changed while the gate decided"):
        read.append({})
    assert len(Ledger.read(filled).entries) == 4


def test_an_entry_that_cannot_be_written_leaves_the_ledger_as_it_was(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(audit.RunError, match="No space left on device"):
            gated(filled.parent, release("4"))
    assert filled.read_bytes() == before
    assert gated(filled.parent, release("4")).ledger is not None


def test_concurrent_gates_are_recorded_one_after_the_other(ledger: Path) -> None:
    digests = "0123456789ab"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda digest: gated(ledger.parent, release(digest)), digests))
    entries = Ledger.read(ledger).entries
    assert [entry.look for entry in entries] == list(range(1, 13))
    assert {entry.run[0] for entry in entries} == set(digests)


# Intervals that cannot be computed at a look's alpha pass nothing


def test_a_figure_known_at_one_confidence_only_never_passes_at_a_smaller_alpha(ledger: Path) -> None:
    decision = gated(ledger.parent, made(white(-0.05, 0.05)))
    outcome, sentence = last(decision)
    assert outcome == "inconclusive"
    assert "its interval is known at a confidence of 0.95 only, and the rule needs 0.975" in sentence


def test_a_bootstrap_that_cannot_resolve_the_alpha_never_passes(ledger: Path) -> None:
    found = release("1")
    (finding,) = found.findings
    assert finding.estimate is not None and finding.estimate.curve is not None
    coarse = replace(finding.estimate, curve=replace(finding.estimate.curve, least=0.03))
    judged = replace(finding, estimate=coarse, estimates={"excess_over_portrait": coarse})
    outcome, sentence = last(gated(ledger.parent, replace(found, findings=(judged,))))
    assert outcome == "inconclusive"
    assert "cannot resolve an error probability of 0.025, only 0.03; measure the run with more resamples" in sentence


# In the gate

TRUTH: dict[str, Any] = {"groups": ["asian"], "languages": ["en"], "clips_per_language": 2}


def test_the_gate_writes_every_look_next_to_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.toml").write_text('schema = 1\nname = "p"\n' + LEDGER + RULE + EVIDENCE)
    (folder / "ledger.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    run = audit.simulate(TRUTH | {"speakers_per_group": 80}, out=tmp_path / "run")
    audit.measure(run).write(tmp_path / "run")
    decisions = [
        audit.gate(audit.simulate(TRUTH | {"speakers_per_group": 20}), policy="policies/p.toml"),
        audit.gate(tmp_path / "run", policy=folder / "p.toml"),
        audit.gate(tmp_path / "run", policy="policies/p.toml"),
        audit.gate(audit.measure(run), policy="policies/p.toml"),
    ]
    assert [decision.exit_code for decision in decisions] == [11, 0, 0, 0]
    assert [decision.ledger["look"] for decision in decisions if decision.ledger] == [1, 2, 2, 2]
    assert len(Ledger.read(folder / "ledger.jsonl").entries) == 2
    assert audit.Decision.from_json(decisions[1].to_json()).ledger == decisions[1].ledger
    done = CliRunner().invoke(app, ["gate", "run", "--policy", "policies/p.toml"])
    assert done.exit_code == 0 and "ledger entry 2 " in done.output
    with pytest.raises(audit.PlanError, match="was read from a file"):
        audit.gate(audit.Audit.read(tmp_path / "run"), policy="policies/p.toml")


def test_figures_of_small_cells_are_not_in_the_ledger(ledger: Path) -> None:
    terms_of = replace(policy(LEDGER, RULE), folder=ledger.parent)
    small = audit.simulate(TRUTH | {"speakers_per_group": 12}, out=ledger.parent / "run")
    audit.measure(small, settings=audit.Plan.parse("[measure]\nsuppress_below = 20\n").measure).write(
        ledger.parent / "run"
    )
    audit.gate(ledger.parent / "run", policy=terms_of)
    (entry,) = json.loads("[" + ledger.read_text() + "]")
    assert (entry["rulings"][0]["value"], entry["rulings"][0]["high"]) == (None, None)
