"""Runs with kept faces that were made without a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import audit
from audit.core.arrays import Picture
from audit.core.columns import schema
from audit.core.files import file_digest
from audit.core.pictures import picture_digest
from audit.core.vocabulary import STAGES
from audit.runs.faces import FaceNames, keep_face
from audit.runs.manifest import MANIFEST
from audit.runs.run import FACES, OBSERVATIONS, part_path, write_part

NAMES = FaceNames(bytes(32))


def square(*colour: int, side: int = 32) -> Picture:
    """A plain square."""
    return np.full((side, side, 3), colour, np.uint8)


def record_faces(
    seen: pd.DataFrame, folder: Path, shown: Mapping[tuple[str, str], Picture], names: FaceNames = NAMES
) -> pd.DataFrame:
    """The observations with these pictures, by clip and stage, which are kept in a run's folder."""
    for stage in STAGES:
        rows: list[dict[str, str | None]] = []
        for clip in seen["clip_id"]:
            pixels = shown.get((clip, stage))
            digest = "" if pixels is None else picture_digest(pixels)
            rows.append(names.columns(clip, stage, digest))
            if pixels is not None:
                (folder / FACES).mkdir(parents=True, exist_ok=True)
                keep_face(pixels, folder / FACES, names.name(digest))
        seen = seen.assign(**{name: [row[name] for row in rows] for name in rows[0]})
    return seen


def write_pictured_run(
    folder: Path, shown: Mapping[tuple[str, str], Picture], *, speakers: Mapping[str, str] | None = None
) -> audit.Run:
    """A complete run with these pictures, by clip and stage; each clip is of its own speaker unless one is given."""
    clips = sorted({clip for clip, _ in shown})
    about = {"group": "asian", "language": "en", "status": "ok", "gender": "woman", "detail": ""}
    statuses = {f"{stage}_status": "ok" for stage in STAGES}
    seen = pd.DataFrame({"clip_id": clips, "speaker_id": [(speakers or {}).get(clip, clip) for clip in clips]})
    seen = record_faces(seen.assign(**about, **statuses), folder, shown)
    (folder / OBSERVATIONS).mkdir(parents=True, exist_ok=True)
    rows = [{name: None if pd.isna(value) else value for name, value in row.items()} for row in seen.to_dict("records")]
    write_part(folder, 0, rows, schema((), {}))
    made = audit.simulate({"groups": ["asian"], "speakers_per_group": 1}).manifest
    part = part_path(folder, 0)
    manifest = {**made, "cohort": {**made["cohort"], "n_clips": len(clips)}, "parts": {part.name: file_digest(part)}}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return audit.Run.read(folder)
