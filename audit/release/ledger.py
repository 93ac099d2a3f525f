"""The ledger: an append-only, hash-chained file of every decision of the gate, one JSON object a line."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import filelock
from pydantic import Field, JsonValue, ValidationError

from audit.core.document import MAX_BYTES, Form
from audit.core.errors import RunError
from audit.core.files import writing
from audit.release.outcomes import Outcome

FIRST: Final = "0" * 64
"""What the first entry has in place of the digest of an entry before it."""
WAIT: Final = 60
"""Seconds to wait for another process that writes to the ledger."""


class DecidedFigure(Form):
    """The deciding figure of one rule at a look; ``alpha`` is what the rule spent at it."""

    rule: str
    figure: str
    value: float | None
    low: float | None
    high: float | None
    n_speakers: int | None
    alpha: float
    outcome: Outcome


class Entry(Form):
    """One line of a ledger: a decision of the gate about a candidate.

    Attributes
    ----------
    number : int
        The line's number, from 1.
    previous, sha256 : str
        The digest of the entry before, and of this entry without this key.
    decided : str
        The date.
    candidate, look, planned
        The key of the candidate, the number of the look at it, and how many looks are planned if that was said.
    run, cohort, baseline : str or None
        Digests of the run, its cohort and the baseline run.
    measured : dict
        The settings of the measurement that affect figures.
    method_version : int or None
        The version of the method that measured the run.
    policy, rules : str
        Digests of the policy's text, and of its rules only.
    rulings : tuple of DecidedFigure
        The outcome of every rule.
    """

    schema_version: Literal[1] = Field(alias="schema")
    number: int = Field(ge=1)
    previous: str
    decided: str
    candidate: str
    look: int = Field(ge=1)
    planned: int | None
    run: str
    cohort: str | None
    baseline: str | None
    measured: dict[str, JsonValue]
    method_version: int | None
    policy: str
    rules: str
    outcome: Outcome
    exit_code: int
    rulings: tuple[DecidedFigure, ...]
    sha256: str


class BrokenLedgerError(Exception):
    """The ledger does not exist or cannot be trusted; the message says why, in one sentence, and what to do."""


@dataclass(frozen=True)
class Ledger:
    """The entries of a ledger whose chain is intact.

    Attributes
    ----------
    path : Path
        The file.
    entries : tuple of Entry
        Its lines.
    size : int
        Its size in bytes.
    """

    path: Path
    entries: tuple[Entry, ...]
    size: int

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a ledger and verify its chain. An empty file is a ledger without entries.

        Raises
        ------
        BrokenLedgerError
            If there is no file, or a line was changed, reordered, removed before another one, or cut off.
        """
        restore = "Restore the ledger from a copy; do not repair it by hand"
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise BrokenLedgerError(f"The ledger {path} is a link or not a file. Give the path of the file itself")
        if not path.exists():
            raise BrokenLedgerError(
                f"The ledger {path} does not exist. If there was one, restore it. If no candidate was ever gated, "
                "begin one: create an empty file of that name"
            )
        with writing(path, reads=True), path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BrokenLedgerError(f"The ledger {path} is larger than {MAX_BYTES:,} bytes. {restore}")
        entries: list[Entry] = []
        *lines, rest = data.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                entries.append(_entry(line, number, entries[-1].sha256 if entries else FIRST))
            except ValueError as error:
                raise BrokenLedgerError(f"Line {number} of the ledger {path} {error}. {restore}") from error
        if rest:
            raise BrokenLedgerError(f"Line {len(lines) + 1} of the ledger {path} is cut off. {restore}")
        return cls(path, tuple(entries), len(data))

    def append(self, content: dict[str, Any]) -> Entry:
        """Append an entry; ``content`` are its keys except schema, number and digests.

        Only the bytes of this entry are written. If that fails, the file is cut back to its former size.

        Raises
        ------
        RunError
            If the file cannot be written or changed since it was read.
        """
        previous = self.entries[-1].sha256 if self.entries else FIRST
        head = {"schema": 1, "number": len(self.entries) + 1, "previous": previous}
        entry = head | content
        line = _written(entry | {"sha256": _digest(entry)})
        with writing(self.path):
            self._write(line + b"\n")
        return _entry(line, len(self.entries) + 1, previous)

    def _write(self, line: bytes) -> None:
        optional = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # which some systems lack
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | optional)
        try:
            if os.fstat(descriptor).st_size != self.size:
                raise RunError(f"The ledger {self.path} was changed while the gate decided.", next_step="Gate again.")
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, self.size)
                raise
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a ledger for one process during the block; others wait.

    Raises
    ------
    RunError
        If another process keeps it locked, or the lock cannot be written.
    """
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    if not path.parent.is_dir():
        yield  # there is no ledger to lock, which reading it reports
        return
    try:
        with writing(path):
            lock.acquire(timeout=WAIT)
    except filelock.Timeout as error:
        raise RunError(f"Another process is writing to the ledger {path}.", next_step="Gate again.") from error
    try:
        yield
    finally:
        lock.release()


def _entry(line: bytes, number: int, previous: str) -> Entry:
    """The entry in a line; raises ValueError with what is wrong with the line."""
    try:
        found = json.loads(line)
        entry = Entry.model_validate_json(line)
    except (ValidationError, ValueError, RecursionError) as error:
        raise ValueError("is not an entry of a ledger") from error
    content = {key: value for key, value in found.items() if key != "sha256"}
    if _written(found) != line or entry.sha256 != _digest(content):
        raise ValueError("was changed after it was written")
    if entry.number != number or entry.previous != previous:
        raise ValueError("does not follow the line before it: lines were removed, added or reordered")
    return entry


def _written(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(_written(content)).hexdigest()
