"""Selection of clips by length and number per speaker."""

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
"""More threads than cores, since reading a clip's length mostly waits for the disk."""
TOLERANCE: Final = 1e-6
CELL: Final = ["speaker_id", "language"]

Lengths = Callable[[Iterable[str]], NDArray[np.float64]]
"""Function from paths to the lengths of clips in seconds; NaN if a file cannot be read."""


@dataclass(frozen=True)
class Selection:
    """Criteria of the selection of clips.

    Attributes
    ----------
    seconds : float or None
        Minimum length: 6 as in the training of Speech2Face, or 3 as in the paper's shorter clips.
    per_speaker : int or None
        Maximum number per speaker *and language*, drawn by the seed.
    join : bool
        Whether to join clips shorter than ``seconds`` of a speaker in one language.
    seed : int
        Seed of the draw.
    """

    seconds: float | None = None
    per_speaker: int | None = None
    join: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise AuditError(
                f"A minimum clip length of {self.seconds:g} seconds is not possible.", "more than 0 and at most 3600"
            )
        if self.per_speaker is not None and self.per_speaker < 1:
            raise AuditError(f"{self.per_speaker} clips per speaker are not possible.", "at least 1")
        if self.join and self.seconds is None:
            raise AuditError("Joining clips needs a length.", "--join with --clip-seconds, such as 6")


def lengths_below(where: Callable[[str], Path]) -> Lengths:
    """Function that reads lengths of clips in parallel; ``where`` gives the location of a path of the cohort."""

    def seconds(paths: Iterable[str]) -> NDArray[np.float64]:
        with ThreadPoolExecutor(THREADS) as threads:
            found = threads.map(lambda path: clip_seconds(where(path)), paths)
            return np.array([np.nan if one is None else one for one in found], np.float64)

    return seconds


def selected(found: Imported, wanted: Selection, lengths: Lengths) -> Imported:
    """Select clips without joining; see :func:`audit.cohorts.importing.joining.joined`.

    The draw of a clip depends only on the seed and its id, not on the order or on other clips. Only as many lengths are
    read as needed.
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
    return with_clips_only(
        replace(found, clips=clips.reset_index(drop=True), remarks=(*found.remarks, *filter(None, remarks)))
    )


def with_clips_only(found: Imported) -> Imported:
    """Remove speakers without a selected clip, with a remark on their number.

    Raises
    ------
    CohortError
        If no clip is left.
    """
    if found.clips.empty:
        raise CohortError(["No clip is left."], "a shorter --clip-seconds, or --join", "See the data set's card.")
    present = found.speakers["speaker_id"].isin(found.clips["speaker_id"])
    lost = int((~present).sum())
    remark = (f"{lost} speakers have no selected clip and are not in the cohort.",) if lost else ()
    return replace(found, speakers=found.speakers[present].reset_index(drop=True), remarks=(*found.remarks, *remark))


def draw(seed: int, clip_id: str) -> bytes:
    """Sort key of the random draw of a clip."""
    return hashlib.sha256(f"{seed}\0{clip_id}".encode()).digest()[:8]


def _long_enough(
    clips: pd.DataFrame, seconds: float, per_speaker: int | None, lengths: Lengths
) -> tuple[NDArray[np.bool_], int, int, int]:
    """Mask of the selected clips, and the numbers of those too short, unreadable, and not examined."""
    size = len(clips)
    length = np.full(size, np.nan)
    asked = np.zeros(size, bool)
    paths = clips["audio"].to_numpy()
    cell = clips.groupby(CELL, sort=False).ngroup().to_numpy()
    while True:
        long = asked & (length >= seconds - TOLERANCE)
        lacking = np.full(cell.max(initial=-1) + 1, size if per_speaker is None else per_speaker)
        np.subtract.at(lacking, cell[long], 1)
        place = pd.Series(~asked).groupby(cell).cumsum().to_numpy()  # rank among the unread clips of its cell
        turn = ~asked & (place <= lacking[cell])
        if not turn.any():
            unread = asked & np.isnan(length)
            return long, int((asked & ~long & ~unread).sum()), int(unread.sum()), int((~asked).sum())
        length[turn] = lengths(paths[turn])
        asked |= turn


def runs_of(seconds: NDArray[np.float64], enough: float) -> Iterator[list[int]]:
    """Shortest runs of consecutive clips with a total of at least ``enough``; a remainder is left out.

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
