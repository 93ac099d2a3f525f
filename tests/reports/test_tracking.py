"""A measured run in MLflow: the very figures of audit.json, in groups, and nothing sent anywhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import audit
from audit.core.errors import RunError
from audit.core.plan import MeasureSettings
from audit.reports.tracking import viewing_step

SECRET = "/home/ann"
"""A path of which nothing may be sent."""
TRUTH = {
    "groups": ["asian", "white"],
    "speakers_per_group": 20,
    "clips_per_language": 1,
    "languages": ["en", "zh"],
    "rendered": {"asian": {"en": {"white": 0.6}}},
    "missing": 0.1,
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "run"
    settings = MeasureSettings(resamples=200, intersect=(), slice_depth=0)
    run = audit.simulate(TRUTH, seed=0, out=folder)
    result = audit.measure(run, settings=settings)
    few = {name: result.tables[name] for name in ("failures", "metric_definitions")}  # so that pages are made quickly
    result = replace(result, tables=few)
    result.write(folder)
    audit.with_ids(result, run).write_report(folder, show_ids=True)
    for name in ("manifest.json", "plan.toml"):
        path = folder / name
        path.write_text(path.read_text().replace("simulated", f"{SECRET}/simulated"))
    return folder


def told(folder: Path) -> str:
    """Everything in a folder's files, and their names."""
    return "".join(f"{path.name} {path.read_bytes()!r}" for path in folder.rglob("*") if path.is_file())


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_estimates_outcomes_and_digests_are_logged(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    decision = tmp_path / "decision.json"
    decision.write_text("{}")
    logged = audit.track(measured, store=tmp_path / "store", files=[decision])

    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=(tmp_path / "store").as_uri()).get_run(logged)
    found = audit.Audit.read(measured)
    rendered = found.finding("S2F001").estimates["rendered"]
    assert run.data.metrics["S2F001/rendered/value"] == rendered.value
    assert run.data.metrics["S2F001/rendered/low"] == rendered.low
    assert run.data.tags["outcome/S2F001"] == found.finding("S2F001").outcome
    assert run.data.tags["run/digest"] == found.run["digest"]
    assert run.data.params["cohort/digest"] == json.loads((measured / "manifest.json").read_text())["cohort"]["digest"]
    kept = {path.name for path in (tmp_path / "store").glob("**/artifacts/*")}
    assert kept == {"audit.json", "report.html", "decision.json"}


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_nothing_is_sent_that_is_not_made_to_be_passed_on(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before: the plan and the manifest were sent, with absolute paths, and the report as it was last written."""
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    pytest.importorskip("sqlalchemy", reason="the extra mlflow is not installed")
    monkeypatch.chdir(tmp_path)  # where a store in a database keeps the files
    page = (measured / "report.html").read_text()
    shown = [name for name in audit.Run.read(measured).observations["speaker_id"].unique() if name in page]
    assert shown and SECRET in told(measured)
    audit.track(measured, store="sqlite:///store.db")
    kept = {path.name for path in tmp_path.rglob("*") if path.parent.name == "artifacts"}
    assert kept == {"audit.json", "report.html"}
    sent = told(tmp_path)
    assert SECRET not in sent and not any(name in sent for name in shown)


@pytest.mark.parametrize("name", ["manifest.json", "plan.toml", "observations/part-000000.parquet"])
def test_files_of_a_run_that_stay_with_it_are_refused_by_name(measured: Path, name: str) -> None:
    with pytest.raises(RunError, match="not made to be passed on.*audit.json"):
        audit.track(measured, files=[measured / name])


class Server(BaseHTTPRequestHandler):
    """The few requests of MLflow's REST interface that a tracked run needs; keeps what it was sent."""

    sent: dict[str, Any]
    artifacts: set[str]

    def do_GET(self) -> None:
        if "/experiments/get-by-name" in self.path:
            return self._answer({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}, 404)
        return self._answer(self._run())

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/experiments/create"):
            return self._answer({"experiment_id": "7"})
        if self.path.endswith("/runs/log-batch"):
            for kind, items in json.loads(content).items():
                if isinstance(items, list):
                    self.sent |= {f"{kind[:-1]} {item['key']}": item["value"] for item in items}
        return self._answer(self._run())

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.artifacts.add(self.path.rpartition("/")[2])
        self._answer({})

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _run(self) -> dict[str, Any]:
        info = {"run_id": "r1", "run_uuid": "r1", "experiment_id": "7", "status": "RUNNING", "start_time": 1}
        run = {"info": info | {"artifact_uri": "mlflow-artifacts:/7/r1/artifacts"}, "data": {}}
        return {"run": run, "run_info": run["info"]}

    def _answer(self, content: dict[str, Any], code: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    handler = type("Handler", (Server,), {"sent": {}, "artifacts": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", handler
        listening.shutdown()


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_tracking_server_gets_the_same(measured: Path, server: tuple[str, type[Server]]) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    address, handler = server
    assert audit.track(measured, store=address) == "r1"
    rendered = audit.Audit.read(measured).finding("S2F001").estimates["rendered"]
    assert handler.sent["metric S2F001/rendered/value"] == rendered.value
    assert handler.sent["param model/name"] == "simulated"
    assert "audit.json" in handler.artifacts
    assert viewing_step(address) == f"open {address}"


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_server_that_does_not_answer_is_an_error_without_a_traceback(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunError, match="MLflow cannot use the store http://127.0.0.1:9"):
        audit.track(measured, store="http://127.0.0.1:9")


def test_a_run_that_was_not_measured_is_refused(tmp_path: Path) -> None:
    audit.simulate(TRUTH, seed=0, out=tmp_path / "run")
    with pytest.raises(RunError, match="has no audit.json.*audit measure"):
        audit.track(tmp_path / "run", store=tmp_path / "store")


def test_a_further_file_must_be_there(measured: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="do not exist: .*nothing.json"):
        audit.track(measured, store=tmp_path / "store", files=[tmp_path / "nothing.json"])
