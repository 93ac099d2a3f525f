"""Joining of short clips of a speaker in one language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.selection import (
    CELL,
    THREADS,
    TOLERANCE,
    Selection,
    in_order_of_draw,
    lengths,
    not_drawn,
    with_clips,
)
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.columns import CLUSTER
from audit.core.errors import AuditError

FOLDER: Final = "joined"
"""Folder of the joined clips: FLAC, mono, 16 kHz, 16 bit."""
SOURCES: Final = "joined_from"
"""Column with the ids of a joined clip's sources, in order."""


def joined(found: Imported, wanted: Selection, where: Callable[[str], Path], out: Path) -> Imported:
    """Select clips, and join short ones of the same speaker and language.

    Clips of sufficient length are kept. The others are concatenated in the order of their ids, without a pause, until
    they are long enough; a remainder at the end is left out and counted. Columns in which the sources of a joined clip
    differ are empty, except that the cluster is that of the first source. Only drawn clips are written, to the
    subfolder ``joined`` of the cohort's folder ``out``; the function ``where`` gives the location of a path of the
    cohort.

    Raises
    ------
    AuditError
        If clips have rendered faces, which belong to single clips.
    """
    assert wanted.seconds is not None
    enough = wanted.seconds
    clips = found.clips.sort_values("clip_id", ignore_index=True)
    for column in ("rendered", "ceiling"):
        if column in clips and (clips[column].fillna("") != "").any():
            raise AuditError(f"The clips have pictures in the column {column}.", "--join only for clips without faces")
    seconds = lengths(where, clips["audio"])
    unread = np.isnan(seconds) | (seconds <= 0)
    long = ~unread & (seconds >= enough - TOLERANCE)
    whole = clips[long].assign(**{SOURCES: ""})
    short = clips[~long & ~unread].assign(_seconds=seconds[~long & ~unread])
    made: list[dict[str, Any]] = []
    for _, cell in short.groupby(CELL, sort=True):
        made += [_one_of(cell.iloc[run]) for run in runs_of(cell["_seconds"].to_numpy(), enough)]
    joined_rows = pd.DataFrame(made, columns=[*clips.columns, SOURCES])
    units = pd.concat([whole, joined_rows], ignore_index=True) if made else whole.reset_index(drop=True)
    used = sum(row[SOURCES].count(";") + 1 for row in made)
    drawn = units
    if wanted.per_speaker is not None:
        drawn = in_order_of_draw(units, wanted.seed).groupby(CELL, sort=False).head(wanted.per_speaker)
    drawn = drawn.sort_values("clip_id", ignore_index=True)

    place = clips.set_index("clip_id")["audio"]
    to_write = drawn[drawn[SOURCES] != ""]
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(THREADS) as threads:
        written = list(
            threads.map(
                lambda row: _write([where(place[name]) for name in row[0].split(";")], out / row[1], enough),
                zip(to_write[SOURCES], to_write["audio"], strict=True),
            )
        )
    failed = set(to_write["clip_id"][~np.array(written, bool)]) if len(to_write) else set()
    kept = drawn[~drawn["clip_id"].isin(failed)]
    cluster_of = dict(zip(clips["clip_id"], clips[CLUSTER], strict=True)) if CLUSTER in clips else {}
    mixed = sum(len({cluster_of.get(name) for name in names.split(";")}) > 1 for names in kept[SOURCES])
    left_over, no_length, undrawn = len(short) - used, int(unread.sum()), len(units) - len(drawn)
    both = f"{used} clips shorter than {enough:g} s were joined to {len(made)} of at least that length"
    remarks = counted(
        (used, f"{both}, each of one speaker in one language."),
        (left_over, f"{left_over} short clips were left over and left out: they do not make up {enough:g} s."),
        (no_length, f"The length of {no_length} clips cannot be read or is zero; they were left out."),
        (undrawn, not_drawn(undrawn, wanted)),
        (mixed, f"{mixed} joined clips are of several videos or sessions; their cluster is that of the first."),
        (len(failed), f"{len(failed)} joined clips have a silent or damaged part and were left out."),
    )
    return with_clips(found, kept, remarks)


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


def _one_of(run: pd.DataFrame) -> dict[str, Any]:
    """The row of a joined clip."""
    ids = list(run["clip_id"])
    sources = ";".join(ids)
    name = hashlib.sha256(sources.encode()).hexdigest()[:20]
    same = {column: run[column].iloc[0] if run[column].nunique(dropna=False) == 1 else "" for column in run.columns}
    del same["_seconds"]
    if CLUSTER in same:
        same[CLUSTER] = run[CLUSTER].iloc[0]
    return {**same, "clip_id": f"{ids[0]}+{len(ids) - 1}", "audio": f"{FOLDER}/{name}.flac", SOURCES: sources}


def _write(sources: list[Path], path: Path, longest: float) -> bool:
    """Write the concatenation of clips shorter than ``longest``; return whether all of them could be read."""
    read = [read_clip(source, min_seconds=0.0, max_seconds=longest) for source in sources]
    waves = [clip.waveform for clip in read if clip.waveform is not None]
    if len(waves) < len(read):
        return False
    soundfile.write(path, np.clip(np.concatenate(waves), -1.0, 1.0), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return True
