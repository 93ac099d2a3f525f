"""Decoding the audio and portraits of one part of a run, in parallel."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.core.audio import Clip, read_clip
from audit.core.audio_decoding import MAX_FILE_BYTES
from audit.core.pictures import PictureFile, picture_digest, read_picture
from audit.core.plan import RunSettings
from audit.core.transfer import fetched
from audit.runs.content import ClipFile, files_of_clips, named_files

NO_AUDIO = Clip("ok", None, None, "", "no audio was given")
"""A clip without audio, for playbacks only."""


@dataclass(frozen=True)
class Portrait:
    """A portrait file, and the digest of its pixels (empty if there are none)."""

    file: PictureFile
    digest: str


NO_PORTRAIT = Portrait(PictureFile("missing", None, "no portrait was given"), "")


@dataclass(frozen=True)
class LoadedPart:
    """One decoded part: its rows of the cohort's table, and the clip, the portrait and the files of each row."""

    rows: pd.DataFrame
    clips: list[Clip]
    portraits: list[Portrait]
    files: list[list[ClipFile]]


def load_part(rows: pd.DataFrame, root: Path, settings: RunSettings, workers: Executor) -> LoadedPart:
    """Decode the audio and the portraits of a part, each portrait once, and measure the recording quality.

    The digests of audio and portraits are of the bytes that were decoded. Pictures of the columns ``rendered`` and
    ``ceiling`` are read for their digests, whether the model shows them or not.
    """

    def clip(path: str) -> Clip:
        if not path:
            return NO_AUDIO
        return read_clip(
            files[path],
            min_seconds=settings.min_seconds,
            max_seconds=settings.max_seconds,
            channel=settings.channel,
            measure_recording=True,
        )

    def portrait(path: str) -> Portrait:
        file = read_picture(files[path])
        return Portrait(file, "" if file.pixels is None else picture_digest(file.pixels))

    paths = sorted(set(rows["portrait"]) - {""})
    with fetched(root, named_files(rows), MAX_FILE_BYTES) as files:
        clips = [*workers.map(clip, rows["audio"])]
        portraits = dict(zip(paths, workers.map(portrait, paths), strict=True)) | {"": NO_PORTRAIT}
        known = {("audio", path): clip.sha256 for path, clip in zip(rows["audio"], clips, strict=True)}
        known |= {("portrait", path): portraits[path].file.sha256 for path in paths}
        read = files_of_clips(rows, root, workers, known, files)
    return LoadedPart(rows, clips, [portraits[path] for path in rows["portrait"]], read)
