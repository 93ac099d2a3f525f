"""Running a model over a cohort and an instrument over its faces.

Clips are processed in parts, in the order of their ids. Each part is decoded, rendered, read and written atomically, so
that a run that is killed at any time can be resumed and ends with the same observations.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from audit.cohorts import Cohort
from audit.core.addresses import is_in_memory, place
from audit.core.attributes import ALWAYS
from audit.core.columns import OF_THE_COHORT, schema, types_of
from audit.core.device import Device
from audit.core.errors import ModelError, RunError
from audit.core.plan import AUTO, EngineSettings, Plan, RunSettings
from audit.instruments.protocol import Instrument, attribute_names, attributes_of
from audit.instruments.registry import refuse_borrowed_name
from audit.models import AnyModel, Bindable, Described, Playback
from audit.models.coverage import coverage_of
from audit.models.fitted import refuse_fitted
from audit.models.protocol import Placeable
from audit.runs.code import digest_of, instrument_code, model_code
from audit.runs.face_keys import cohort_key, keys_folder
from audit.runs.faces import FaceNames, pin_key
from audit.runs.harness.cache import Cache, cache_folder, cache_key
from audit.runs.harness.folder import fill_folder, new_folder, writable
from audit.runs.harness.local import in_processes
from audit.runs.harness.observing import LEFT_OUT, Counts
from audit.runs.harness.rechecking import Recheck
from audit.runs.harness.work import Done, Parts, Work, Worker
from audit.runs.journal import OpenJournal, Writer
from audit.runs.manifest import MANIFEST, read_manifest
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
    recheck: float = 0.0,
    continue_with_other_code: bool = False,
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
        Seed, size of a part, limits of the length of clips. A resumed run keeps its size of a part, unless one is
        given.
    plan : Plan, optional
        Stored with the run, for measuring and reporting.
    engine : EngineSettings, optional
        The engine, the number of workers, and the cache. Results do not depend on it.
    device : str, optional
        Move the model there first, in place: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``. The manifest has the
        kind of device if the model reports it, since faces may differ between kinds.
    progress : callable, optional
        Called after every part with the number of finished clips and the total number.
    recheck : float, optional
        Share of the renderings and readings from the cache that are computed again and compared, in [0, 1].
    continue_with_other_code : bool, optional
        Resume a run that other code of this package, of the model or of the instrument, or other versions of packages
        have begun. The run then has several writers, which the gate does not admit by default.

    Returns
    -------
    Run
        The complete run, with one observation per clip.

    Raises
    ------
    RunError
        If the folder contains another run or one begun with other code, is in use by another process or is not
        writable, a worker died, or a re-checked answer of the cache differs.
    ModelError
        If the model cannot show this cohort, returns invalid pictures, or was fitted on voices of audited speakers, or
        cannot be moved to the device.
    PlanError
        If ``device`` is not the name of a device, or ``recheck`` is not in [0, 1].
    """
    sample = Recheck.of(recheck)
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
    work, table = replace(ready.work, recheck=sample), ready.table
    with writable(work.folder, shared=engine.shared):
        if work.cache is not None:
            Cache(work.cache, shared=engine.shared).close()  # reports an unusable cache before anything is rendered
        done = fill_folder(
            work.folder,
            ready.identity,
            _with_size(plan or Plan(run=work.settings), work.settings),
            Parts(table, work.settings.part_size(len(table))),
            work.columns,
            lambda todo, journal: _named(work, todo, engine, len(table), progress, journal),
            given=plan is not None,
            shared=engine.shared,
            writer=writer_of(work, ready.identity),
            cache=None if work.cache is None else digest_of([work.model_key, work.instrument_key]),
            continue_with_other_code=continue_with_other_code,
        )
    if recheck > done.manifest.get("recheck", {}).get("share", 0.0):
        raise RunError(
            f"{work.folder} was complete, so that none of its answers were computed again.",
            "re-checking while a run takes answers from the cache",
            "Run with the same cache into a new folder: audit run ... --recheck SHARE -o NEW.",
        )
    return done


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
    settings = _sized(settings, folder, len(table))
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
        cohort=str(identity["cohort"]["digest"]),
    )
    return Ready(work, identity, table)


