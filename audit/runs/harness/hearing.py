"""Decoding one part of a run: its clips' sound and portraits, in parallel, before anything is rendered."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.core.audio import Clip, read_clip
from audit.core.pictures import PictureFile, picture_digest, read_picture
from audit.core.plan import RunSettings

UNHEARD = Clip("ok", None, None, "", "no audio was given")
"""A clip without audio: only a playback can show it."""


@dataclass(frozen=True)
class Portrait:
    """A portrait as it was read, with the digest of its pixels (empty where there are none)."""

    file: PictureFile
    digest: str


NO_PORTRAIT = Portrait(PictureFile("missing", None, "no portrait was given"), "")


@dataclass(frozen=True)
class LoadedPart:
    """One part, decoded.

    Attributes
    ----------
    rows : DataFrame
        The part's rows of the cohort's table.
    clips : list of Clip
        The sound of each row.
    portraits : list of Portrait
        The portrait of each row.
    """

    rows: pd.DataFrame
    clips: list[Clip]
    portraits: list[Portrait]


def load_part(rows: pd.DataFrame, root: Path, settings: RunSettings, workers: Executor) -> LoadedPart:
    """Decode the sound and the portraits of a part; each portrait once."""

    def hear(path: str) -> Clip:
        if not path:
            return UNHEARD
        return read_clip(root / path, min_seconds=settings.min_seconds, max_seconds=settings.max_seconds)

    def see(path: str) -> Portrait:
        file = read_picture(root / path)
        return Portrait(file, "" if file.pixels is None else picture_digest(file.pixels))

    clips = workers.map(hear, rows["audio"])
    paths = sorted(set(rows["portrait"]) - {""})
    seen = dict(zip(paths, workers.map(see, paths), strict=True)) | {"": NO_PORTRAIT}
    return LoadedPart(rows, list(clips), [seen[path] for path in rows["portrait"]])
