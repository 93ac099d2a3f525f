"""Reading the kept faces of a run with another instrument, without rendering."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from audit.core.addresses import place
from audit.core.attributes import Attribute
from audit.core.audio import AudioStatus
from audit.core.columns import (
    CLIP_FILES,
    OF_A_CLIP,
    OF_A_RECORDING,
    OF_THE_COHORT,
    face_check_column,
    face_column,
    further_columns,
    schema,
    types_of,
)
from audit.core.errors import RunError
from audit.core.plan import Plan
from audit.core.vocabulary import STAGES
from audit.instruments.protocol import Instrument, Reading, attributes_of
from audit.runs.code import digest_of, instrument_code
from audit.runs.content import clip_files
from audit.runs.faces import RecordedFace, folder_with_faces, keep_face, recorded_face, verified_face
from audit.runs.harness.answering import readings_of
from audit.runs.harness.folder import fill_folder, writable
from audit.runs.harness.observing import INSTRUMENT_ERROR, stage_columns, status_of
from audit.runs.harness.part_files import write
from audit.runs.harness.running import Progress, instrument_identity
from audit.runs.harness.work import Parts
from audit.runs.journal import OpenJournal, Writer
from audit.runs.run import FACES, Run, part_path
from audit.runs.run_like import RunLike, as_run


def read_again(
    run: RunLike,
    *,
    instrument: Instrument,
    out: str | Path,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> Run:
    """Read the kept faces of a run with another instrument.

    The model is not used: voices, portraits and faces are those of the run, so a stored baseline stays comparable when
    the instrument changes. What another instrument could not read (audio, portraits that are missing, clips on which
    the model failed) keeps its status.

    Parameters
    ----------
    run : Run, Audit or path
        A complete run that kept its faces.
    instrument : Instrument
        Reads the faces; see :func:`audit.instrument`.
    out : path
        A new folder, or that of an unfinished reading, which is resumed.
    plan : Plan, optional
        Stored with the new run; by default that of the run.
    progress : callable, optional
        Called after every part with the number of finished clips and the total number.

    Returns
    -------
    Run
        A run with the same clips and faces. Its manifest names the digest of the run in ``read_from``.

    Raises
    ------
    RunError
        If the run is not complete, kept no faces, or a face is missing or was changed; or ``out`` contains another run.
    """
    given = as_run(run)
    source, folder = _faces_of(given), place(out)
    followed = plan or (Plan.parse(given.manifest["plan"]) if given.manifest.get("plan") else Plan())
    settings = given.manifest["settings"]
    identity = {key: given.manifest[key] for key in ("cohort", "model", "settings", "seed")} | {
        "instrument": instrument_identity(instrument),
        "read_from": given.digest,
        "command": "audit read RUN -o OUT",
        **{key: given.manifest[key] for key in ("faces",) if key in given.manifest},
    }
    table = given.observations
    attributes = attributes_of(instrument)
    extra, checked = further_columns(table), face_check_column(STAGES[0]) in table
    columns = schema(instrument.similarity_models, types_of(table, extra), read=attributes, checked=checked)
    shown = [name for stage in STAGES for name in (face_column(stage), face_check_column(stage)) if name in table]
    kept = (*OF_THE_COHORT, *extra, *OF_A_CLIP, *(name for name in OF_A_RECORDING if name in table), *shown)
    parts = Parts(table, int(settings["part"]))

    def process(todo: Parts, journal: OpenJournal) -> dict[str, Any]:
        began, left = time.monotonic(), todo.n_clips
        for part in todo:
            rows = _rows(part.rows, kept, source, folder, instrument, attributes)
            files = _files(given, part.number)
            rows = [row | {CLIP_FILES: files.get(row["clip_id"])} for row in rows]
            journal.record(write(folder, part.number, rows, columns))
            left -= len(rows)
            if progress:
                progress(len(table) - left, len(table))
        return {"seconds": {"all": round(time.monotonic() - began, 3)}}

    model = given.manifest.get("code_identity", {}).get("model_sha256") or digest_of(given.manifest["model"])
    writer = Writer.now(model, digest_of([identity["instrument"], instrument_code(instrument)]))
    shared = followed.engine.shared
    with writable(folder, shared=shared):
        return fill_folder(
            folder, identity, followed, parts, columns, process, given=plan is not None, shared=shared, writer=writer
        )


def _files(run: Run, number: int) -> dict[str, Any]:
    """The digests of the files of each clip of a part, as the run read them; empty if it has none."""
    assert run.folder is not None
    path = part_path(run.folder, number)
    found = clip_files(path) if path.is_file() else None
    return {clip: [file._asdict() for file in files] for clip, files in found or ()}


def _faces_of(run: Run) -> Path:
    """The folder of a complete run that kept its faces."""
    if not run.complete or run.folder is None:
        raise RunError(
            "Only a complete run in a folder can be read again.", next_step="Repeat its audit run command first."
        )
    if (folder := folder_with_faces(run)) is None:
        raise RunError(
            f"{run.folder} kept no faces to read.",
            "a run with faces; simulated runs have none, nor runs with keep_faces = false",
            "Run the model again: audit run PLAN -o OUT.",
        )
    return folder


def _rows(
    rows: pd.DataFrame,
    kept: Sequence[str],
    source: Path,
    target: Path,
    instrument: Instrument,
    attributes: tuple[Attribute, ...],
) -> list[dict[str, Any]]:
    """One new row for each clip of a part; ``kept`` are the columns that do not depend on the instrument."""
    records = rows.to_dict("records")
    readings = _readings([face for old in records for face in _faces(old).values()], source, target, instrument)
    return [_row(old, kept, readings, instrument, attributes) for old in records]


def _faces(observation: Mapping[Any, Any]) -> dict[str, RecordedFace]:
    """The recorded pictures of a clip by stage."""
    found = {stage: recorded_face(observation, stage) for stage in STAGES}
    return {stage: face for stage, face in found.items() if face is not None}


def _readings(
    faces: Sequence[RecordedFace], source: Path, target: Path, instrument: Instrument
) -> dict[str, Reading | str]:
    """The reading of each picture by its name, after it was verified and kept in the target's folder as well."""
    pictures, digests = {}, dict[str, str]()
    for face in faces:
        if face.name not in digests:
            pictures[face.name], digests[face.name] = verified_face(source, face)
            keep_face(pictures[face.name], target / FACES, face.name)
        elif not face.is_shown_by(digests[face.name]):
            verified_face(source, face)  # raises
    order = sorted(digests, key=lambda name: digests[name])  # the same whatever the key of the names
    return dict(zip(order, readings_of(instrument, [pictures[name] for name in order]), strict=True))


