"""No verb opens a network connection, unless it is allowed to download."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

ROOT = Path(__file__).parents[2]

WITHOUT_NETWORK = """
import socket, sys

def refuse(*words, **names):
    print("a connection was tried:", words[:2], file=sys.stderr)
    raise OSError("no network here")

class Socket(socket.socket):
    def __init__(self, family=-1, *words, **names):
        if family != getattr(socket, "AF_UNIX", None):
            refuse(family)
        super().__init__(family, *words, **names)

socket.socket = socket.SocketType = Socket
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""

VERBS = """
import sys
from typer.testing import CliRunner
from audit.cli import app

cohort, out = sys.argv[1:]
for words in (
    ["cohort", "check", cohort],
    ["run", "--cohort", cohort, "--model", "recorded", "-o", f"{out}/a"],
    ["run", "--cohort", cohort, "--model", "speech2face-small-gap", "-o", f"{out}/b"],
    ["measure", f"{out}/a"],
    ["report", f"{out}/a"],
    ["compare", f"{out}/a", f"{out}/a", "-o", f"{out}/c"],
    ["gate", f"{out}/a"],
    ["sheet", f"{out}/a", "-o", f"{out}/s", "--faces", "1"],
    ["list", "models"],
):
    done = CliRunner().invoke(app, words)
    print("verb", words[0], done.exit_code, repr(done.exception)[:300], flush=True)
"""


def outcomes(cohort: Path, out: Path) -> tuple[list[tuple[str, int]], str]:
    """The exit code of every verb in a process whose sockets are forbidden, and what was said."""
    (out / "patch").mkdir(parents=True)
    (out / "patch" / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    done = subprocess.run(
        [sys.executable, "-c", VERBS, str(cohort), str(out)],
        env={**os.environ, "PYTHONPATH": f"{out / 'patch'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split(maxsplit=3) for line in done.stdout.splitlines() if line.startswith("verb ")]
    return [(verb, int(code)) for _, verb, code, _ in rows], done.stdout + done.stderr


def test_no_verb_needs_a_network_or_tries_one(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_cohort(4)
    portraits = ROOT / "datasets" / "synthetic_bilingual" / "portraits"
    clips = pd.read_csv(folder / "clips.csv", dtype=str)
    for i, portrait in enumerate(sorted(portraits.glob("*.jpg"))[:4]):
        Image.open(portrait).convert("RGB").save(folder / "portraits" / f"s{i}.png")
    clips["rendered"] = "portraits/" + clips["speaker_id"] + ".png"
    clips.to_csv(folder / "clips.csv", index=False)
    codes, said = outcomes(folder, tmp_path / "out")
    assert "a connection was tried" not in said
    gates = [code for verb, code in codes if verb == "gate"]
    assert gates and set(gates) <= {10, 11, 12, 13}
    assert [code for verb, code in codes if verb != "gate"] == [0] * 8, said


def test_the_guard_itself_refuses_a_connection(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    asked = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0 and "a connection was tried" in done.stderr
