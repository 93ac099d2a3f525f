"""Selection of clips by length and number per speaker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts.importing.adapter import Imported, counted
from audit.core.audio import clip_seconds
from audit.core.errors import AuditError, CohortError

THREADS: Final = min(32, 4 * (os.cpu_count() or 1))
"""More threads than cores, since reading a clip's length mostly waits for the disk."""
TOLERANCE: Final = 1e-6
CELL: Final = ["speaker_id", "language"]


@dataclass(frozen=True)
class Selection:
    """Criteria of the selection of clips."""

    seconds: float | None = None
    """Minimum length: 6 as in the training of Speech2Face, or 3 as in the paper's shorter clips."""
    per_speaker: int | None = None
    """Maximum number per speaker *and language*, drawn by the seed."""
    join: bool = False
    """Whether to join clips shorter than ``seconds`` of a speaker in one language."""
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


def lengths(where: Callable[[str], Path], paths: Iterable[str]) -> NDArray[np.float64]:
    """Lengths of clips in seconds, NaN if a file cannot be read; ``where`` gives the location of a cohort's path."""
    with ThreadPoolExecutor(THREADS) as threads:
        return np.array(list(threads.map(lambda path: clip_seconds(where(path)), paths)), np.float64)


def selected(found: Imported, wanted: Selection, lengths: Callable[[Iterable[str]], NDArray[np.float64]]) -> Imported:
    """Select clips without joining; see :func:`audit.cohorts.importing.joining.joined`.

    The draw of a clip depends only on the seed and its id, not on the order or on other clips. Only as many lengths are
    read as needed, by the function ``lengths`` of paths.
    """
    clips = found.clips if wanted.per_speaker is None else in_order_of_draw(found.clips, wanted.seed)
    if wanted.seconds is None:
        drawn = clips.groupby(CELL, sort=False).head(wanted.per_speaker or len(clips))
        return with_clips(found, drawn, (not_drawn(len(clips) - len(drawn), wanted),))
    taken, short, unread, unasked = _long_enough(clips, wanted.seconds, wanted.per_speaker, lengths)
    remarks = counted(
        (short, f"{short} clips are shorter than {wanted.seconds:g} s and were left out."),
        (unread, f"The length of {unread} clips cannot be read; they were left out."),
        (unasked, not_drawn(unasked, wanted).removesuffix(".") + " and their lengths not read."),
    )
    return with_clips(found, clips[taken], remarks)


def lots(names: Iterable[str], seed: int) -> list[bytes]:
    """The sort keys of a random draw; each depends on the seed and its name only."""
    return [hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:8] for name in names]


def in_order_of_draw(clips: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Clips by speaker and language, in the order in which they are drawn."""
    return (
        clips.assign(_draw=lots(clips["clip_id"], seed))
        .sort_values([*CELL, "_draw"], ignore_index=True)
        .drop(columns="_draw")
    )


def not_drawn(n: int, wanted: Selection) -> str:
    """Remark on the number of clips that were not drawn."""
    most = f"at most {wanted.per_speaker} of each speaker in each language, by seed {wanted.seed}"
    return f"{n} clips were not drawn ({most})."


def with_clips(found: Imported, clips: pd.DataFrame, remarks: tuple[str, ...]) -> Imported:
    """The selected clips and their speakers.

    Raises
    ------
    CohortError
        If there is no clip.
    """
    if clips.empty:
        raise CohortError(["No clip is left."], "a shorter --clip-seconds, or --join", "See the data set's card.")
    present = found.speakers["speaker_id"].isin(clips["speaker_id"])
    lost = int((~present).sum())
    return replace(
        found,
        speakers=found.speakers[present].reset_index(drop=True),
        clips=clips.reset_index(drop=True),
        remarks=(
            *found.remarks,
            *remarks,
            *counted((lost, f"{lost} speakers have no selected clip and are not in the cohort.")),
        ),
    )


def _long_enough(
    clips: pd.DataFrame,
    seconds: float,
    per_speaker: int | None,
    lengths: Callable[[Iterable[str]], NDArray[np.float64]],
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
