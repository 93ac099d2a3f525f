"""Running a sweep: many models over one cohort, with a shared cache and instrument."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from audit.cohorts import Cohort
from audit.core.addresses import local_path
from audit.core.errors import RunError
from audit.core.plan import CohortSettings, EngineSettings, MeasureSettings, ModelSettings, Plan, RunSettings
from audit.core.written_files import refuse_foreign_files
from audit.instruments import instrument as instrument_named
from audit.instruments.protocol import Instrument
from audit.models import AnyModel
from audit.models import model as model_named
from audit.runs.harness import run as run_one
from audit.runs.run import Run
from audit.series.sweep import Sweep, swept

RUNS: Final = "runs"
"""The folder of the runs below that of the sweep."""
AskedModel = str | AnyModel | tuple[str, Mapping[str, Any]]
Progress = Callable[[int, int], None]


def sweep(
    models: Sequence[AskedModel],
    cohort: Cohort | str | Path,
    *,
    out: str | Path,
    instrument: Instrument | None = None,
    settings: MeasureSettings | None = None,
    run: RunSettings | None = None,
    engine: EngineSettings | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run many models on one cohort and put them side by side.

    Every model has its own run in ``out/runs``, which can be measured, reported and gated by itself. The runs share the
    cache ``out/runs/.audit-cache``: the portraits are read once. The same call again resumes where it stopped.

    Parameters
    ----------
    models : sequence
        Two or more models: names, as of :func:`audit.model`, models, or pairs of a name and its options, of which
        ``weights`` is passed as the model's weights. The first is the one that all others are compared with. The order
        is kept: nothing is ranked.
    cohort : Cohort or path
        The cohort, or its folder.
    out : path
        The sweep's folder.
    instrument : Instrument, optional
        Reads the faces of all models; by default ``audit.instrument()``.
    settings : MeasureSettings, optional
        Measurement settings, as in a plan's section ``measure``.
    run : RunSettings, optional
        Seed and limits of the length of clips, for all models.
    engine : EngineSettings, optional
        The engine, the number of workers, and the cache. Results do not depend on it.
    progress : callable, optional
        Called with the number of finished clips of all models and their total.

    Returns
    -------
    Sweep
        Write its page with :meth:`Sweep.write_report`.

    Raises
    ------
    RunError
        If there are fewer than two models, or a folder contains a run of another model, cohort or instrument.
    ModelError
        If a model does not exist, or cannot render the cohort.
    """
    if len(models) < 2:
        raise RunError(f"{len(models)} model was given to sweep.", "two or more, of which the first is the baseline")
    people = cohort if isinstance(cohort, Cohort) else Cohort.read(cohort)
    home = local_path(out, "The folder of a sweep")
    refuse_foreign_files(home, [Sweep.FILE])
    made = [_made(each) for each in models]  # an unknown name is reported before any model runs
    labels = labels_of([model.name for model, _ in made])
    reader, n_clips = instrument or instrument_named(), len(people.audited().table)
    runs: dict[str, Run] = {}
    for i, (label, (model, chosen)) in enumerate(zip(labels, made, strict=True)):
        plan = Plan(
            title=f"Sweep: {label}",
            cohort=CohortSettings(path=str(people.root)),
            model=chosen,
            run=run or RunSettings(),
            engine=engine or EngineSettings(),
            measure=settings or MeasureSettings(),
        )

        def count(done: int, _: int, before: int = i * n_clips) -> None:
            if progress:
                progress(before + done, len(made) * n_clips)

        folder = home / RUNS / _folder(label)
        runs[label] = run_one(people, model=model, instrument=reader, out=folder, plan=plan, progress=count)
    return swept(runs, settings=settings)


def _made(asked: AskedModel) -> tuple[AnyModel, ModelSettings]:
    """The model, and what a plan says of it."""
    if not isinstance(asked, (str, tuple)):
        return asked, ModelSettings(name=asked.name)
    name, given = (asked, {}) if isinstance(asked, str) else asked
    options = dict(given)
    weights = options.pop("weights", None)
    chosen = ModelSettings(name=name, weights=None if weights is None else str(weights), options=options)
    return model_named(name, weights=chosen.weights, options=options), chosen


def labels_of(names: Sequence[str]) -> list[str]:
    """A label for each model: its name, with the number of its occurrence from the second on."""
    counts = [names[: i + 1].count(name) for i, name in enumerate(names)]
    return [name if n == 1 else f"{name} {n}" for name, n in zip(names, counts, strict=True)]


def _folder(label: str) -> str:
    return re.sub(r"[^\w.-]+", "-", label).strip("-.") or "model"
