"""A measured run in MLflow's file store: the very figures of audit.json, and nothing sent anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import audit
from audit.core.errors import RunError

TRUTH = {
    "groups": ["asian", "white"],
    "speakers_per_group": 20,
    "clips_per_language": 1,
    "languages": ["en", "zh"],
    "rendered": {"asian": {"en": {"white": 0.6}}},
}


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    run = audit.simulate(TRUTH, seed=0, out=tmp_path / "run")
    audit.measure(run).write(tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_estimates_outcomes_and_digests_are_logged(measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    decision = tmp_path / "decision.json"
    decision.write_text("{}")
    logged = audit.track(measured, store=tmp_path / "store", files=[decision])

    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=(tmp_path / "store").as_uri()).get_run(logged)
    found = audit.Audit.read(measured)
    rendered = found.finding("S2F001").estimates["rendered"]
    assert run.data.metrics["S2F001.rendered.value"] == rendered.value
    assert run.data.metrics["S2F001.rendered.low"] == rendered.low
    assert run.data.tags["S2F001"] == found.finding("S2F001").outcome
    assert run.data.tags["run_digest"] == found.run["digest"]
    assert run.data.params["cohort_digest"] == json.loads((measured / "manifest.json").read_text())["cohort"]["digest"]
    kept = {path.name for path in (tmp_path / "store").glob("**/artifacts/*")}
    assert {"audit.json", "manifest.json", "plan.toml", "decision.json"} <= kept


def test_a_run_that_was_not_measured_is_refused(tmp_path: Path) -> None:
    audit.simulate(TRUTH, seed=0, out=tmp_path / "run")
    with pytest.raises(RunError, match="holds no audit.json.*audit measure"):
        audit.track(tmp_path / "run", store=tmp_path / "store")


def test_a_further_file_must_be_there(measured: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="do not exist: .*nothing.json"):
        audit.track(measured, store=tmp_path / "store", files=[tmp_path / "nothing.json"])
