"""The command ``audit sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import audit
from audit.cli.runs import cohort_path, instrument_of, measured_as
from audit.cli.terminal import give_result, progress, stderr, suggest
from audit.cli.verbs import AsJson, By, SuppressBelow


def sweep(
    models: Annotated[str, Option(help="Names of models, separated by commas; the first is the baseline.")],
    out: Annotated[Path, Option("-o", "--out", help="The sweep's folder.")],
    plan: Annotated[Path | None, Argument(help="A plan (TOML), of which all but the model is used.")] = None,
    cohort: Annotated[str | None, Option(help="A cohort's folder, or the name of an embedded one.")] = None,
    by: By = None,
    suppress_below: SuppressBelow = None,
    as_json: AsJson = False,
) -> None:
    """Run several models on one cohort and put them side by side: which can be told apart, and for whom.

    Portraits are read once. The same command again goes on where it stopped.

    Example: [bold]audit sweep --models speech2face-small-gap,speech2face-small-full -o S[/bold]
    """
    from audit.core.written_files import refuse_foreign_files
    from audit.reports.html.csv_tables import TABLES
    from audit.reports.series.sweep import PAGE, write_sweep

    refuse_foreign_files(out, (PAGE,), folders=(TABLES,))  # before a model runs
    chosen = audit.Plan() if plan is None else audit.Plan.read(plan)
    with progress() as bar:
        task = bar.add_task("clips", total=None)
        made = audit.sweep(
            [name.strip() for name in models.split(",") if name.strip()],
            cohort_path(cohort or chosen.cohort.path),
            out=out,
            instrument=instrument_of(chosen.instrument),
            settings=measured_as(chosen.measure, suppress_below, by=by),
            run=chosen.run,
            engine=chosen.engine,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    with stderr.status("writing the page"):
        path = write_sweep(made, out)
    suggest(f"the report of one model: audit measure {out}/runs/MODEL")
    give_result(made.sentences, path, made, as_json=as_json)
