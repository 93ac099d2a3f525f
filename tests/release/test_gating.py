"""Gating a run: on disk, in memory, in a test; what was changed is refused, and what is missing passes nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audit
from audit.testing import assert_audit
from tests.document_fixture import sealed
from tests.release_fixture import EVIDENCE, RULE, compared, policy, shipped_policy, waiver

__all__ = ["compared"]

ROOT = Path(__file__).parents[2]
TRUTH: dict[str, Any] = {
    "groups": ["asian", "white"],
    "speakers_per_group": 100,
    "clips_per_language": 2,
    "languages": ["en", "zh"],
    "icc": 0.3,
    "icc_between_languages": 0.3,
}
BIASED = TRUTH | {"rendered": {"asian": {"en": {"white": 0.6}}}}
WORSE = '[[rule]]\nid = "worse"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\n'


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measured run that the shipped policy lets out; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "fair"
    audit.measure(audit.simulate(TRUTH, out=folder)).write(folder)
    return folder


@pytest.fixture
def copied(fair: Path, tmp_path: Path) -> Path:
    """Its copy, to be changed."""
    return Path(shutil.copytree(fair, tmp_path / "run"))


def gated(run: audit.Run | audit.Audit | Path) -> audit.Decision:
    """By the shipped policy, which here allows simulated runs."""
    return audit.gate(run, policy=shipped_policy())


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audit.cli", "gate", *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


# For every exit code a run


def test_0_a_fair_model_passes(fair: Path) -> None:
    assert gated(fair).exit_code == 0


def test_10_a_planted_failure_is_a_breach_of_S2F001() -> None:
    decision = gated(audit.simulate(BIASED))
    assert decision.exit_code == 10
    assert "S2F001" in decision.sentence


def test_11_too_few_speakers_are_inconclusive() -> None:
    assert gated(audit.simulate(TRUTH | {"speakers_per_group": 30})).exit_code == 11


def test_12_an_instrument_that_misclassifies_portraits_is_not_valid() -> None:
    misclassified = audit.simulate(TRUTH | {"portrait": {"asian": {"white": 0.5}}})
    assert gated(misclassified).exit_code == 12


def test_13_an_interrupted_run_is_incomplete(copied: Path) -> None:
    edited(copied / "manifest.json", '"status": "complete"', '"status": "running"')
    (copied / "audit.json").unlink()
    assert gated(copied).exit_code == 13


def test_13_an_empty_run_is_incomplete(copied: Path) -> None:
    for part in (copied / "observations").iterdir():
        part.unlink()
    decision = gated(copied)
    assert decision.exit_code == 13
    assert "pass" not in {ruling.outcome for ruling in decision.rulings if ruling.kind != "requirement"}


def test_three_speakers_never_pass() -> None:
    decision = audit.gate(audit.simulate(TRUTH | {"speakers_per_group": 3}), policy=policy())
    assert decision.exit_code == 11
    assert decision.rulings[-1].estimate is not None and decision.rulings[-1].estimate.n_speakers == 3


def test_a_group_absent_from_the_run_never_passes(fair: Path) -> None:
    rule = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.1\ngroups = ["black"]\n'
    assert audit.gate(fair, policy=policy(rule)).exit_code == 11


def test_a_clip_left_out_of_a_run_in_memory_makes_it_incomplete() -> None:
    run = audit.simulate(TRUTH)
    assert gated(audit.Run(run.observations.iloc[1:], run.manifest)).exit_code == 13


# What was changed afterwards


def test_a_part_that_was_changed_is_refused(copied: Path) -> None:
    part = next((copied / "observations").iterdir())
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(audit.RunError, match="was changed after the run"):
        gated(copied)


@pytest.mark.parametrize("corrupt", ["", "{", "[]"])
def test_a_corrupted_run_gives_no_decision(copied: Path, corrupt: str) -> None:
    (copied / "manifest.json").write_text(corrupt)
    assert command(copied).returncode in (1, 2)


def test_a_part_that_was_added_is_refused(copied: Path) -> None:
    part = next((copied / "observations").iterdir())
    shutil.copy(part, part.with_name("part-000009.parquet"))
    with pytest.raises(audit.RunError, match="other parts than its manifest names"):
        gated(copied)


def test_a_manifest_without_digests_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied / "manifest.json").write_text(json.dumps(manifest | {"parts": {}}))
    with pytest.raises(audit.RunError, match="other parts than its manifest names"):
        gated(copied)


def test_another_models_name_in_the_manifest_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["model"]["name"] = "better"
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(audit.RunError, match=r"audit\.json was changed, or made from another run"):
        gated(copied)


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("findings", lambda data: data["findings"][0]["estimates"]["rendered"].update(value=0.5)),
        ("findings", lambda data: data["findings"][0]["estimate"].update(high=0.01)),
        ("findings", lambda data: data["findings"].pop()),
        ("run", lambda data: data["run"].update(weights_sha256="0" * 64)),
        ("run", lambda data: data["run"].update(complete=False)),
        ("settings", lambda data: data["settings"].update(min_speakers=101)),
        ("tables", lambda data: data["tables"]["strata"]["rows"].pop()),
    ],
)
@pytest.mark.parametrize("digest", ["kept", "removed", "computed again"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_audit_that_was_changed_is_refused(
    copied: Path, section: str, change: Any, digest: str, version: str
) -> None:
    path = copied / "audit.json"
    data = json.loads(path.read_text()) | {"schema_version": version}
    change(data)
    if digest == "removed":
        del data["content_sha256"]
    path.write_text(sealed(data) if digest == "computed again" else json.dumps(data))
    if section == "tables" and digest == "computed again":
        assert gated(copied).exit_code == 0  # the gate reads no table of audit.json
        return
    with pytest.raises(audit.RunError, match="was changed"):
        gated(copied)


def test_an_audit_of_schema_1_0_is_compared_by_the_keys_that_it_has(copied: Path) -> None:
    """Keys that a later version added, and text that it words otherwise, are no contradiction."""
    path = copied / "audit.json"
    data = json.loads(path.read_text()) | {"schema_version": "1.0"}
    del data["run"]["versions"], data["run"]["model_description"]["kind"]
    for finding in data["findings"]:
        finding |= {"title": "Title", "sentence": "Worded otherwise.", "reason": "", "would_change": ""}
        for estimate in finding["estimates"].values():
            estimate["method"] = "worded otherwise"
    del data["findings"][0]["estimates"]["ceiling"]
    path.write_text(sealed(data))
    assert gated(copied).exit_code == 0
    path.write_text(sealed(data | {"schema_version": "1.2"}))
    with pytest.raises(audit.RunError, match="was changed"):
        gated(copied)


def test_an_audit_of_another_run_is_refused(copied: Path) -> None:
    other = audit.simulate(TRUTH, seed=1)
    audit.measure(other).write(copied)
    with pytest.raises(audit.RunError, match=r"run\.digest differs from what was measured"):
        gated(copied)


def test_a_run_is_measured_by_the_policy_not_by_its_plan(copied: Path) -> None:
    # a confidence of .6 makes narrow intervals; the policy's alpha decides
    edited(copied / "plan.toml", "confidence = 0.95", "confidence = 0.6")
    (copied / "audit.json").unlink()
    judged = gated(copied).rulings[-1].estimate
    assert judged == gated(audit.simulate(TRUTH)).rulings[-1].estimate


def test_a_smaller_alpha_makes_a_wider_interval(fair: Path) -> None:
    spans = []
    for alpha in (0.05, 0.025, 0.01):
        judged = audit.gate(fair, policy=policy(RULE + f"alpha = {alpha}\n")).rulings[-1].estimate
        assert judged is not None and judged.low is not None and judged.high is not None
        spans.append(judged.high - judged.low)
    assert spans == sorted(spans)


# Audits, as they are given


def test_an_audit_is_used_as_it_is_and_must_be_wide_enough() -> None:
    run = audit.simulate(TRUTH)
    assert gated(audit.measure(run)).rulings == gated(run).rulings
    narrow = audit.measure(run, confidence=0.9)
    assert gated(narrow).rulings == gated(run).rulings, "its figures are known at every confidence"
    with pytest.raises(audit.PlanError, match=r"confidence of 0\.9"):
        gated(audit.Audit.from_json(narrow.to_json()))
    with pytest.raises(audit.PlanError, match="has no table"):
        gated(audit.measure(run, with_tables=False))


# Against a baseline


def test_a_baseline_of_the_same_cohort_is_compared(compared: None) -> None:
    terms = policy(WORSE)
    fair, biased = audit.simulate(TRUTH), audit.simulate(BIASED)
    assert audit.gate(fair, policy=terms, baseline=fair).exit_code == 0
    decision = audit.gate(biased, policy=terms, baseline=fair)
    assert decision.exit_code == 10
    assert decision.baseline is not None and decision.baseline["digest"] == fair.digest
    assert audit.gate(fair, policy=terms, baseline=biased).exit_code == 0


def test_a_baseline_of_another_cohort_or_instrument_is_refused(compared: None) -> None:
    terms, run = policy(WORSE), audit.simulate(TRUTH)
    with pytest.raises(audit.RunError, match="different cohort"):
        audit.gate(run, policy=terms, baseline=audit.simulate(TRUTH, seed=1))
    other = audit.Run(run.observations, {**run.manifest, "instrument": {"name": "other", "similarity_models": []}})
    with pytest.raises(audit.RunError, match="different instrument"):
        audit.gate(run, policy=terms, baseline=other)


def test_an_incomplete_baseline_never_passes(compared: None) -> None:
    run = audit.simulate(TRUTH)
    broken = audit.Run(run.observations, {**run.manifest, "status": "running"})
    assert audit.gate(run, policy=policy(WORSE), baseline=broken).exit_code == 13


def test_a_chain_of_slightly_worse_baselines_is_stopped_by_the_cap() -> None:
    """Each version renders 4 points more clips as white than its baseline; the margin is 10 points, the cap 20."""
    versions = [
        audit.simulate(
            {"groups": ["asian"], "languages": ["en"], "speakers_per_group": 200, "clips_per_language": 2}
            | {"rendered": {"asian": {"en": {"white": 0.04 * version}}}}
        )
        for version in range(11)
    ]
    capped = policy(WORSE + "limit = 0.2\n")
    decisions = [audit.gate(now, policy=capped, baseline=before) for before, now in itertools.pairwise(versions)]
    changes, caps = ([decision.rulings[place].outcome for decision in decisions] for place in (-2, -1))
    assert set(changes) == {"pass"}, "no version is shown to be 10 points worse than the one before"
    assert caps[:2] == ["pass", "pass"], "true rates .04 and .08"
    assert "pass" not in caps[4:] and {decision.exit_code for decision in decisions[4:]} <= {10, 11}, "from .20 on"
    assert set(caps[-2:]) == {"breach"}, "true rates .36 and .40"


# The command


def test_the_command_exits_as_it_decides(fair: Path, tmp_path: Path) -> None:
    outputs = {name: tmp_path / f"gate.{name}" for name in ("junit", "sarif", "summary")}
    options = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    began = time.monotonic()
    (terms := tmp_path / "p.toml").write_text(shipped_policy().text, encoding="utf-8")
    done = command(fair, "--policy", terms, *options)
    assert time.monotonic() - began < 10  # three seconds where nothing else runs
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split("\n")[-1].startswith("Release allowed: every rule is shown to hold.")
    digests = (shipped_policy().sha256, audit.Run.read(fair).digest)
    for path in outputs.values():
        assert all(digest in path.read_text(encoding="utf-8") for digest in digests), path.name
    said = json.loads(command(fair, "--policy", terms, "--json").stdout)
    assert (said["policy"]["sha256"], said["run"]["digest"]) == digests


def test_the_command_has_an_exit_code_for_each_error(fair: Path, copied: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('schema = 1\nname = "p"\n' + RULE.replace("0.1", "0") + EVIDENCE)
    assert command(fair, "--policy", path).returncode == 11
    path.write_text('schema = 1\nname = "p"\n' + RULE.replace("S2F001", "S2F0001"))
    wrong = command(fair, "--policy", path)
    assert wrong.returncode == 2 and "did you mean 'S2F001'" in wrong.stderr and wrong.stdout == ""
    assert command(tmp_path / "nowhere").returncode == 2
    assert command(fair, "--no-such-option").returncode == 2
    next((copied / "observations").iterdir()).write_bytes(b"")
    changed = command(copied)
    assert changed.returncode == 2 and "was changed after the run" in changed.stderr


# In tests


def test_assert_audit_fails_a_test_with_the_summary(fair: Path) -> None:
    assert assert_audit(fair, shipped_policy()).exit_code == 0
    with pytest.raises(AssertionError, match="S2F001 asian-english-rendered-as-white"):
        assert_audit(audit.simulate(BIASED), shipped_policy())


def test_the_plugin_gives_a_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_release.py").write_text(
        "import audit\n"
        "policy = audit.Policy.default(allow=['simulated'])\n"
        f"def test_release(assert_audit):\n    assert_audit(audit.simulate({BIASED!r}), policy)\n"
        f"def test_fair(assert_audit):\n    assert_audit(audit.simulate({TRUTH!r}), policy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)],
        capture_output=True,
        check=False,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "BREACH" in done.stdout


# Where a run comes from


def test_a_run_knows_the_code_that_made_it_and_so_do_its_audit_and_decision(fair: Path) -> None:
    manifest = json.loads((fair / "manifest.json").read_text())
    assert set(manifest["code"]) == {"version", "commit", "dirty"}
    assert audit.Audit.read(fair).run["code"] == manifest["code"]
    decision = gated(fair)
    assert decision.run["code"] == manifest["code"] and set(decision.code) == set(manifest["code"])


# Speakers taken away


@pytest.mark.study
def test_removing_speakers_turns_no_breach_into_a_pass() -> None:
    """A model just beyond the limit passes at most at rate alpha, whatever part of the speakers is included.

    100 draws at the true excess .12 against the limit .10: at alpha .025 more than 8 passes have a chance of .001.
    """
    truth = TRUTH | {"speakers_per_group": 120, "rendered": {"asian": {"en": {"white": 0.12}}}}
    draw = np.random.default_rng(0)
    passes = 0
    for seed in range(25):
        run = audit.simulate(truth, seed=seed)
        speakers = run.observations["speaker_id"].unique()
        for share in (1.0, 0.7, 0.4, 0.1):
            kept = draw.choice(speakers, int(share * len(speakers)), replace=False)
            seen = run.observations[run.observations["speaker_id"].isin(kept)].reset_index(drop=True)
            # as if no more had been planned: completeness is tested elsewhere
            cohort = {**run.manifest["cohort"], "n_clips": len(seen)}
            decision = audit.gate(audit.Run(seen, {**run.manifest, "cohort": cohort}), policy=policy())
            passes += decision.exit_code == 0
    assert passes <= 8


def test_waivers_are_checked_against_todays_date(fair: Path) -> None:
    about = f'"{audit.Run.read(fair).digest}"'
    terms = policy(RULE.replace("0.1", "0"), waiver(run=about))
    assert audit.gate(fair, policy=terms, today=dt.date(2026, 6, 30)).exit_code == 0
    assert audit.gate(fair, policy=terms, today=dt.date(2026, 7, 1)).exit_code == 11
