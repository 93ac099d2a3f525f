"""The worked example of docs/guide/gate.md: one policy and one drawn cohort; one twin passes and the other does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import audit
from audit.core.vocabulary import RACES
from audit.release import Policy
from benchmarks.worked_example import Measured, correlations, fake_run
from tests.cli.test_cli import ROOT, command

POLICY = ROOT / "docs" / "guide" / "release-policy.toml"
SPEAKERS, CLIPS = 64, 2
SEED = "the worked example, and therefore not secret"
GROUPS = ("asian", "black", "indian", "white")


def measured(own: float, as_white: float) -> Measured:
    """Portraits, ceilings and other languages without an error; in English, rendered faces have these rates."""
    reads = {(stage, group, spoken): (0.0, 1.0) for stage in ("portrait", "ceiling", "rendered") for group in GROUPS
             for spoken in (True, False)}  # fmt: skip
    reads |= {("rendered", group, True): (0.0 if group == "white" else as_white, own) for group in GROUPS}
    return Measured(reads, dict.fromkeys(GROUPS, 1.0), dict.fromkeys(GROUPS, 0.0), 0.3, 0.15, SPEAKERS, CLIPS)


def test_fake_reads_have_the_planted_rates_and_the_source_voices_of_a_draw() -> None:
    seen = fake_run(measured(0.7, 0.2), seed=1).observations
    english = seen[(seen["language"] == "en") & (seen["group"] != "white")]
    shares = english["rendered_race"].value_counts(normalize=True)
    own = (english["rendered_race"] == english["group"]).mean()
    assert own == pytest.approx(0.7, abs=0.12)  # about 4 standard errors of 36 independent voices a group
    assert shares["white"] == pytest.approx(0.2, abs=0.1)
    assert {*seen["language"]} == {"en", "zh", "es"}
    assert 35 <= seen["cluster"].nunique() <= 42
    assert (seen[[f"rendered_race_{race}" for race in RACES]].sum(axis=1) == 1).all()


def test_the_measured_correlations_are_the_planted_ones() -> None:
    found = [correlations(run.assign(english=run["language"] == "en")) for run in (
        fake_run(measured(0.7, 0.2), seed=seed).observations for seed in range(8)
    )]  # fmt: skip
    icc, voice = (sum(each) / len(found) for each in zip(*found, strict=True))
    assert icc == pytest.approx(0.3, abs=0.1)
    assert 0.05 < voice < icc


def simulated_policy() -> Policy:
    """The policy of the page, which allows the fakes too."""
    text = POLICY.read_text(encoding="utf-8")
    return Policy.parse(text.replace('allow = ["unpinned"]', 'allow = ["unpinned", "simulated"]'))


@pytest.mark.parametrize(("own", "as_white", "code"), [(1.0, 0.0, 0), (0.2, 0.8, 10)])
def test_the_policy_lets_through_and_blocks(own: float, as_white: float, code: int) -> None:
    decision = audit.gate(fake_run(measured(own, as_white), seed=0), policy=simulated_policy())
    assert decision.exit_code == code, decision.sentence
    assert ("S2F001" in decision.sentence) == (code == 10)


def test_every_limit_could_be_met_with_this_cohort() -> None:
    """Even a model without any error has an interval of about 10 points to each side."""
    rules = {rule.id: rule.limit for rule in Policy.read(POLICY).terms.rule}
    assert min(limit for limit in rules.values() if limit is not None) >= 0.12


@pytest.mark.study
def test_the_worked_example(tmp_path: Path) -> None:
    """As on the page: draw, run both twins, gate both. Takes about 25 minutes on one core."""
    drawn = command(
        "cohort", "draw", "--speakers", str(SPEAKERS), "--clips", str(CLIPS), "--seed", SEED, "-o", tmp_path / "secret"
    )
    assert drawn.returncode == 0, drawn.stderr
    decisions = {}
    for twin in ("full", "gap"):
        out = tmp_path / twin
        run = command("run", "--cohort", tmp_path / "secret", "--model", f"speech2face-small-{twin}", "-o", out)
        assert run.returncode == 0, run.stderr
        gated = command("gate", out, "--policy", POLICY, "--json")
        decisions[twin] = json.loads(gated.stdout)
        assert gated.returncode == decisions[twin]["exit_code"]
    assert decisions["gap"]["exit_code"] == 10
    assert "S2F001" in decisions["gap"]["sentence"]
    assert decisions["full"]["exit_code"] == 0, decisions["full"]["sentence"]
