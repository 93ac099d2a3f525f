"""The Ray engine: clusters that cannot be reached or used, and what dies while a run is under way.

A cluster of two nodes on this machine; whatever dies, the same command ends with the observations of one process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import audit
from audit.core.arrays import Picture, Waveform
from audit.core.errors import RunError
from audit.core.plan import EngineSettings, RunSettings
from audit.runs.harness import ray_cluster
from tests.conftest import write_cohort
from tests.fakes import ColourInstrument, LoudnessModel

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
ADDRESS = ray_cluster.ADDRESS


class SlowModel(LoudnessModel):
    """A fake model that takes its time, so that there is a run to disturb."""

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        time.sleep(0.4)
        return super().render(waveforms, sample_rate)


def run(
    cohort: Path,
    out: Path,
    progress: Callable[[int, int], None] | None = None,
    model: LoudnessModel | None = None,
    **engine: Any,
) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort),
        model=model or (SlowModel() if engine else LoudnessModel()),
        instrument=ColourInstrument(),
        out=out,
        settings=RunSettings(part=2),
        engine=EngineSettings(**({"cache": "none", "keys": str(cohort.parent / "keys")} | engine)),
        progress=progress,
    )


ON_RAY: dict[str, Any] = {"name": "ray", "workers": 2}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("ray") / "cohort", 16)


@pytest.fixture(scope="module")
def expected(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> audit.Run:
    """The run in one process."""
    return run(cohort, tmp_path_factory.mktemp("one") / "run")


class Nodes:
    """A Ray cluster of two nodes, each with the CPUs for one actor; the store of each has ``store`` bytes."""

    def __init__(self, store: int = 80_000_000) -> None:
        from ray.cluster_utils import Cluster

        self.store = store
        self.cluster = Cluster(initialize_head=True, head_node_args=self._of_a_node())
        self.second = self.add()

    def _of_a_node(self) -> dict[str, Any]:
        return {"num_cpus": 1, "object_store_memory": self.store, "include_dashboard": False}

    def add(self) -> Any:
        return self.cluster.add_node(**self._of_a_node())


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    made = Nodes()
    monkeypatch.setenv(ADDRESS, made.cluster.address)
    yield made
    ray.shutdown()
    made.cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's own


def once(act: Callable[[], None]) -> Callable[[int, int], None]:
    """Progress that does something after the first part."""
    todo = [act]

    def progress(_: int, __: int) -> None:
        if todo:
            todo.pop()()

    return progress


def actors() -> list[psutil.Process]:
    """The actors on the nodes that this process started."""
    mine = psutil.Process().children(recursive=True)
    return [each for each in mine if "PartActor" in " ".join(each.cmdline())]


def assert_same(done: audit.Run, expected: audit.Run) -> None:
    assert done.digest == expected.digest
    assert done.manifest["parts"] == expected.manifest["parts"]


def test_two_nodes_leave_the_same_parts_though_an_actor_dies(
    cohort: Path, expected: audit.Run, nodes: Nodes, tmp_path: Path
) -> None:
    died = []

    def kill_an_actor() -> None:
        died.extend(actors()[:1])
        died[0].kill()

    with pytest.raises(RunError, match="SQLite database, and the Ray cluster has 2 nodes.*--cache none"):
        run(cohort, tmp_path / "cached", **ON_RAY, cache="beside")
    with pytest.raises(RunError, match="no node of the Ray cluster has both: the most are 1 CPU and 0 GPU"):
        run(cohort, tmp_path / "gpu", **ON_RAY, num_gpus=0.5)
    assert_same(run(cohort, tmp_path / "actor", once(kill_an_actor), **ON_RAY), expected)
    assert len(died) == 1


@pytest.mark.study
def test_the_second_node_may_die(cohort: Path, expected: audit.Run, nodes: Nodes, tmp_path: Path) -> None:
    killed = []

    def kill_the_second_node() -> None:
        nodes.cluster.remove_node(nodes.second, allow_graceful=False)
        killed.append(nodes.second)

    assert_same(run(cohort, tmp_path / "node", once(kill_the_second_node), **ON_RAY), expected)
    assert len(killed) == 1


@pytest.mark.study
def test_a_killed_driver_s_run_is_resumed(cohort: Path, expected: audit.Run, nodes: Nodes, tmp_path: Path) -> None:
    words = f"from pathlib import Path; from tests.runs.test_ray import *; run(Path({str(cohort)!r}), "
    words += f"Path({str(tmp_path / 'run')!r}), **ON_RAY)"
    with subprocess.Popen([sys.executable, "-c", words], env=dict(os.environ)) as driver:
        while driver.poll() is None and not [*(tmp_path / "run").glob("observations/*.parquet")]:
            time.sleep(0.1)
        driver.send_signal(signal.SIGKILL)
    n_parts = len([*(tmp_path / "run").glob("observations/*.parquet")])
    assert 0 < n_parts < len(expected.manifest["parts"])
    assert_same(run(cohort, tmp_path / "run", **ON_RAY), expected)


@pytest.mark.study
def test_the_store_may_be_too_small_for_the_model(
    cohort: Path, expected: audit.Run, nodes: Nodes, tmp_path: Path
) -> None:
    """What others keep in the store fills it, so that the model and the table of clips go to disk and come back."""
    ray.init(address=nodes.cluster.address, log_to_driver=False)
    held = [ray.put(np.zeros(20_000_000, np.uint8)) for _ in range(6)]
    model = SlowModel()
    model.weights = np.arange(2_000_000)  # type: ignore[attr-defined]  # 16 MB
    assert_same(run(cohort, tmp_path / "run", model=model, **ON_RAY), expected)
    assert spilled(nodes) != []
    assert all(int(ray.get(each)[0]) == 0 for each in held)


def spilled(nodes: Nodes) -> list[Path]:
    """The files to which the nodes moved objects from their stores."""
    session = Path(nodes.cluster.head_node.get_session_dir_path())
    return [path for path in session.glob("ray_spilled_objects*/**/*") if path.is_file()]


def test_an_address_where_nothing_listens_is_reported_at_once(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(RunError, match=f"The Ray cluster at {address} cannot be reached: .*refused"):
        run(cohort, tmp_path / "run", **ON_RAY)


@pytest.mark.parametrize("address", ["ray://[::1", "127.0.0.1:seven"])
def test_an_address_that_is_none_is_reported(
    address: str, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(RunError, match="cannot be reached"):
        run(cohort, tmp_path / "run", **ON_RAY)


SILENT = """
import socket, os, sys, time
from audit.runs.harness import ray_cluster
from audit.core.plan import EngineSettings
from audit.core.errors import RunError
with socket.socket() as silent:
    silent.bind(("127.0.0.1", 0))
    silent.listen(5)
    os.environ[ray_cluster.ADDRESS] = f"127.0.0.1:{silent.getsockname()[1]}"
    began = time.monotonic()
    try:
        with ray_cluster.connected(EngineSettings(name="ray")):
            print("connected")
    except RunError as error:
        print(round(time.monotonic() - began), error, flush=True)
