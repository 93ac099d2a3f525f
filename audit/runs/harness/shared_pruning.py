"""What a cache at an address has, and removing old entries of it."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from audit.core.errors import RunError
from audit.core.transfer import at_once, exists, files_below, remove
from audit.runs.harness.answers import ANSWERS, PICTURES, SECONDS_A_DAY, FileAnswers, StoredAnswer

_PICTURE: Final = re.compile(r"([0-9a-f]{32})\.png")


@dataclass(frozen=True)
class Contents:
    """What a cache has.

    Attributes
    ----------
    renderings, readings, pictures : int
        Numbers of stored renderings, readings and picture files.
    bytes : int
        Size of the database and the pictures.
    oldest, newest : str
        The first and the last day on which an answer was stored, or empty; answers of earlier versions have no day.
    """

    renderings: int
    readings: int
    pictures: int
    bytes: int
    oldest: str
    newest: str


@dataclass(frozen=True)
class Pruned:
    """What was removed from a cache, or would be.

    Attributes
    ----------
    renderings, readings, pictures : int
        Numbers as in :class:`Contents`.
    freed_bytes : int
        Freed space: a picture that a run's folder links to as well frees none.
    left_bytes : int
        Size of what is left in the cache.
    """

    renderings: int
    readings: int
    pictures: int
    freed_bytes: int
    left_bytes: int


class Sized(Protocol):
    """An answer with the digest of the picture that it names, empty if it names none, and its bytes."""

    @property
    def picture(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


class _Kept(NamedTuple):
    path: Path
    picture: str
    size: int


def contents(folder: Path) -> Contents:
    """What the cache at an address has; raises RunError if it is not a cache or cannot be read."""
    answers, pictures = _answers(folder), _pictures(folder)
    n_readings, days = sum(answer.is_reading for answer in answers), [answer.day for answer in answers]
    size = sum(answer.size for answer in answers) + sum(pictures.values())
    oldest, newest = (date_of(each(days)) if days else "" for each in (min, max))
    return Contents(len(answers) - n_readings, n_readings, len(pictures), size, oldest, newest)


def prune(folder: Path, older_than: int | None, max_bytes: int | None, dry_run: bool) -> Pruned:
    """Remove old entries of a cache at an address; as :func:`audit.runs.harness.pruning.prune`."""
    answers, pictures = _answers(folder), _pictures(folder)
    first_kept = 0 if older_than is None else int(time.time() // SECONDS_A_DAY) - older_than
    store, young = FileAnswers(folder), [answer for answer in answers if answer.day >= first_kept]
    shown = at_once(lambda each: "" if each.is_reading else store.answer_in(each.path).decode(), young, folder)
    kept = [_Kept(answer.path, picture, answer.size) for answer, picture in zip(young, shown, strict=True)]
    if max_bytes is not None:
        total = sum(answer.size for answer in kept) + sum(pictures.get(digest, 0) for digest in {*shown})
        kept = kept[to_remove(kept, pictures, total - max_bytes) :]
    named, keep = {answer.picture for answer in kept}, {answer.path for answer in kept}
    removed = [answer for answer in answers if answer.path not in keep]
    unnamed = [digest for digest in pictures if digest not in named]
    if not dry_run:  # the answers first: an answer must not name a picture that is gone
        at_once(remove, [answer.path for answer in removed], folder)
        at_once(remove, [folder / PICTURES / digest[:2] / f"{digest}.png" for digest in unnamed], folder)
    n_readings = sum(answer.is_reading for answer in removed)
    freed = sum(answer.size for answer in removed) + sum(pictures[digest] for digest in unnamed)
    left = sum(answer.size for answer in kept) + sum(size for digest, size in pictures.items() if digest in named)
    return Pruned(len(removed) - n_readings, n_readings, len(unnamed), freed, left)


def to_remove(answers: Sequence[Sized], pictures: Mapping[str, int], excess: int) -> int:
    """How many answers, from the first on, to remove so that ``excess`` bytes are freed."""
    last = {answer.picture: place for place, answer in enumerate(answers)}
    for place, answer in enumerate(answers):
        if excess <= 0:
            return place
        excess -= answer.size + (pictures.get(answer.picture, 0) if last[answer.picture] == place else 0)
    return len(answers)


def date_of(day: int) -> str:
    """The date of a day from the epoch."""
    return str(dt.date(1970, 1, 1) + dt.timedelta(days=day))


def _answers(folder: Path) -> list[StoredAnswer]:
    if not exists(folder / ANSWERS):
        raise RunError(
            f"{folder} is not a cache: it has no {ANSWERS}.",
            "the address .audit-cache beside a run, or that of --cache",
            "Name it: audit cache info CACHE.",
        )
    return [*FileAnswers(folder).stored()]


def _pictures(folder: Path) -> dict[str, int]:
    """The size of every stored picture by its digest; other files are left alone."""
    found = files_below(folder / PICTURES)
    return {path.stem: size for path, size, _ in found if _PICTURE.fullmatch(path.name)}
