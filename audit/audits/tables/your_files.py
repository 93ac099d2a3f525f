"""Files of the user that cannot be used: how many, of which kind, and what is wrong with them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.core.group_order import in_group_order
from audit.core.sentences import listing
from audit.core.vocabulary import FILE_STATUSES, STAGES

AUDIO: Final = "audio"
AUDIO_DAMAGE: Final = {"audio_unreadable": "unreadable", "audio_too_short": "too_short", "audio_silent": "silent"}
"""What is wrong with the audio, by the status of the clip."""
DAMAGE: Final = {
    "file_missing": "no such file",
    "file_empty": "empty file",
    "file_pointer": "git-lfs pointer",
    "file_truncated": "end of the file missing",
    "file_unsupported": "format not supported",
    "unreadable": "cannot be decoded",
    "too_short": "too short",
    "silent": "silent",
}
"""The kinds of damage in words, in the order in which they are listed."""


def your_files(observed: pd.DataFrame) -> pd.DataFrame:
    """The number of clips by group, language, kind of file, status of the clip and damage; empty if all can be used.

    A clip counts once for each of its files that cannot be used: audio, portrait, ceiling and rendered picture.
    """
    files = [
        observed["status"].isin(AUDIO_DAMAGE),
        *(observed[f"{stage}_status"].isin(FILE_STATUSES) for stage in STAGES),
    ]
    observed = observed[np.logical_or.reduce(files)]
    labels = observed[["group", "language", "clip_id", "speaker_id", "status"]]
    parts = [labels.assign(file=AUDIO, damage=observed["status"].astype(object).map(AUDIO_DAMAGE))]
    for stage in STAGES:
        status = observed[f"{stage}_status"].astype(object)
        parts.append(labels.assign(file=stage, damage=status.where(status.isin(FILE_STATUSES))))
    damaged = pd.concat(parts, ignore_index=True).dropna(subset="damage")
    damaged = damaged.assign(
        file=pd.Categorical(damaged["file"], (AUDIO, *STAGES), ordered=True),
        damage=pd.Categorical(damaged["damage"], tuple(DAMAGE), ordered=True),
    )
    keys = ["group", "language", "file", "status", "damage"]
    counts = damaged.groupby(keys, observed=True, sort=True).agg(
        n_clips=("clip_id", "size"), n_speakers=("speaker_id", "nunique")
    )
    return in_group_order(counts.reset_index().astype(dict.fromkeys(("file", "status", "damage"), object)))


def sentence_about_files(observed: pd.DataFrame) -> str:
    """How many files cannot be used and why, in one line; empty if all can be used."""
    if observed.empty or (found := your_files(observed)).empty:
        return ""
    parts = []
    for file in (AUDIO, *STAGES):
        of = found[found["file"] == file].groupby("damage")["n_clips"].sum()
        if not of.empty:
            kinds = ", ".join(f"{of[kind]} {words}" for kind, words in DAMAGE.items() if kind in of)
            what = file if file == AUDIO else f"{file} picture"
            parts.append(f"no usable {what} for {of.sum()} ({kinds})")
    return f"Your files: of {len(observed)} clips, {listing(parts)}. None of this is counted against the model."


TABLE = TableSpec(
    name="your_files",
    title="Files that cannot be used",
    note="Audio and pictures that the cohort names. No estimate about the model uses a clip whose audio or rendered "
    "picture cannot be used.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("file", "key", "File"),
        Column("status", "status", "Status of the clip"),
        Column("damage", "key", "Damage"),
        N_CLIPS,
        N_SPEAKERS,
    ),
    make=lambda source: your_files(source.evidence.every_clip),
)
