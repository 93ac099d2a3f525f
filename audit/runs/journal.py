"""The journal of a run: which model, instrument and code wrote each part, and what was read for it.

``observations/journal.jsonl`` has a line for each writer, a model, an instrument and their code, and a line for each
part, appended when the part is on disk. A part without a line is not counted as written, and is computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import TypeAdapter, ValidationError

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.files import file_digest, write_whole
from audit.core.provenance import code_version
from audit.core.transfer import at_hand, bring, exists, put_bytes, read_bytes
from audit.runs.code import digest_of, package_code
from audit.runs.run import OBSERVATIONS, part_files

JOURNAL: Final = f"{OBSERVATIONS}/journal.jsonl"
_NOT_IDENTITY: Final = frozenset(("version", "commit", "dirty"))
_NOT_IN_DIGEST: Final = frozenset(("cache", "from_cache", "rechecked"))
MAX_BYTES: Final = 1 << 30
EVERY_S: Final = 10.0
"""How often the journal of a run at an address is written."""

State = Literal["none", "one_writer", "several_writers", "changed"]


@dataclass(frozen=True)
class Writer:
    """What writes parts: a model, an instrument, and the code of this package.

    Attributes
    ----------
    model, instrument : str
        sha256 of what each reports about itself (``describe()``, with the digests of its weights) and of its source.
    packages : Mapping
        The ``source`` of this package as a sha256, and the versions of Python and of packages
        (:func:`audit.runs.code.package_code`).
    version, commit, dirty : str, str or None, bool or None
        As :func:`audit.core.provenance.code_version`. Not part of the identity: equal sources are one writer.
    """

    model: str
    instrument: str
    packages: Mapping[str, str]
    version: str
    commit: str | None = None
    dirty: bool | None = None

    @classmethod
    def now(cls, model: str, instrument: str) -> Writer:
        """A model and an instrument with the code of this process."""
        code = code_version()
        commit, dirty = code["commit"], code["dirty"]
        return cls(
            model,
            instrument,
            package_code(),
            str(code["version"]),
            None if commit is None else str(commit),
            None if dirty is None else bool(dirty),
        )

    @property
    def id(self) -> str:
        """The name of the writer in the journal: a sha256 of its identity, cut to 16 hex digits."""
        return digest_of({key: value for key, value in asdict(self).items() if key not in _NOT_IDENTITY})[:16]

    @property
    def code(self) -> str:
        """sha256 of ``packages``, as :func:`audit.runs.code.code_here`."""
        return digest_of(dict(self.packages))

    def difference(self, other: Writer) -> str:
        """What another writer has that differs, in words; empty if nothing does."""
        found = [
            f"the {what} was {one[:12]}, now it is {two[:12]}"
            for what, one, two in (
                ("digest of the model and its code", self.model, other.model),
                ("digest of the instrument and its code", self.instrument, other.instrument),
            )
            if one != two
        ]
        for name in sorted({*self.packages, *other.packages}):
            one, two = (each.packages.get(name, "absent") for each in (self, other))
            if one != two and name == "source":
                found.append(
                    f"the code of this package was {one[:12]}{_state(self)}, now it is {two[:12]}{_state(other)}"
                )
            elif one != two:
                found.append(f"{name} was {one}, now it is {two}")
        return "; ".join(found)


@dataclass(frozen=True)
class Entry:
    """The journal's line about a part.

    Attributes
    ----------
    part : str
        The name of its file.
    sha256, rows, bytes : str, int, int
        Digest of the file, number of clips, size.
    files_sha256 : str
        Digest of the audio and picture files of its clips (:func:`audit.runs.content.files_digest`); the digest of
        each file is in the part. Empty where no file was read.
    writer : str
        The id of its :class:`Writer`.
    cache : str or None
        Digest of the keys under which answers were taken from a cache; ``None`` without a cache.
    from_cache, rechecked : int
        The number of renderings and readings that came from the cache, and of those that were computed again.
    """

    part: str
    sha256: str
    rows: int
    bytes: int
    files_sha256: str
    writer: str
    cache: str | None = None
    from_cache: int = 0
    rechecked: int = 0


class Written(NamedTuple):
    """A part that was written by a worker: as :class:`Entry`, with the digest of the worker's code."""

    part: str
    sha256: str
    rows: int
    bytes: int
    files_sha256: str
    code: str


