"""Removing old entries of a cache: only answers and pictures that the tool stored, and never while a run uses it."""

from __future__ import annotations

import re
import sqlite3
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from audit.core.addresses import is_address, refuse_address
from audit.core.audio import voice_key
from audit.core.errors import RunError
from audit.core.pictures import picture_digest, read_picture
from audit.runs.harness.answers import DATABASE, IN_USE, PICTURES, SECONDS_A_DAY, refuse_links
from audit.runs.harness.shared_pruning import Contents, Pruned, date_of, to_remove
from audit.runs.harness.shared_pruning import contents as shared_contents
from audit.runs.harness.shared_pruning import prune as shared_prune

_DIGEST: Final = re.compile(rb"[0-9a-f]{32}")
_OF_A_ROW: Final = 200
"""Bytes of an answer's keys and digests in the database, about."""
_ANSWERS: Final = (
    "SELECT a.of, a.by, a.answer, s.day FROM answers a LEFT JOIN stored s ON a.of = s.of AND a.by = s.by"
    " ORDER BY s.day, a.by, a.of"  # answers without a day come first
)


class _Answer(NamedTuple):
    of: str
    by: str
    picture: str
    is_reading: bool
    size: int
    day: int | None


def contents(folder: Path) -> Contents:
    """What the cache in a folder has.

    Raises
    ------
    RunError
        If it is not a cache or cannot be read.
    """
    if is_address(folder):
        return shared_contents(folder)
    with _opened(folder, read_only=True) as database:
        answers = [*_answers(database)]
    days = [answer.day for answer in answers if answer.day is not None]
    n_readings = sum(answer.is_reading for answer in answers)
    pictures = _pictures(folder)
    size = (folder / DATABASE).stat().st_size + sum(pictures.values())
    oldest, newest = (date_of(each(days)) if days else "" for each in (min, max))
    return Contents(len(answers) - n_readings, n_readings, len(pictures), size, oldest, newest)