"""


@pytest.mark.study
def test_what_listens_but_is_not_ray_is_given_up_within_the_stated_time() -> None:
    """In a process of its own: Ray itself goes on trying in the background until the process ends."""
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", SILENT], capture_output=True, text=True, timeout=90, check=False)
    assert time.monotonic() - began < 60
    assert ended.returncode == 0
    assert "did not answer as a Ray cluster within 20 s" in ended.stdout
    assert "Traceback" not in ended.stderr


JOIN = """
from audit.runs.harness import ray_cluster
from audit.core.plan import EngineSettings
from audit.core.errors import RunError
try:
    with ray_cluster.connected(EngineSettings(name="ray")):
        print("connected")
except RunError as error:
    print(error)
"""


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.study
def test_a_cluster_that_asks_for_a_token_is_joined_by_who_has_it(tmp_path: Path) -> None:
    """``ray start`` asks for a token where its machine has one; a driver sends it only with RAY_AUTH_MODE=token."""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("a" * 64, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {"HOME": str(tmp_path)}
    start = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}", "--num-cpus=1"]
    with subprocess.Popen(start, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as head:
        try:
            while head.poll() is None and not listens(port):
                time.sleep(0.5)
            said = [
                subprocess.run(
                    [sys.executable, "-c", JOIN],
                    env=own | {ADDRESS: f"127.0.0.1:{port}"} | token,
                    capture_output=True,
                    text=True,
                    timeout=90,
                    check=False,
                ).stdout
                for token in ({"RAY_AUTH_MODE": "token"}, {})
            ]
        finally:
            head.terminate()
    assert said[0] == "connected\n"
    assert "If the cluster asks for a token, set RAY_AUTH_MODE=token." in said[1]
