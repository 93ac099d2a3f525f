"""Lock of a folder at an address: an object that its owner writes again every few seconds.

Object stores have no locks that end with a process. The lock is an object that is made only where there is none, and a
thread counts up in it while its owner lives. A lock that does not change while it is watched, or whose process on this
machine has ended, is of a process that died, and is taken over. No clocks are compared.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from audit.core.errors import RunError
from audit.core.transfer import put_bytes, put_new, read_bytes, remove

LOCK: Final = ".lock"
BEAT_S: Final = 5.0
"""Seconds between two signs of life."""
WATCHED_S: Final = 4 * BEAT_S
"""Seconds without a sign of life after which a lock is taken over."""


class _Held:
    """A lock of this process; raises RunError if another process has it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / LOCK
        self._about = {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        self._beats = 0
        self._ended = threading.Event()
        self._lost = False
        if not put_new(self._content(), self._path):
            self._take_over()
        self._thread = threading.Thread(target=self._live, name="audit-lock", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Remove the lock, unless another process has taken it over, which raises RunError."""
        self._ended.set()
        self._thread.join()
        if not self._is_ours():
            raise RunError(
                f"Another process has taken over {self._folder}, since this one gave no sign of life.",
                "one run at a time",
                "Wait for the other one, then repeat the command.",
            )
        remove(self._path)

    def _take_over(self) -> None:
        before = self._read()
        deadline = time.monotonic() + WATCHED_S
        while before and not _has_ended(before) and time.monotonic() < deadline:
            time.sleep(BEAT_S / 5)
            if self._read() != before:
                raise RunError(
                    f"Another process is using {self._folder} (on {_owner(before)}).",
                    next_step="Wait for it, or choose another folder.",
                )
        put_bytes(self._content(), self._path)
        time.sleep(BEAT_S / 5)  # of two processes that take over at once, the later one has the lock
        if not self._is_ours():
            raise RunError(f"Another process is using {self._folder}.", next_step="Wait for it, or choose another one.")

    def _live(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                if not self._is_ours():
                    return
                self._beats += 1
                put_bytes(self._content(), self._path)
            except RunError:
                continue  # a network that fails for a while; the next beat tries again

    def _is_ours(self) -> bool:
        return f'"{self._about["token"]}"'.encode() in self._read()

    def _read(self) -> bytes:
        try:
            return read_bytes(self._path)
        except FileNotFoundError:
            return b""

    def _content(self) -> bytes:
        return json.dumps(self._about | {"beats": self._beats}).encode()


@contextmanager
def held(folder: Path) -> Iterator[object]:
    """Lock a folder at an address during the block.

    Raises
    ------
    RunError
        If another process has locked it, or took the lock over.
    """
    lock = _Held(folder)
    try:
        yield lock
    except BaseException:
        with suppress(RunError):  # the error of the block is the one to report
            lock.release()
        raise
    lock.release()


def _has_ended(lock: bytes) -> bool:
    """Whether a lock is of a process of this machine that has ended."""
    try:
        about = json.loads(lock)
        if about["host"] != socket.gethostname():
            return False
        os.kill(int(about["pid"]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return False


def _owner(lock: bytes) -> str:
    try:
        about = json.loads(lock)
        return f"{about['host']}, process {about['pid']}"
    except (ValueError, KeyError, TypeError):
        return "an unknown machine"