@dataclass(frozen=True)
class Forgotten:
    """The journal's line about a speaker who was forgotten: the day and the number of changed parts, not who it was."""

    when: str
    parts: int


@dataclass(frozen=True)
class Journal:
    """The journal of a run's folder.

    Attributes
    ----------
    writers : Mapping
        By id.
    entries : Mapping
        The last line about each part, by the name of the part.
    forgotten : tuple
        When speakers were forgotten afterwards, and how many parts were rewritten.
    """

    writers: Mapping[str, Writer] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    forgotten: tuple[Forgotten, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """The journal of a run's folder; empty if there is none, as in runs of earlier versions.

        An incomplete last line, which a killed process leaves behind, is ignored.

        Raises
        ------
        RunError
            If it is not a regular file, or a line is not valid.
        """
        path = folder / JOURNAL
        path = at_hand(path)
        if not path.exists() and not path.is_symlink():
            return cls()
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise _invalid(path, "it is a link, not a regular file, or above 1 GiB")
        writers: dict[str, Writer] = {}
        entries: dict[str, Entry] = {}
        forgotten: list[Forgotten] = []
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                found = _LINE.validate_json(line, strict=True)
            except ValidationError as error:
                raise _invalid(path, f"line {number}: {error.errors()[0]['msg']}") from error
            if isinstance(found, Writer):
                writers[found.id] = found
            elif isinstance(found, Entry):
                entries[found.part] = found
            else:
                forgotten.append(found)
        if unknown := sorted({entry.writer for entry in entries.values()} - writers.keys()):
            raise _invalid(path, f"it has no line about the writer {unknown[0]}")
        return cls(writers, entries, tuple(forgotten))

    @cached_property
    def used(self) -> tuple[Writer, ...]:
        """The writers of the current parts, the one of the first part first."""
        ids = dict.fromkeys(self.entries[part].writer for part in sorted(self.entries))
        return tuple(self.writers[each] for each in ids)

    @cached_property
    def digest(self) -> str:
        """sha256 of the journal in the order of its parts; independent of engine, cache and time."""
        sha = hashlib.sha256()
        for part in sorted(self.entries):
            facts = {key: value for key, value in asdict(self.entries[part]).items() if key not in _NOT_IN_DIGEST}
            sha.update(json.dumps(facts, sort_keys=True).encode() + b"\n")
        sha.update(json.dumps([each.parts for each in self.forgotten]).encode())
        return sha.hexdigest()

    def without(self, parts: Iterable[str]) -> Journal:
        """The journal without the lines about some parts."""
        left = {name: entry for name, entry in self.entries.items() if name not in {*parts}}
        return replace(self, entries=left)

    def write(self, folder: Path) -> None:
        """Write the journal anew, atomically, with the writers of its parts only."""
        entries = [self.entries[part] for part in sorted(self.entries)]
        lines: list[Writer | Entry | Forgotten] = [*self.used, *entries, *self.forgotten]
        write_whole(folder / JOURNAL, "".join(_line(line) for line in lines))


class OpenJournal:
    """The journal of a run that is being written, by the one process that holds the folder's lock; a context manager.

    At an address, where nothing can be appended, it is written anew every :data:`EVERY_S` seconds and at the end. Parts
    whose lines are lost because the process was killed are computed again.

    Parameters
    ----------
    folder : Path
        The run's folder.
    writer : Writer
        Writes the parts of this process and of its workers.
    cache : str, optional
        Digest of the cache's keys, for :attr:`Entry.cache`.
    """

    def __init__(self, folder: Path, writer: Writer, cache: str | None = None) -> None:
        self._path, self._writer, self._cache = folder / JOURNAL, writer, cache
        self._is_begun = False
        self._there: bytes | None = None
        self._written_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._there is not None:
            put_bytes(self._there, self._path)

    def record(self, written: Written, *, from_cache: int = 0, rechecked: int = 0) -> None:
        """Append a part that is on disk; in a folder of this machine the line is on disk too when this returns.

        Raises
        ------
        RunError
            If a worker had another code than this process.
        """
        if written.code != self._writer.code:
            raise RunError(
                f"{written.part} was written by a worker with other code or package versions than this process.",
                "one version of this package and of its dependencies on every node",
                "Install the same environment everywhere, then repeat the same audit run command.",
            )
        facts = written._asdict()
        del facts["code"]
        entry = Entry(**facts, writer=self._writer.id, cache=self._cache, from_cache=from_cache, rechecked=rechecked)
        self._append([*([] if self._is_begun else [self._writer]), entry])
        self._is_begun = True

    def _append(self, lines: Iterable[Writer | Entry]) -> None:
        added = "".join(map(_line, lines)).encode()
        if is_address(self._path):
            if self._there is None:
                self._there = read_bytes(self._path) if exists(self._path) else b""
            self._there += added
            if self._written_at is None or time.monotonic() - self._written_at >= EVERY_S:
                put_bytes(self._there, self._path)
                self._written_at = time.monotonic()
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self._path, flags, self._path.parent.stat().st_mode & 0o666), "r+b") as file:
            if not self._is_begun:
                _cut_incomplete_line(file)
            file.write(added)
            file.flush()
            os.fsync(file.fileno())


