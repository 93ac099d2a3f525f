"""Reading the kept faces of a run with another instrument, without rendering."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from audit.core.addresses import place
from audit.core.arrays import Picture
from audit.core.attributes import Attribute
from audit.core.audio import AudioStatus
from audit.core.columns import OF_A_CLIP, OF_A_RECORDING, OF_THE_COHORT, further_columns, schema, types_of
from audit.core.errors import RunError
from audit.core.pictures import MAX_FILE_BYTES, keep_picture, picture_digest, read_picture
from audit.core.plan import Plan
from audit.core.transfer import at_once, fetched
from audit.core.vocabulary import STAGES
from audit.instruments.protocol import Instrument, Reading, attributes_of
from audit.runs.harness.answering import readings_of
from audit.runs.harness.folder import fill_folder, writable
from audit.runs.harness.observing import INSTRUMENT_ERROR, stage_columns, status_of
from audit.runs.harness.running import Progress, instrument_identity
from audit.runs.harness.work import Parts
from audit.runs.run import FACES, Run, write_part
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
    }
    table = given.observations
    attributes = attributes_of(instrument)
    extra = further_columns(table)
    columns = schema(instrument.similarity_models, types_of(table, extra), read=attributes)
    kept = (*OF_THE_COHORT, *extra, *OF_A_CLIP, *(name for name in OF_A_RECORDING if name in table))
    parts = Parts(table, int(settings["part"]))

    def process(todo: Parts) -> dict[str, Any]:
        began, left = time.monotonic(), todo.n_clips
        for part in todo:
            rows = _rows(part.rows, kept, source, folder / FACES, instrument, attributes)
            write_part(folder, part.number, rows, columns)
            left -= len(rows)
            if progress:
                progress(len(table) - left, len(table))
        return {"seconds": {"all": round(time.monotonic() - began, 3)}}

    with writable(folder):
        return fill_folder(folder, identity, followed, parts, columns, process, given=plan is not None)


def _faces_of(run: Run) -> Path:
    """The folder with a complete run's faces."""
    if not run.complete or run.folder is None:
        raise RunError(
            "Only a complete run in a folder can be read again.", next_step="Repeat its audit run command first."
        )
    named = run.observations[[f"{stage}_face" for stage in STAGES]]
    if named.isna().all(axis=None) or not (run.folder / FACES).is_dir():
        raise RunError(
            f"{run.folder} kept no faces to read.",
            "a run with faces; simulated runs have none, nor runs with keep_faces = false",
            "Run the model again: audit run PLAN -o OUT.",
        )
    return run.folder / FACES


def _rows(
    rows: pd.DataFrame,
    kept: Sequence[str],
    source: Path,
    faces: Path,
    instrument: Instrument,
    attributes: tuple[Attribute, ...],
) -> list[dict[str, Any]]:
    """One new row for each clip of a part; ``kept`` are the columns that do not depend on the instrument."""
    named = rows[[f"{stage}_face" for stage in STAGES]]
    digests = sorted({str(digest) for digest in named.to_numpy().ravel() if not pd.isna(digest)})
    pictures = _pictures(source, digests)
    at_once(lambda digest: keep_picture(pictures[digest], faces, digest), digests, faces)
    readings = dict(zip(digests, readings_of(instrument, [*pictures.values()]), strict=True))
    return [_row(old, kept, readings, instrument, attributes) for old in rows.to_dict("records")]


def _row(
    old: Mapping[Any, Any],
    kept: Sequence[str],
    readings: Mapping[str, Reading | str],
    instrument: Instrument,
    attributes: tuple[Attribute, ...],
) -> dict[str, Any]:
    """The row of one clip: what the cohort and the model gave, and the new readings."""
    row: dict[str, Any] = {name: None if pd.isna(old[name]) else old[name] for name in kept}
    faces = {stage: "" if pd.isna(old[f"{stage}_face"]) else str(old[f"{stage}_face"]) for stage in STAGES}
    found = {stage: readings.get(digest) for stage, digest in faces.items()}
    for stage, digest in faces.items():
        row |= stage_columns(instrument, attributes, stage, digest, found[stage], found["portrait"])
        if not digest:
            row[f"{stage}_status"] = old[f"{stage}_status"]
    audio = row["status"] if row["status"] in get_args(AudioStatus) else "ok"
    failed = "the model failed" if row["status"] == "model_error" else ""
    row["status"], _ = status_of(audio, failed, **{stage: row[f"{stage}_status"] for stage in STAGES})
    unread = INSTRUMENT_ERROR in (old["rendered_status"], old["portrait_status"], old["ceiling_status"])
    details = ["" if unread else row["detail"] or ""]
    details += [f"{stage}: {reading}" for stage, reading in found.items() if isinstance(reading, str)]
    row["detail"] = "; ".join(filter(None, details))
    return row


def _pictures(source: Path, digests: list[str]) -> dict[str, Picture]:
    """The pictures with these digests, whose pixels are checked against their names."""
    with fetched(source, [f"{digest}.png" for digest in digests], MAX_FILE_BYTES) as files:
        found = {digest: read_picture(files[f"{digest}.png"]).pixels for digest in digests}
    wrong = [digest for digest, pixels in found.items() if pixels is None or picture_digest(pixels) != digest]
    if wrong:
        raise RunError(
            f"{len(wrong)} pictures in {source} are missing or were changed, for example {wrong[0]}.png.",
            "the pictures as the run kept them",
            "Restore them, or run the model again.",
        )
    return {digest: pixels for digest, pixels in found.items() if pixels is not None}
