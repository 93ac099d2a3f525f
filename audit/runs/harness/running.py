"""Running a model over a cohort and an instrument over its faces.

Clips are processed in parts, in the order of their ids. Each part is decoded, rendered, read and written atomically, so
that a run that is killed at any time can be resumed and ends with the same observations.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from audit.cohorts import Cohort
from audit.core.addresses import place
from audit.core.attributes import ALWAYS
from audit.core.columns import OF_THE_COHORT, schema, types_of
from audit.core.device import Device
from audit.core.errors import ModelError, RunError
from audit.core.plan import EngineSettings, Plan, RunSettings
from audit.instruments.protocol import Instrument, attribute_names, attributes_of
from audit.models import AnyModel, Bindable, Described, Playback
from audit.models.coverage import coverage_of
from audit.models.fitted import refuse_fitted
from audit.models.protocol import Placeable
from audit.runs.harness.cache import Cache, cache_folder, cache_key
from audit.runs.harness.folder import fill_folder, new_folder, writable
from audit.runs.harness.local import in_processes
from audit.runs.harness.observing import LEFT_OUT, Counts
from audit.runs.harness.work import Done, Parts, Work, Worker
from audit.runs.run import Run

Progress = Callable[[int, int], None]
"""Called with the number of finished clips and the total number."""

_log = logging.getLogger(__name__)
CPU = "cpu"


def run(
    cohort: Cohort,
    *,
    model: AnyModel,
    instrument: Instrument,
    out: str | Path | None = None,
    settings: RunSettings | None = None,
    plan: Plan | None = None,
    engine: EngineSettings | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a model over a cohort and read its faces.

    Parameters
    ----------
    cohort : Cohort
        The cohort; speakers of the splits training and validation are excluded.
    model : Reconstructor, Playback or Bindable
        Makes the faces; see :func:`audit.model`.
    instrument : Instrument
        Reads the faces; see :func:`audit.instrument`.
    out : path, optional
        The run's folder; by default a new one under ``reports/``. With the same cohort, model and instrument, an
        unfinished run is resumed.
    settings : RunSettings, optional
        Seed, size of a part, limits of the length of clips.
    plan : Plan, optional
        Stored with the run, for measuring and reporting.
    engine : EngineSettings, optional
        The engine, the number of workers, and the cache. Results do not depend on it.
    device : str, optional
        Move the model there first, in place: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``. The manifest has the
        kind of device if the model reports it, since faces may differ between kinds.
    progress : callable, optional
        Called after every part with the number of finished clips and the total number.

    Returns
    -------
    Run
        The complete run, with one observation per clip.

    Raises
    ------
    RunError
        If the folder contains another run, is in use by another process or is not writable, or a worker died.
    ModelError
        If the model cannot show this cohort, returns invalid pictures, or was fitted on voices of audited speakers, or
        cannot be moved to the device.
    PlanError
        If ``device`` is not the name of a device.
    """
    if device is not None:
        _move(model, str(Device.parse(device)))
    engine = engine or (plan.engine if plan else EngineSettings())
    ready = prepare(
        cohort,
        model=model,
        instrument=instrument,
        out=out,
        settings=settings or (plan.run if plan else RunSettings()),
        cache=engine.cache,
    )
    work, table = ready.work, ready.table
    with writable(work.folder):
        if work.cache is not None:
            Cache(work.cache).close()  # reports an unusable cache before anything is rendered
        return fill_folder(
            work.folder,
            ready.identity,
            plan or Plan(run=work.settings),
            Parts(table, work.settings.part),
            work.columns,
            lambda todo: _do(work, todo, engine, len(table), progress),
            given=plan is not None,
        )


class Ready(NamedTuple):
    """A run before anything is rendered or written: its work, its identity in the manifest, and a row a clip."""

    work: Work
    identity: dict[str, Any]
    table: pd.DataFrame


