"""Joining short clips of one speaker in one language into clips that are long enough for a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import soundfile

from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.selection import CELL, THREADS, TOLERANCE, Lengths, Selection, draw, heard_only, runs_of
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.errors import AuditError

FOLDER: Final = "joined"
"""The folder of the cohort that holds joined clips: FLAC, mono, 16 kHz, 16 bit."""
SOURCES: Final = "joined_from"
"""The column that names a joined clip's sources by their ids, in the order in which they are heard."""


def joined(found: Imported, wanted: Selection, lengths: Lengths, where: Callable[[str], Path], out: Path) -> Imported:
    """The wanted clips, those that are too short joined to others of the same speaker and language.

    A clip that is long enough stays as it is. The others are joined in the order of their ids, one after the other and
    without a pause, until they are long enough; what is left over at the end is left out and counted. Columns in which
    a joined clip's sources differ are empty. Only clips that are drawn are written.

    Parameters
    ----------
    found : Imported
        Clips with paths of the cohort.
    wanted : Selection
        With ``join`` and ``seconds``.
    lengths, where
        Lengths of clips, and where a path of the cohort is on disk.
    out : Path
        The cohort's folder; new files go into its ``joined``.

    Raises
    ------
    AuditError
        If the clips have rendered faces: a face of one clip is none of several.
    """
    assert wanted.seconds is not None
    longest = wanted.seconds
    clips = found.clips.sort_values("clip_id", ignore_index=True)
    for column in ("rendered", "ceiling"):
        if column in clips and (clips[column].fillna("") != "").any():
            raise AuditError(
                f"The clips have pictures in the column {column}.", "--join for clips without faces of their own"
            )
    seconds = lengths(clips["audio"])
    unread = np.isnan(seconds) | (seconds <= 0)
    long = ~unread & (seconds >= wanted.seconds - TOLERANCE)
    whole = clips[long].assign(**{SOURCES: ""})
    short = clips[~long & ~unread].assign(_seconds=seconds[~long & ~unread])
    made: list[dict[str, Any]] = []
    for _, cell in short.groupby(CELL, sort=True):
        made += [_one_of(cell.iloc[run]) for run in runs_of(cell["_seconds"].to_numpy(), wanted.seconds)]
    together = pd.DataFrame(made, columns=[*clips.columns, SOURCES])
    units = pd.concat([whole, together], ignore_index=True) if made else whole.reset_index(drop=True)
    used = sum(row[SOURCES].count(";") + 1 for row in made)
    drawn = units
    if wanted.per_speaker is not None:
        order = units.assign(_draw=[draw(wanted.seed, name) for name in units["clip_id"]]).sort_values([*CELL, "_draw"])
        drawn = units.loc[order.index[order.groupby(CELL, sort=False).cumcount() < wanted.per_speaker]]
    drawn = drawn.sort_values("clip_id", ignore_index=True)

    place = clips.set_index("clip_id")["audio"]
    to_write = drawn[drawn[SOURCES] != ""]
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(THREADS) as threads:
        written = list(
            threads.map(
                lambda row: _write([where(place[name]) for name in row[0].split(";")], out / row[1], longest),
                zip(to_write[SOURCES], to_write["audio"], strict=True),
            )
        )
    failed = set(to_write["clip_id"][~np.array(written, bool)]) if len(to_write) else set()
    kept = drawn[~drawn["clip_id"].isin(failed)]
    remarks = [
        f"{used} clips shorter than {wanted.seconds:g} s were joined to {len(made)} of at least that length, of one "
        "speaker in one language each."
        if made
        else "",
        f"{len(short) - used} short clips were left over and left out: they do not make up {wanted.seconds:g} s."
        if len(short) > used
        else "",
        f"The length of {int(unread.sum())} clips cannot be read or is zero; they were left out."
        if unread.any()
        else "",
        f"{len(units) - len(drawn)} clips were not drawn (at most {wanted.per_speaker} of each speaker in each "
        f"language, by seed {wanted.seed})."
        if len(units) > len(drawn)
        else "",
        f"{len(failed)} joined clips have a silent or damaged part and were left out." if failed else "",
    ]
    return heard_only(
        replace(found, clips=kept.reset_index(drop=True), remarks=(*found.remarks, *filter(None, remarks)))
    )


def _one_of(run: pd.DataFrame) -> dict[str, Any]:
    """The row of a joined clip."""
    ids = list(run["clip_id"])
    sources = ";".join(ids)
    name = hashlib.sha256(sources.encode()).hexdigest()[:20]
    same = {column: run[column].iloc[0] if run[column].nunique(dropna=False) == 1 else "" for column in run.columns}
    del same["_seconds"]
    return {**same, "clip_id": f"{ids[0]}+{len(ids) - 1}", "audio": f"{FOLDER}/{name}.flac", SOURCES: sources}


def _write(sources: list[Path], path: Path, longest: float) -> bool:
    """Write clips one after the other, each shorter than the longest; whether all of them could be read."""
    read = [read_clip(source, min_seconds=0.0, max_seconds=longest) for source in sources]
    waves = [clip.waveform for clip in read if clip.waveform is not None]
    if len(waves) < len(read):
        return False
    soundfile.write(path, np.clip(np.concatenate(waves), -1.0, 1.0), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return True