def journal_state(folder: Path, manifest: Mapping[str, Any]) -> State:
    """Whether a complete run was written by one writer.

    ``none``: the manifest names no journal, as in runs of earlier versions and simulated ones. ``changed``: the journal
    is not the one that the manifest names, or does not have the parts on disk. The digests of the parts themselves are
    verified when the run is read.

    Raises
    ------
    RunError
        As :meth:`Journal.read`.
    """
    if "journal" not in manifest:
        return "none"
    journal = Journal.read(folder)
    parts = {entry.part: entry.sha256 for entry in journal.entries.values()}
    if journal.digest != manifest["journal"] or parts != manifest.get("parts"):
        return "changed"
    return "one_writer" if len(journal.used) == 1 else "several_writers"


def digests_differ(folder: Path, journal: Journal) -> list[str]:
    """The names of the parts in a folder that are not, byte for byte, what the journal says."""
    found = {path.name: file_digest(path) for path in bring(part_files(folder))}
    known = {name: entry.sha256 for name, entry in journal.entries.items()}
    return sorted(name for name in {*found, *known} if found.get(name) != known.get(name))


_LINE: Final[TypeAdapter[Writer | Entry | Forgotten]] = TypeAdapter(Writer | Entry | Forgotten)


def _line(value: Writer | Entry | Forgotten) -> str:
    return json.dumps({each.name: getattr(value, each.name) for each in fields(value)}) + "\n"


def _cut_incomplete_line(file: Any) -> None:
    """Cut what a killed process left behind after the last line end."""
    file.seek(0)
    data = file.read()
    if data and not data.endswith(b"\n"):
        file.truncate(data.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def _state(writer: Writer) -> str:
    """Version, commit and state of the checkout of a writer, for a message."""
    if writer.commit is None:
        return f" (version {writer.version})"
    return f" (commit {writer.commit}{' with changes' if writer.dirty else ''})"


def _invalid(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} is not a valid journal: {why}.",
        "the journal as the run wrote it",
        "Restore it, or run again into a new folder. If it is deleted, all parts of an unfinished run are made again.",
    )
