"""Connecting to Ray: the cluster that ``RAY_ADDRESS`` names or, without it, one on this machine, on loopback only."""

from __future__ import annotations

import ipaddress
import logging
import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from audit.core.errors import RunError
from audit.core.plan import EngineSettings

ADDRESS: Final = "RAY_ADDRESS"
TOKEN: Final = "RAY_AUTH_MODE=token"
"""The setting with which a process sends Ray's token. A cluster asks for it if ``ray start`` found one."""
CPUS: Final = 1.0
"""The CPUs that an actor claims if the settings do not say."""
PATIENCE_S: Final = 20.0
"""How long a cluster may take to answer."""
_NO_HOST: Final = ("auto", "local")
_QUIET: Final[dict[str, Any]] = {"log_to_driver": False, "logging_level": logging.ERROR}


@contextmanager
def connected(engine: EngineSettings) -> Iterator[None]:
    """Ray, connected, with a node for the actors of these settings; disconnected at the end, unless it was before.

    Raises
    ------
    RunError
        If Ray is not installed, the cluster does not answer within :data:`PATIENCE_S`, or no node has what one actor
        claims.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise RunError(
            f"The engine ray needs Ray: {error}.", "an environment with it", "pip install 'speech2face-audit[ray]'"
        ) from error
    is_ours = not ray.is_initialized()
    try:
        if is_ours:
            if address := os.environ.get(ADDRESS):
                _join(address)
            else:
                _start_on_loopback(engine)
        _require_node(engine)
        yield
    finally:
        if is_ours:
            ray.shutdown()


def ray_errors() -> tuple[type[Exception], ...]:
    """The errors that Ray raises; TypeError is for what cannot be pickled."""
    try:
        import ray
    except ImportError:
        return (ConnectionError, TypeError)
    return (ray.exceptions.RayError, ConnectionError, TypeError)


def alive_nodes() -> list[dict[str, Any]]:
    """Ray's description of every node that is alive."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]  # Ray's own


def _join(address: str) -> None:
    """Connect to a cluster.

    Ray itself goes on trying for minutes, without a word.
    """
    began = threading.Event()
    failed: list[BaseException] = []

    def join() -> None:
        import ray

        try:
            ray.init(**_QUIET)  # Ray reads the address from the environment
        except BaseException as error:  # noqa: BLE001  # it raises SystemExit, too; reported below
            failed.append(error)
        began.set()

    _knock(address)
    threading.Thread(target=join, daemon=True, name="audit-ray").start()
    if not began.wait(PATIENCE_S):
        raise _unreachable(address, f"it did not answer as a Ray cluster within {PATIENCE_S:.0f} s")
    if failed:
        words = str(failed[0]).strip().splitlines() or [type(failed[0]).__name__]
        raise _unreachable(address, words[0]) from failed[0]


def _knock(address: str) -> None:
    """Raise RunError if nothing listens at an address with host and port."""
    if address in _NO_HOST:
        return
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        host, port = place.hostname, place.port
    except ValueError as error:
        raise _unreachable(address, str(error)) from error
    if not host or not port:
        return
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, why: str) -> RunError:
    return RunError(
        f"The Ray cluster at {address} cannot be reached: {why}.",
        f"a running cluster in {ADDRESS}, as HOST:PORT",
        f"Check the address: ray status --address {address}. If the cluster asks for a token, set {TOKEN}. "
        f"To run on this machine alone, unset {ADDRESS}.",
    )


def _require_node(engine: EngineSettings) -> None:
    """Raise RunError if no node has what one actor claims: Ray would wait for ever."""
    claims = {"CPU": engine.num_cpus or CPUS, "GPU": engine.num_gpus or 0.0}
    nodes = [node["Resources"] for node in alive_nodes()]
    if any(all(node.get(name, 0.0) >= number for name, number in claims.items()) for node in nodes):
        return
    most = {name: max((node.get(name, 0.0) for node in nodes), default=0.0) for name in claims}
    raise RunError(
        f"An actor claims {claims['CPU']:g} CPU and {claims['GPU']:g} GPU, and no node of the Ray cluster has both: "
        f"the most are {most['CPU']:g} CPU and {most['GPU']:g} GPU.",
        "num_cpus and num_gpus that one node has",
        "Change them in [engine] of the plan, or by --num-cpus and --num-gpus.",
    )


def _start_on_loopback(engine: EngineSettings) -> None:
    """Start Ray on this machine so that its processes listen on the loopback address only.

    Ray replaces a given loopback address by the machine's address, unless it starts a single-machine cluster, as it
    does by default on Windows and macOS. It reads that setting when it is imported.

    Raises
    ------
    RunError
        If this version of Ray binds to another address.
    """
    import ray
    from ray._private import ray_constants

    name, before = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, ray_constants.ENABLE_RAY_CLUSTER
    given = os.environ.get(name)
    os.environ[name], ray_constants.ENABLE_RAY_CLUSTER = "0", False  # for child processes, and for this process
    cpus = engine.workers * (engine.num_cpus or CPUS)
    try:
        ray.init("local", num_cpus=math.ceil(cpus), include_dashboard=False, **_QUIET)
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        if given is None:
            del os.environ[name]
        else:
            os.environ[name] = given
    found = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray's own
    if not ipaddress.ip_address(found).is_loopback:
        raise RunError(
            f"Ray {ray.__version__} would listen on {found}, which other machines may reach.",
            "a loopback address",
            f"Install ray 2.60, or name a cluster in {ADDRESS}.",
        )
