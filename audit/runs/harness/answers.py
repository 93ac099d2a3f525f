"""Where a cache keeps its answers: in a database of one machine, or in files that the nodes of a cluster share."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from audit.core.errors import RunError
from audit.core.files import is_private, make_folder, write_new
from audit.core.transfer import at_once, files_below, listing, put_bytes, read_bytes

DATABASE: Final = "answers.sqlite"
ANSWERS: Final = "answers"
PICTURES: Final = "pictures"
IN_USE: Final = "in-use.sqlite"
"""An empty database: whoever uses the cache holds a read lock on it, and whoever prunes it a write lock."""
SECONDS_A_DAY: Final = 86_400
_DIGEST: Final = re.compile(rb"[0-9a-f]{32}")
"""A rendering as an answer: the digest of its picture."""
_AT_ONCE: Final = 500
_PATIENCE_S: Final = 60.0
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS answers"
    " (of TEXT, by TEXT, answer BLOB, sha256 TEXT, PRIMARY KEY (of, by)) WITHOUT ROWID"
)
_DAYS: Final = "CREATE TABLE IF NOT EXISTS stored (of TEXT, by TEXT, day INTEGER, PRIMARY KEY (of, by)) WITHOUT ROWID"
"""The day on which each answer was stored, from the epoch; answers of earlier versions have none."""


def refuse_links(folder: Path) -> None:
    """Raise RunError if a part of a cache is a link: it might lead to files of another origin."""
    for name in (DATABASE, IN_USE, PICTURES):
        if (folder / name).is_symlink():
            raise RunError(
                f"{folder / name} is a link.",
                "a cache as it was made",
                "Name another folder, or continue without a cache: --cache none.",
            )


class Answers(ABC):
    """The stored answers of a cache, each with its sha256.

    Attributes
    ----------
    is_shared : bool
        Whether several machines may use them at once.
    """

    is_shared: ClassVar[bool]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def known(self, questions: Iterable[str], by: str) -> dict[str, bytes]:
        """The stored answers of a model or instrument to some questions."""

    @abstractmethod
    def keep(self, answers: Mapping[str, bytes], by: str) -> None:
        """Store answers; a stored one is not replaced by another."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held open."""

    def checked(self, question: str, answer: bytes, sha256: str) -> bytes:
        """The answer, if it has the digest that was stored with it."""
        if hashlib.sha256(answer).hexdigest() != sha256:
            raise damaged(self.folder, f"the answer to {question}")
        return answer