def _row(
    old: Mapping[Any, Any],
    kept: Sequence[str],
    readings: Mapping[str, Reading | str],
    instrument: Instrument,
    attributes: tuple[Attribute, ...],
) -> dict[str, Any]:
    """The row of one clip: what the cohort and the model gave, and the new readings."""
    row: dict[str, Any] = {name: None if pd.isna(old[name]) else old[name] for name in kept}
    faces = _faces(old)
    found = {stage: readings[faces[stage].name] if stage in faces else None for stage in STAGES}
    for stage in STAGES:
        row |= stage_columns(instrument, attributes, stage, found[stage], found["portrait"])
        if stage not in faces:
            row[f"{stage}_status"] = old[f"{stage}_status"]
    audio = row["status"] if row["status"] in get_args(AudioStatus) else "ok"
    failed = "the model failed" if row["status"] == "model_error" else ""
    row["status"], _ = status_of(audio, failed, **{stage: row[f"{stage}_status"] for stage in STAGES})
    unread = INSTRUMENT_ERROR in (old["rendered_status"], old["portrait_status"], old["ceiling_status"])
    details = ["" if unread else row["detail"] or ""]
    details += [f"{stage}: {reading}" for stage, reading in found.items() if isinstance(reading, str)]
    row["detail"] = "; ".join(filter(None, details))
    return row
