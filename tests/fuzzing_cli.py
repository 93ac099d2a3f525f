"""Damaged files through the command line: an exit code that is documented, and no traceback."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from typer.testing import CliRunner

from audit import cli
from audit.core.errors import AuditError
from tests.fuzzing import CLIPS, KINDS, NOTES, SPEAKERS, Outcome, damaged, run_files, run_in

COMMAND_LINE = "command line"
DECIDED = (0, 2, 10, 11, 12, 13)
VERBS = ("gate", "gate", "measure", "report", "check", "simulate", "compare", "readings", "import")


def through_the_command_line(seed: int, folder: Path) -> Outcome:
    """What becomes of one damaged file that a verb is given.

    Raises
    ------
    AssertionError
        If the verb ends with another exit code than the documented ones.
    """
    verb = random.Random(seed).choice(VERBS)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        words = [str(word) for word in _given(verb, seed, place)]
        code, said = _ended(words)
    assert code in DECIDED, f"{verb}: exit code {code}: {said[-300:]}"
    assert "Traceback" not in said, said[-300:]
    return "refused" if code == 2 else "accepted"


def _ended(words: Sequence[str]) -> tuple[int, str]:
    """The exit code of the command, as its entry point ends, and its output."""
    done = CliRunner().invoke(cli.app, list(words))
    if isinstance(done.exception, AuditError):
        with mock.patch.object(cli, "app", side_effect=done.exception), mock.patch.object(sys, "argv", ["audit"]):
            try:
                cli.main()
            except SystemExit as stop:
                return int(stop.code or 0), done.output
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def _given(verb: str, seed: int, place: Path) -> list[object]:
    """The words of a verb, with a damaged file in their midst."""

    def bad(kind: str) -> bytes:
        return damaged(KINDS[kind], seed)

    def file(name: str, data: bytes) -> Path:
        (place / name).write_bytes(data)
        return place / name

    if verb == "gate":
        changed = random.Random(seed + 1).choice(("policy", "audit.json", "manifest.json", "observations", "plan"))
        files = {"audit.json": run_files()["run/audit.json"]} if changed != "manifest.json" else {}
        if changed == "policy":
            return ["gate", run_in(place / "run", **files), "--policy", file("policy.toml", bad("policy"))]
        named = {"observations": "part", "plan": "plan.toml"}.get(changed, changed)
        return ["gate", run_in(place / "run", **{**files, named: bad(changed)})]
    if verb in ("measure", "compare"):
        named = {"observations": "part", "plan": "plan.toml", "manifest.json": "manifest.json"}
        changed = random.Random(seed + 1).choice(list(named))
        run = run_in(place / "run", **{named[changed]: bad(changed)})
        return ["measure", run] if verb == "measure" else ["compare", run_in(place / "whole"), run, "-o", place / "c"]
    if verb == "report":
        return ["report", run_in(place / "run", **{"audit.json": bad("audit.json")})]
    if verb == "readings":
        return ["measure", run_in(place / "run"), "--human-readings", file("r.csv", bad("human readings"))]
    if verb == "simulate":
        return ["simulate", file("t.toml", bad("planted truth")), "-o", place / "run"]
    kind = random.Random(seed + 1).choice(("speakers.csv", "clips.csv", "cohort.toml", "speakers.parquet"))
    contents = {"speakers.csv": SPEAKERS, "clips.csv": CLIPS, "cohort.toml": NOTES, kind: bad(kind)}
    if kind == "speakers.parquet":
        del contents["speakers.csv"]
    for name, data in contents.items():
        file(name, data)
    if verb == "import":
        return [
            "cohort",
            "import",
            "speech2face_released",
            place,
            "-o",
            place / "c",
            "--labels",
            file("l", bad("labels")),
        ]
    return ["cohort", "check", place]