class SqliteAnswers(Answers):
    """Answers in a SQLite database, which several processes of one machine may share."""

    is_shared = False

    def __init__(self, folder: Path, *, read_only: bool = False, shared: bool = False) -> None:
        super().__init__(folder)
        self._lock = threading.Lock()
        self._use: sqlite3.Connection | None = None
        try:
            if read_only:
                self._database = _connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro")
                return
            make_folder(folder, shared=shared)
            refuse_links(folder)
            make_folder(folder / PICTURES, shared=not is_private(folder))
            for name in (IN_USE, DATABASE):  # with the permissions of the folder, which SQLite would not give them
                if not (folder / name).exists():
                    with suppress(FileExistsError):
                        write_new(folder / name, b"")
            self._use = _connect((folder / IN_USE).resolve().as_uri())
            self._use.execute("BEGIN")
            self._use.execute("SELECT * FROM sqlite_master").fetchall()  # takes the lock
            self._database = _connect((folder / DATABASE).resolve().as_uri())
            self._database.execute(_TABLE)
            self._database.execute(_DAYS)
        except (OSError, sqlite3.Error) as error:
            raise unusable(folder, error) from error

    def close(self) -> None:
        """Close the database."""
        self._database.close()
        if self._use is not None:
            self._use.close()

    def known(self, questions: Iterable[str], by: str) -> dict[str, bytes]:
        """The stored answers of a model or instrument to some questions."""
        wanted = sorted({*questions} - {""})
        found: dict[str, bytes] = {}
        try:
            with self._lock:
                for start in range(0, len(wanted), _AT_ONCE):
                    some = wanted[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(some))
                    select = f"SELECT of, answer, sha256 FROM answers WHERE by = ? AND of IN ({marks})"
                    for question, answer, sha256 in self._database.execute(select, [by, *some]):
                        found[question] = self.checked(question, answer, sha256)
        except sqlite3.Error as error:
            raise unusable(self.folder, error) from error
        return found

    def keep(self, answers: Mapping[str, bytes], by: str) -> None:
        """Store answers; a stored one is not replaced by another."""
        if not answers:
            return
        rows = [(of, by, answer, hashlib.sha256(answer).hexdigest()) for of, answer in sorted(answers.items())]
        today = int(time.time() // SECONDS_A_DAY)
        try:
            with self._lock:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", rows)
                self._database.executemany(
                    "INSERT OR IGNORE INTO stored VALUES (?, ?, ?)", [(of, by, today) for of, *_ in rows]
                )
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise unusable(self.folder, error) from error


class StoredAnswer(NamedTuple):
    """A file with an answer: its size in bytes, and the day on which it was written, from the epoch."""

    path: Path
    is_reading: bool
    size: int
    day: int


class FileAnswers(Answers):
    """Answers in small files, which machines may share: ``answers/<by>/<two digits>/<sha256 of the question>``.

    The first line of a file is JSON: the question, the day on which it was stored, and the sha256 of the answer, which
    follows. Two machines that answer a question at once write the same file; the later one stays.
    """

    is_shared = True

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def known(self, questions: Iterable[str], by: str) -> dict[str, bytes]:
        """The stored answers of a model or instrument to some questions."""
        wanted = sorted({*questions} - {""})
        answers = at_once(lambda question: self._answer(question, by), wanted, self.folder)
        return {question: answer for question, answer in zip(wanted, answers, strict=True) if answer is not None}

    def keep(self, answers: Mapping[str, bytes], by: str) -> None:
        """Store answers."""
        today = int(time.time() // SECONDS_A_DAY)

        def keep_one(question: str) -> None:
            answer = answers[question]
            about = {"of": question, "day": today, "sha256": hashlib.sha256(answer).hexdigest()}
            put_bytes(json.dumps(about).encode() + b"\n" + answer, self._file(question, by))

        at_once(keep_one, sorted(answers), self.folder)

    def stored(self) -> Iterator[StoredAnswer]:
        """Every stored answer, the oldest first."""
        found = []
        for by in listing(self.folder / ANSWERS):
            infos = files_below(by)
            sample = self.answer_in(infos[0][0]) if infos else b""
            is_reading = bool(sample) and _DIGEST.fullmatch(sample) is None  # all answers of one maker are of one kind
            for path, size, written in infos:
                found.append(StoredAnswer(path, is_reading, size, int(written // SECONDS_A_DAY)))
        yield from sorted(found, key=lambda each: (each.day, str(each.path)))

    def answer_in(self, path: Path) -> bytes:
        """The answer in a file, which has the digest that was stored with it."""
        return self._answer_of(None, read_bytes(path), path.name)

    def _answer(self, question: str, by: str) -> bytes | None:
        try:
            content = read_bytes(self._file(question, by))
        except FileNotFoundError:
            return None
        return self._answer_of(question, content, question)

    def _answer_of(self, question: str | None, content: bytes, name: str) -> bytes:
        head, _, answer = content.partition(b"\n")
        try:
            about = json.loads(head)
            of, sha256 = about["of"], str(about["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(self.folder, f"the answer to {name}") from error
        return self.checked(name, answer, sha256 if question in (None, of) else "")

    def _file(self, question: str, by: str) -> Path:
        name = hashlib.sha256(question.encode()).hexdigest()
        return self.folder / ANSWERS / by / name[:2] / name


def unusable(folder: Path, error: Exception) -> RunError:
    """The error for a cache that cannot be opened, read or written."""
    return RunError(
        f"The cache {folder} cannot be used: {error}.",
        "a writable folder with free disk space",
        "Delete it if it is damaged, or continue without a cache: --cache none.",
    )


def damaged(folder: Path, what: str) -> RunError:
    """The error for a stored answer or picture that differs from what was stored."""
    return RunError(
        f"The cache {folder} is damaged: {what} differs from what was stored.",
        next_step="Delete the folder, or continue without a cache: --cache none.",
    )


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None, uri=True)
