"""The harness: Cohort + model + instrument -> Run. The only loop.

Clips are taken part by part in the order of their ids. Each part is heard, rendered, read and written whole before the
next, so that a run killed at any moment goes on where it stopped and ends with the same observations.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from audit.claiming import claim
from audit.cohort import Cohort
from audit.errors import RunError
from audit.hearing import LoadedPart, load_part
from audit.instruments.protocol import Instrument
from audit.models import AnyModel, Bindable, Described, Playback
from audit.models.coverage import coverage_of
from audit.models.fitted import refuse_fitted
from audit.observations import (
    FACES,
    MANIFEST,
    OBSERVATIONS,
    PLAN,
    Run,
    file_digest,
    part_files,
    part_path,
    read_manifest,
    schema,
    write_part,
    write_text,
)
from audit.observing import Observer
from audit.plan import Plan, RunSettings
from audit.provenance import code_version, hardware, versions

Progress = Callable[[int, int], None]
"""Is told how many clips are done, and of how many."""

EXTRA_NUMBERS = "fiub"


def run(
    cohort: Cohort,
    *,
    model: AnyModel,
    instrument: Instrument,
    out: str | Path | None = None,
    settings: RunSettings | None = None,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a model over a cohort and read what it makes.

    Parameters
    ----------
    cohort : Cohort
        Speakers of the splits training and validation are set aside.
    model : Reconstructor, Playback or Bindable
        What makes the faces; see :func:`audit.model`.
    instrument : Instrument
        What reads them; see :func:`audit.instrument`.
    out : path, optional
        The run's folder; a new one under ``reports/`` where it is not given. Given again with the same cohort, model
        and instrument, the run goes on where it stopped.
    settings : RunSettings, optional
        Seed, length of a part, limits of a clip's length.
    plan : Plan, optional
        Kept beside the run, so that it can be measured and reported as planned.
    progress : callable, optional
        Is told how many clips are done, and of how many, after every part.

    Returns
    -------
    Run
        Complete: one observation for every clip.

    Raises
    ------
    RunError
        If the folder holds a run of something else, or another process is at work in it.
    ModelError
        If the model cannot show this cohort, gives something other than pictures, or was mitigated with voices of
        speakers who are audited here.
    """
    settings = settings or (plan.run if plan else RunSettings())
    cohort = cohort.audited()
    table = cohort.table
    if table.empty:
        raise RunError(
            "The cohort holds no clip to audit.",
            "at least one clip of a speaker outside training",
            "See: audit cohort check DIR.",
        )
    bound = model.bind(table, cohort.root) if isinstance(model, Bindable) else model
    refuse_fitted(bound, table, cohort.root)
    folder = Path(out) if out is not None else new_folder(Path("reports"), cohort.name, model.name)
    identity = _identity(cohort, bound, instrument, settings)

    for name in (OBSERVATIONS, FACES):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with claim(folder):
        manifest = _open(folder, identity, cohort, plan, table_size=len(table), settings=settings)
        columns = schema(_feature_lengths(instrument), _extra_columns(cohort))
        observer = Observer(bound, instrument, folder / FACES if settings.keep_faces else None)
        spent = dict.fromkeys(("load", "render", "read", "write"), 0.0)
        began = time.monotonic()
        done = 0
        for number, part in _loaded(cohort, settings, folder, spent):
            if part is not None:
                rows = observer.observe(part, spent)
                start = time.monotonic()
                write_part(folder, number, rows, columns)
                spent["write"] += time.monotonic() - start
            done = min(len(table), (number + 1) * settings.part)
            if progress:
                progress(done, len(table))
        _close(folder, manifest, spent, time.monotonic() - began)
    return Run.read(folder)


def new_folder(parent: Path, *words: str) -> Path:
    """A folder that does not exist yet, named after the words and the time."""
    slug = "-".join("".join(c if c.isalnum() else "-" for c in word.lower()).strip("-") for word in words)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    folder, n = parent / f"{stamp}-{slug[:60]}", 1
    while folder.exists():
        n += 1
        folder = parent / f"{stamp}-{slug[:60]}-{n}"
    return folder


