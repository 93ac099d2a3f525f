"""Which clips of a data set are taken: by length, a number of each speaker, short ones joined."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts.importing.adapter import Imported
from audit.core.audio import clip_seconds
from audit.core.errors import AuditError, CohortError

THREADS: Final = min(32, 4 * (os.cpu_count() or 1))
"""Reading a clip's length waits for the disk more than it computes."""
TOLERANCE: Final = 1e-6
CELL: Final = ["speaker_id", "language"]

Lengths = Callable[[Iterable[str]], NDArray[np.float64]]
"""Seconds of some clips by their paths; not a number where a file cannot be read."""


@dataclass(frozen=True)
class Selection:
    """Which clips are wanted.

    Attributes
    ----------
    seconds : float or None
        Only clips at least so long: 6 as Speech2Face is trained, or 3, the paper's shorter ones.
    per_speaker : int or None
        At most so many of each speaker *in each language*, drawn by the seed.
    join : bool
        Clips shorter than ``seconds`` of one speaker in one language are joined until they are so long.
    seed : int
        Another seed draws other clips.
    """

    seconds: float | None = None
    per_speaker: int | None = None
    join: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise AuditError(f"Clips of {self.seconds:g} seconds.", "more than 0 and at most 3600")
        if self.per_speaker is not None and self.per_speaker < 1:
            raise AuditError(f"{self.per_speaker} clips of each speaker.", "at least 1")
        if self.join and self.seconds is None:
            raise AuditError("Clips are to be joined, to no length.", "--join with --clip-seconds, such as 6")


def lengths_below(where: Callable[[str], Path]) -> Lengths:
    """Reads the lengths of clips, many files at a time; ``where`` finds a path of the cohort on disk."""

    def seconds(paths: Iterable[str]) -> NDArray[np.float64]:
        with ThreadPoolExecutor(THREADS) as threads:
            found = threads.map(lambda path: clip_seconds(where(path)), paths)
            return np.array([np.nan if one is None else one for one in found], np.float64)

    return seconds


def selected(found: Imported, wanted: Selection, lengths: Lengths) -> Imported:
    """The wanted clips, whole ones only; :func:`audit.cohorts.importing.joining.joined` joins before.

    A clip's draw hangs on the seed and its own id, so that it is the same in any order and whoever else is there.
    Lengths are read of as many clips as it takes to find enough.
    """
    clips, remarks = found.clips, []
    if wanted.per_speaker is not None:
        clips = clips.assign(_draw=[draw(wanted.seed, name) for name in clips["clip_id"]])
        clips = clips.sort_values([*CELL, "_draw"], ignore_index=True).drop(columns="_draw")
    if wanted.seconds is not None:
        taken, short, unread, unasked = _long_enough(clips, wanted.seconds, wanted.per_speaker, lengths)
        clips = clips[taken]
        remarks += [
            f"{short} clips are shorter than {wanted.seconds:g} s and were left out." if short else "",
            f"The length of {unread} clips cannot be read; they were left out." if unread else "",
            f"{unasked} clips were not drawn (at most {wanted.per_speaker} of each speaker in each language, by seed "
            f"{wanted.seed}) and their lengths not read."
            if unasked
            else "",
        ]
    elif wanted.per_speaker is not None:
        taken = (clips.groupby(CELL, sort=False).cumcount() < wanted.per_speaker).to_numpy()
        remarks.append(
            f"{int((~taken).sum())} clips were not drawn (at most {wanted.per_speaker} of each speaker in each "
            f"language, by seed {wanted.seed})."
        )
        clips = clips[taken]
    return heard_only(
        replace(found, clips=clips.reset_index(drop=True), remarks=(*found.remarks, *filter(None, remarks)))
    )


def heard_only(found: Imported) -> Imported:
    """Without speakers of whom no clip was taken; they are counted.

    Raises
    ------
    CohortError
        If no clip is left at all.
    """
    if found.clips.empty:
        raise CohortError(["No clip is left."], "a shorter --clip-seconds, or --join", "See the data set's card.")
    heard = found.speakers["speaker_id"].isin(found.clips["speaker_id"])
    lost = int((~heard).sum())
    remark = (f"{lost} speakers have no clip that was taken, and are not in the cohort.",) if lost else ()
    return replace(found, speakers=found.speakers[heard].reset_index(drop=True), remarks=(*found.remarks, *remark))


def draw(seed: int, clip_id: str) -> bytes:
    """A clip's place in the order in which clips are drawn."""
    return hashlib.sha256(f"{seed}\0{clip_id}".encode()).digest()[:8]


def _long_enough(
    clips: pd.DataFrame, seconds: float, per_speaker: int | None, lengths: Lengths
) -> tuple[NDArray[np.bool_], int, int, int]:
    """Which clips are taken, and how many were too short, could not be read, and were never asked."""
    size = len(clips)
    length = np.full(size, np.nan)
    asked = np.zeros(size, bool)
    paths = clips["audio"].to_numpy()
    cell = clips.groupby(CELL, sort=False).ngroup().to_numpy()
    while True:
        long = asked & (length >= seconds - TOLERANCE)
        lacking = np.full(cell.max(initial=-1) + 1, size if per_speaker is None else per_speaker)
        np.subtract.at(lacking, cell[long], 1)
        place = pd.Series(~asked).groupby(cell).cumsum().to_numpy()  # the how-manieth unasked clip of its cell
        turn = ~asked & (place <= lacking[cell])
        if not turn.any():
            unread = asked & np.isnan(length)
            return long, int((asked & ~long & ~unread).sum()), int(unread.sum()), int((~asked).sum())
        length[turn] = lengths(paths[turn])
        asked |= turn


def runs_of(seconds: NDArray[np.float64], enough: float) -> Iterator[list[int]]:
    """Neighbours that are long enough together, each as short as it can be; what is left at the end is in none.

    Examples
    --------
    >>> list(runs_of(np.array([2.0, 2.5, 1.0, 3.0, 1.0]), 3.0))
    [[0, 1], [2, 3]]
    """
    run: list[int] = []
    for i in range(len(seconds)):
        run.append(i)
        if seconds[run].sum() >= enough - TOLERANCE:
            yield run
            run = []