def prepare(
    cohort: Cohort,
    *,
    model: AnyModel,
    instrument: Instrument,
    out: str | Path | None,
    settings: RunSettings,
    cache: str,
) -> Ready:
    """Prepare a run; nothing is rendered or written. ``cache`` is that of the engine settings.

    Raises
    ------
    RunError
        If the cohort has no clips to audit.
    ModelError
        If the model cannot show this cohort, or was fitted on voices of audited speakers.
    """
    cohort = cohort.audited()
    table = cohort.table
    if table.empty:
        raise RunError(
            "The cohort has no clips to audit.",
            "at least one clip of a speaker outside the splits training and validation",
            "See: audit cohort check DIR.",
        )
    bound = model.bind(table, cohort.root) if isinstance(model, Bindable) else model
    refuse_fitted(bound, table, cohort.root)
    folder = place(out) if out is not None else new_folder(Path("reports"), cohort.name, model.name)
    identity = _identity(cohort, bound, instrument, settings)
    kept_in = cache_folder(cache, folder)
    extra = [str(name) for name in table.columns if name not in LEFT_OUT and name not in OF_THE_COHORT]
    work = Work(
        cohort.root,
        bound,
        instrument,
        settings,
        folder,
        columns=schema(instrument.similarity_models, types_of(table, extra), read=attributes_of(instrument)),
        cache=kept_in,
        model_key=cache_key(bound, {"seed": settings.seed}) if kept_in else None,
        instrument_key=cache_key(instrument, {}) if kept_in else None,
        reads_beside=str(identity["model"].get("device", CPU)) != CPU,
    )
    return Ready(work, identity, table)


def _move(model: AnyModel, device: str) -> None:
    if not isinstance(model, Placeable):
        raise ModelError(
            f"The model {model.name!r} cannot be moved to the device {device!r}: it has no method to(device).",
            "a model that has one",
            "Leave the device out, or create the model there: audit.model(NAME, device=DEVICE).",
        )
    model.to(device)


def _do(work: Work, todo: Parts, engine: EngineSettings, n_clips: int, progress: Progress | None) -> dict[str, Any]:
    """Process all parts; returns engine, seconds and counts for the manifest."""
    began = time.monotonic()
    left = todo.n_clips
    seconds, counts, two_voices = dict.fromkeys(("load", "render", "read", "write"), 0.0), Counts(), 0
    for done in _engine(work, todo, engine):
        left -= done.clips
        counts += done.counts
        two_voices += done.two_voices
        spent = ", ".join(f"{name} {value:.1f} s" for name, value in done.seconds.items())
        _log.info("part %d: %d clips; %s; %d clips left", done.number, done.clips, spent, left)
        for name, value in done.seconds.items():
            seconds[name] += value
        if progress:
            progress(n_clips - left, n_clips)
    if progress:
        progress(n_clips - left, n_clips)
    seconds = {"all": time.monotonic() - began} | seconds
    return {
        "engine": engine.model_dump(mode="json", exclude={"cache"}),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "answers": asdict(counts),
        **({"two_voices": two_voices} if two_voices else {}),
    }


def _engine(work: Work, todo: Parts, engine: EngineSettings) -> Iterator[Done]:
    """Process the parts by the engine of the plan."""
    if not todo:
        return
    if engine.name == "ray":
        from audit.runs.harness.on_ray import on_ray

        yield from on_ray(work, todo, engine.workers)
    elif engine.workers > 1:
        yield from in_processes(work, todo, engine.workers)
    else:
        with Worker(work) as worker:
            yield from worker.do(todo)


def _identity(cohort: Cohort, model: Any, instrument: Instrument, settings: RunSettings) -> dict[str, Any]:
    """The identity of a run: cohort, model, instrument, settings and seed."""
    described = model.describe() if isinstance(model, Described) else {}
    coverage_of(described)  # validates the coverage before anything is rendered
    return {
        "cohort": {
            "name": cohort.name,
            "digest": cohort.digest,
            "n_speakers": int(cohort.table["speaker_id"].nunique()),
            "n_clips": len(cohort.table),
            **cohort.notes.model_dump(include={"licence", "consent", "notes", "fictional"}),
            "set_aside": [*cohort.remarks, *cohort.set_aside],
            # left out where there are none, as in manifests of earlier versions
            **({"categories": order} if (order := cohort.notes.order) else {}),
        },
        "model": {
            "name": model.name,
            "kind": "playback" if isinstance(model, Playback) else "reconstructor",
            **described,
        },
        "instrument": instrument_identity(instrument),
        "settings": settings.in_manifest(),
        "seed": settings.seed,
    }


def instrument_identity(instrument: Instrument) -> dict[str, Any]:
    """What a manifest says of an instrument."""
    return {
        "name": instrument.name,
        "similarity_models": list(instrument.similarity_models),
        **({} if (names := attribute_names(instrument)) == ALWAYS else {"attributes_read": list(names)}),
        **instrument.describe(),
    }