def _loaded(
    cohort: Cohort, settings: RunSettings, folder: Path, spent: dict[str, float]
) -> Iterator[tuple[int, LoadedPart | None]]:
    """Part after part, the next one being decoded while this one is rendered; ``None`` for those done already."""
    table = cohort.table
    numbers = range(-(-len(table) // settings.part))
    todo = [number for number in numbers if not _whole(part_path(folder, number))]

    def load(number: int, workers: ThreadPoolExecutor) -> LoadedPart:
        return load_part(
            table.iloc[number * settings.part : (number + 1) * settings.part], cohort.root, settings, workers
        )

    with ThreadPoolExecutor(os.cpu_count() or 1) as workers, ThreadPoolExecutor(1) as ahead:
        upcoming = iter(todo)
        first = next(upcoming, None)
        waiting = None if first is None else ahead.submit(load, first, workers)
        pending = set(todo)
        for number in numbers:
            if number not in pending:
                yield number, None
                continue
            assert waiting is not None
            start = time.monotonic()
            part = waiting.result()
            spent["load"] += time.monotonic() - start
            following = next(upcoming, None)
            waiting = None if following is None else ahead.submit(load, following, workers)
            yield number, part


def _whole(path: Path) -> bool:
    """Whether a part is there and can be read; a damaged one is made anew."""
    if not path.is_file():
        return False
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def _identity(cohort: Cohort, model: Any, instrument: Instrument, settings: RunSettings) -> dict[str, Any]:
    """What a run is a run of; a folder made from anything else is refused."""
    described = model.describe() if isinstance(model, Described) else {}
    coverage_of(described)  # refuses one that is malformed before anything is rendered
    return {
        "cohort": {
            "name": cohort.name,
            "digest": cohort.digest,
            "n_speakers": int(cohort.table["speaker_id"].nunique()),
            "n_clips": len(cohort.table),
            **cohort.notes.model_dump(include={"licence", "consent", "notes", "fictional"}),
            "set_aside": list(cohort.set_aside),
        },
        "model": {
            "name": model.name,
            "kind": "playback" if isinstance(model, Playback) else "reconstructor",
            **described,
        },
        "instrument": {
            "name": instrument.name,
            "similarity_models": list(instrument.similarity_models),
            **instrument.describe(),
        },
        "settings": settings.model_dump(mode="json"),
        "seed": settings.seed,
    }


def _open(
    folder: Path, identity: dict[str, Any], cohort: Cohort, plan: Plan | None, *, table_size: int, settings: RunSettings
) -> dict[str, Any]:
    """The manifest of a new run, or that of the run to go on with."""
    plain = json.loads(json.dumps(identity))
    if (folder / MANIFEST).is_file():
        manifest = read_manifest(folder)
        for key, value in plain.items():
            if manifest.get(key) != value:
                found, wanted = _difference(manifest.get(key), value)
                raise RunError(
                    f"{folder} holds a run of something else: its {key} was {found}, now it is {wanted}.",
                    "the same cohort, model, instrument and settings",
                    "Choose another folder for -o.",
                )
    elif part_files(folder):
        raise RunError(f"{folder} holds observations without a {MANIFEST}.", next_step="Choose another folder for -o.")
    else:
        written = tomli_w.dumps((plan or Plan(run=settings)).model_dump(mode="json", exclude_none=True))
        manifest = plain | {
            "schema_version": "1.0",
            "status": "running",
            "started": _now(),
            "title": plan.title if plan else "",
            "plan": written,
            "command": f"audit run {PLAN} -o OUT",
        }
        write_text(folder / PLAN, written)
        write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    for leftover in folder.glob("**/.*.tmp"):
        leftover.unlink()
    return manifest


def _difference(before: Any, now: Any) -> tuple[str, str]:
    """The first thing in which two JSON values differ, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                found, wanted = _difference(before.get(key), now.get(key))
                return (f"{key} {found}", f"{key} {wanted}")
    return json.dumps(before)[:120], json.dumps(now)[:120]


def _close(folder: Path, manifest: dict[str, Any], spent: dict[str, float], seconds: float) -> None:
    """Mark the run as complete, with the digest of every part."""
    parts = {path.name: file_digest(path) for path in part_files(folder)}
    if manifest.get("status") == "complete" and manifest.get("parts") == parts:
        return
    manifest |= {
        "status": "complete",
        "finished": _now(),
        "seconds": {"all": round(seconds, 3), **{name: round(value, 3) for name, value in spent.items()}},
        "versions": versions(),
        "code": code_version(),
        "hardware": hardware(),
        "parts": parts,
    }
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")


def _feature_lengths(instrument: Instrument) -> dict[str, int]:
    return dict.fromkeys(instrument.similarity_models, 0)


def _extra_columns(cohort: Cohort) -> dict[str, pa.DataType]:
    from audit.observing import KNOWN_COLUMNS

    return {
        str(name): pa.float64() if cohort.table[name].dtype.kind in EXTRA_NUMBERS else pa.string()
        for name in cohort.table.columns
        if name not in KNOWN_COLUMNS
    }


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