def _sized(settings: RunSettings, folder: Path, n_clips: int) -> RunSettings:
    """The settings with the size of a part: as given, else that of the run in the folder, else by number of clips."""
    if settings.part == AUTO and (folder / MANIFEST).is_file():
        begun = read_manifest(folder).get("settings")
        if isinstance(begun, dict) and isinstance(begun.get("part"), int):
            return settings.model_copy(update={"part": begun["part"]})
    return settings.sized(n_clips)


def _with_size(plan: Plan, settings: RunSettings) -> Plan:
    """The plan with the run's size of a part, so that the copy in the folder says what was done."""
    if plan.run.part != AUTO:
        return plan
    return plan.model_copy(update={"run": plan.run.model_copy(update={"part": settings.part})})


def _move(model: AnyModel, device: str) -> None:
    if not isinstance(model, Placeable):
        raise ModelError(
            f"The model {model.name!r} cannot be moved to the device {device!r}: it has no method to(device).",
            "a model that has one",
            "Leave the device out, or create the model there: audit.model(NAME, device=DEVICE).",
        )
    model.to(device)


def _named(
    work: Work, todo: Parts, engine: EngineSettings, n_clips: int, progress: Progress | None, journal: OpenJournal
) -> dict[str, Any]:
    """As :func:`_do`, with the key of the cohort, which is made if it is needed and not there."""
    if not todo:
        return _do(work, todo, engine, n_clips, progress, journal)
    names = FaceNames(cohort_key(keys_folder(engine.keys, work.folder), work.cohort))
    pinned = pin_key(work.folder, names)
    return pinned | _do(replace(work, names=names), todo, engine, n_clips, progress, journal)


def _do(
    work: Work, todo: Parts, engine: EngineSettings, n_clips: int, progress: Progress | None, journal: OpenJournal
) -> dict[str, Any]:
    """Process all parts and record each in the journal; returns engine, seconds and counts for the manifest."""
    began = time.monotonic()
    left = todo.n_clips
    seconds, counts, two_voices = dict.fromkeys(("load", "render", "read", "write"), 0.0), Counts(), 0
    for done in _engine(work, todo, engine):
        journal.record(done.written, from_cache=done.counts.from_cache, rechecked=done.counts.rechecked)
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
        "engine": engine.model_dump(mode="json", exclude={"cache", "keys", "shared"}, exclude_none=True),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "answers": {name: count for name, count in asdict(counts).items() if name != "rechecked"},
        **({"two_voices": two_voices} if two_voices else {}),
        **({"recheck": work.recheck.result(counts.rechecked, counts.from_cache)} if work.recheck else {}),
    }


def _engine(work: Work, todo: Parts, engine: EngineSettings) -> Iterator[Done]:
    """Process the parts by the engine of the plan."""
    if not todo:
        return
    if engine.name == "ray" or engine.workers > 1:
        _refuse_memory(work)
    if engine.name == "ray":
        from audit.runs.harness.on_ray import on_ray

        yield from on_ray(work, todo, engine)
    elif engine.workers > 1:
        yield from in_processes(work, todo, engine.workers)
    else:
        with Worker(work) as worker:
            yield from worker.do(todo)


def _refuse_memory(work: Work) -> None:
    """Raise RunError if the workers' files would be in the memory of this process."""
    for path in (work.root, work.folder, work.cache):
        if path is not None and is_in_memory(path):
            raise RunError(
                f"{path} is in the memory of this process, and the workers are others.",
                "a folder, or an address that they can access",
                "Run in one process: --workers 1, without --engine ray.",
            )


def writer_of(work: Work, identity: Mapping[str, Any]) -> Writer:
    """The writer of parts: the model and the instrument, with their descriptions, and the code of all three."""
    model, instrument = (json.loads(json.dumps(identity[name])) for name in ("model", "instrument"))
    return Writer.now(
        digest_of([model, model_code(work.model)]), digest_of([instrument, instrument_code(work.instrument)])
    )


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
    """What a manifest says of an instrument; raises ModelError if it has the name of another one."""
    refuse_borrowed_name(instrument)
    return {
        "name": instrument.name,
        "similarity_models": list(instrument.similarity_models),
        **({} if (names := attribute_names(instrument)) == ALWAYS else {"attributes_read": list(names)}),
        **instrument.describe(),
    }
