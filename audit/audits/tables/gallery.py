"""The faces that a report shows: a random sample of each stratum, independent of reads and outcomes."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import Any

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column
from audit.audits.tables.spec import TableSpec
from audit.core.vocabulary import STAGES, ordered_groups
from audit.runs.run import FACES


def gallery(frame: pd.DataFrame, speakers: int, seed: int) -> pd.DataFrame:
    """One clip in each language of some speakers of each group: the paths of its pictures, and the race read in each.

    Parameters
    ----------
    frame : DataFrame
        The observations.
    speakers : int
        The number of speakers per group; the same ones in all their languages.
    seed : int
        The sample depends on the seed and the ids, never on reads or statuses.
    """
    everyone = frame[["group", "speaker_id"]].drop_duplicates()
    columns = ["speaker_id", "language", "clip_id", *(f"{stage}_{of}" for stage in STAGES for of in ("face", "race"))]
    rows = []
    for group in ordered_groups(everyone["group"]):
        names = everyone.loc[everyone["group"] == group, "speaker_id"]
        chosen = sorted(names, key=lambda name: _lot(seed, name))[:speakers]
        shown = frame.loc[(frame["group"] == group) & frame["speaker_id"].isin(chosen), columns]
        clips: dict[tuple[str, str], list[dict[Hashable, Any]]] = {}
        for clip in shown.to_dict("records"):
            clips.setdefault((clip["speaker_id"], clip["language"]), []).append(clip)
        for person, language in sorted(clips, key=lambda key: (chosen.index(key[0]), key[1])):
            clip = min(clips[person, language], key=lambda each: _lot(seed, each["clip_id"]))
            digests, races = ([_text(clip[f"{stage}_{of}"]) for stage in STAGES] for of in ("face", "race"))
            pictures = [digest and f"{FACES}/{digest}.png" for digest in digests]
            rows.append((group, language, person, clip["clip_id"], *pictures, *races))
    return pd.DataFrame(rows, columns=TABLE.names)


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


TABLE = TableSpec(
    name="gallery",
    title="Faces",
    note="A random sample of each stratum with a fixed seed.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("speaker_id", "speaker_id", "Speaker"),
        Column("clip_id", "clip_id", "Clip"),
        *(Column(stage, "picture", stage.capitalize()) for stage in STAGES),
        *(Column(f"{stage}_read", "read", f"{stage.capitalize()} read as") for stage in STAGES),
    ),
    make=lambda source: gallery(source.evidence.frame, source.settings.gallery, source.settings.seed),
)