def prune(
    folder: Path, *, older_than: int | None = None, max_bytes: int | None = None, dry_run: bool = False
) -> Pruned:
    """Remove old entries of a cache, the oldest first, and the pictures that no entry names any more.

    Parameters
    ----------
    folder : Path
        The cache.
    older_than : int, optional
        Remove entries that were stored more than this number of days ago, and those of earlier versions of the tool,
        which have no day.
    max_bytes : int, optional
        Then remove entries until about this size is left.
    dry_run : bool
        Only say what would be removed.

    Raises
    ------
    RunError
        If it is not a cache, cannot be written, or is in use by a run. At an address the latter cannot be seen: a run
        that misses a picture then stops, and makes it again when it is resumed.
    """
    if is_address(folder):
        return shared_prune(folder, older_than, max_bytes, dry_run)
    with _opened(folder, read_only=dry_run) as database, _unused(folder, needed=not dry_run):
        before = (folder / DATABASE).stat().st_size
        pictures, answers = _pictures(folder), [*_answers(database)]
        first_kept = 0 if older_than is None else int(time.time() // SECONDS_A_DAY) - older_than
        kept = [answer for answer in answers if older_than is None or (answer.day or 0) >= first_kept]
        total = sum(answer.size for answer in kept) + sum(
            pictures.get(digest, 0) for digest in {answer.picture for answer in kept}
        )
        if max_bytes is not None:
            kept = kept[to_remove(kept, pictures, total - max_bytes) :]
        named, keep = {answer.picture for answer in kept}, {(answer.of, answer.by) for answer in kept}
        removed = [answer for answer in answers if (answer.of, answer.by) not in keep]
        unnamed = [digest for digest in pictures if digest not in named and _is_itself(folder, digest)]
        linked = {digest for digest in unnamed if _picture(folder, digest).stat().st_nlink > 1}
        if not dry_run:
            _delete(database, removed)
            for digest in unnamed:
                _picture(folder, digest).unlink(missing_ok=True)
            database.execute("VACUUM")
        after = before - sum(answer.size for answer in removed) if dry_run else (folder / DATABASE).stat().st_size
    after = min(before, max(0, after))
    n_readings = sum(answer.is_reading for answer in removed)
    freed = before - after + sum(pictures[digest] for digest in unnamed if digest not in linked)
    left = after + sum(size for digest, size in pictures.items() if digest in named)
    return Pruned(len(removed) - n_readings, n_readings, len(unnamed), freed, left)


def remove_answers(folder: Path, *, audio: Collection[str], pictures: Collection[str]) -> tuple[int, int]:
    """Remove all that a cache has of some recordings and pictures; returns the numbers of answers and pictures.

    Parameters
    ----------
    folder : Path
        The cache.
    audio : collection of str
        The sha256 of audio files: renderings of their sound are removed, with the pictures that were made.
    pictures : collection of str
        Digests of pixels: readings and ceilings of these pictures, and renderings that gave them.

    Raises
    ------
    RunError
        If it is not a cache, cannot be written, or is in use by a run.
    AuditError
        If it is at an address.
    """
    refuse_address(folder, "The cache from which a speaker is removed")
    voices = tuple(f"{voice_key(sha256)} " for sha256 in audio)
    with _opened(folder, read_only=False) as database, _unused(folder, needed=True):
        answers = [*_answers(database)]
        of = {*pictures}
        asked = {*pictures, *(f"portrait {digest}" for digest in pictures)}
        asked |= {each.of for each in answers if each.of.startswith(voices) or each.picture in of}
        of |= {each.picture for each in answers if each.of in asked and each.picture}
        removed = [each for each in answers if each.of in asked | of]
        _delete(database, removed)
        known = [digest for digest in _pictures(folder) if digest in of]
        for digest in known:
            _picture(folder, digest).unlink(missing_ok=True)
        database.execute("VACUUM")
    return len(removed), len(known)


def _delete(database: sqlite3.Connection, removed: Iterable[_Answer]) -> None:
    database.execute("BEGIN IMMEDIATE")
    keys = [(answer.of, answer.by) for answer in removed]
    for table in ("answers", "stored"):
        database.executemany(f"DELETE FROM {table} WHERE of = ? AND by = ?", keys)
    database.execute("COMMIT")


def _answers(database: sqlite3.Connection) -> Iterator[_Answer]:
    for of, by, answer, day in database.execute(_ANSWERS):
        is_rendering = not answer or _DIGEST.fullmatch(answer) is not None
        yield _Answer(of, by, answer.decode() if is_rendering else "", not is_rendering, len(answer) + _OF_A_ROW, day)


def _picture(folder: Path, digest: str) -> Path:
    return folder / PICTURES / digest[:2] / f"{digest}.png"


def _pictures(folder: Path) -> dict[str, int]:
    """The size of every stored picture by its digest; other files are left alone."""
    found = {}
    for path in (folder / PICTURES).glob("[0-9a-f][0-9a-f]/*.png"):
        if path.parent.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
            continue
        if _DIGEST.fullmatch(path.stem.encode()) and path == _picture(folder, path.stem):
            found[path.stem] = path.stat().st_size
    return found


def _is_itself(folder: Path, digest: str) -> bool:
    """Whether a file has the picture of its name: any other one was not stored by the tool."""
    pixels = read_picture(_picture(folder, digest)).pixels
    return pixels is not None and picture_digest(pixels) == digest


@contextmanager
def _opened(folder: Path, *, read_only: bool) -> Iterator[sqlite3.Connection]:
    """The database of a cache."""
    if not (folder / DATABASE).is_file():
        raise RunError(
            f"{folder} is not a cache: it has no {DATABASE}.",
            "the folder .audit-cache beside a run, or that of --cache",
            "Name it: audit cache prune CACHE.",
        )
    refuse_links(folder)
    address = f"{(folder / DATABASE).resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if "answers" not in tables:
                raise RunError(f"{folder / DATABASE} is not the database of a cache.")
            if "stored" not in tables:  # a cache of an earlier version
                database.execute("CREATE TEMP TABLE stored (of TEXT, by TEXT, day INTEGER)")
            yield database
    except (OSError, sqlite3.Error) as error:
        raise RunError(
            f"The cache {folder} cannot be pruned: {error}.", "a cache that can be read and written"
        ) from error


@contextmanager
def _unused(folder: Path, *, needed: bool) -> Iterator[None]:
    """Keep runs from using the cache during the block, if that is needed; raises RunError if one does."""
    if not needed:
        yield
        return
    with closing(sqlite3.connect(folder / IN_USE, timeout=0, isolation_level=None)) as use:
        try:
            use.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise RunError(
                f"A run is using the cache {folder}.", next_step="Prune it when the run has ended."
            ) from error
        yield
