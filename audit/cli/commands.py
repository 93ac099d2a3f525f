"""The commands ``audit compare``, ``track``, ``simulate``, ``train`` and ``list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from rich.table import Table as RichTable
from typer import Argument, Option

import audit
from audit.cli.runs import measured_as, plan_of
from audit.cli.terminal import give_either, give_json, give_result, progress, say, stderr, stdout, suggest
from audit.cli.verbs import AsJson, By, OnDevice, RunFolder, ShowFaces, ShowIds, SuppressBelow
from audit.core.addresses import place

_USED: Final = {
    "models": "audit run --cohort C --model NAME -o R",
    "instruments": 'name = "NAME" in a plan\'s section [instrument], then audit run PLAN',
    "attributes": 'attributes = ["race", "gender", "age", "NAME"] in a plan\'s section [instrument.options]',
    "detectors": 'detector = "NAME" in a plan\'s section [instrument]',
    "similarity": 'similarity = ["NAME"] in a plan\'s section [instrument]',
    "datasets": "audit cohort import ADAPTER ROOT -o C, or audit run --cohort NAME --model NAME",
    "checks": "audit measure R uses the shipped ones; add others with --check NAME, or in a plan",
    "metrics": "audit measure R makes the built-in ones; add a custom metric by --metric NAME, or in a plan",
    "label_sources": "audit cohort import ADAPTER ROOT --labels-from NAME=FILE -o C",
    "language_identifiers": "audit cohort identify C --first NAME=FOLDER --second NAME=FOLDER -o NEW",
    "mitigations": 'names = ["NAME"] in a plan\'s section [model.mitigation], then audit run PLAN',
    "tables": "audit measure R, which makes the built-in ones; add a third-party table by --table NAME, or in a plan",
    "recommendations": "audit report R, which uses the shipped rules; add a third-party rule by --recommendation NAME",
}
"""How to use a name of each kind."""


def compare(
    runs: Annotated[list[Path], Argument(metavar="RUN RUN ...", help="Runs; the first is the baseline.", parser=place)],
    out: Annotated[Path, Option("-o", "--out", help="The comparison's folder.")],
    by: By = None,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs of several models on the same speakers: what changed, who gains and who pays.

    Measured as the first run's plan says. Runs that differ in more than the model are refused.

    Example: [bold]audit compare BEFORE AFTER -o COMPARISON[/bold]
    """
    from audit.core.written_files import refuse_foreign_files
    from audit.reports.comparison.page import PAGE, write_comparison
    from audit.reports.html.csv_tables import TABLES

    refuse_foreign_files(out, (PAGE, audit.Comparison.FILE), folders=(TABLES,))  # before the runs are measured
    with stderr.status("comparing"):
        compared = [audit.Run.read(run) for run in runs]
        made = audit.compare(*compared, settings=measured_as(plan_of(runs[0]).measure, suppress_below, by=by))
        shown = audit.with_ids(made, compared[0]) if show_ids else made
        path = write_comparison(shown, out, runs, show_faces=show_faces, show_ids=show_ids)
    suggest(f"read the page, then decide: audit gate {runs[-1]} --baseline {runs[0]}")
    give_result(made.sentences, path, made, as_json=as_json)


def track(
    run: RunFolder,
    store: Annotated[
        str | None,
        Option(
            "--tracking-uri",
            "--store",
            metavar="URI",
            help="A server (http://...), a database or a folder; else MLFLOW_TRACKING_URI, or sqlite:///mlflow.db.",
        ),
    ] = None,
    experiment: Annotated[str, Option(help="MLflow's experiment.")] = "speech2face-audit",
    files: Annotated[list[Path] | None, Option("--file", help="A further file to keep beside it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Log a measured run to MLflow (extra mlflow): parameters, estimates, outcomes and the report.

    The pages that show it are in the package mlflow, not in the extra.

    Examples: [bold]audit track R[/bold], [bold]audit track R --tracking-uri http://127.0.0.1:5000[/bold]
    """
    from audit.reports.tracking import tracking_uri, viewing_step

    logged = audit.track(run, store=store, experiment=experiment, files=files or [])
    address = tracking_uri(store)
    suggest(viewing_step(address))
    give_either(logged, {"mlflow_run": logged, "store": address}, as_json=as_json)


def simulate(
    truth: Annotated[Path, Argument(metavar="TRUTH", help="A TOML file that says what is planted.")],
    out: Annotated[Path, Option("-o", "--out", help="The run's folder.")],
    seed: Annotated[int, Option(help="The same truth and seed give the same run.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a run of planted truth, without voices or pictures: to plan power, and to check the statistics.

    Example: [bold]audit simulate truth.toml -o R[/bold], then [bold]audit measure R[/bold]
    """
    made = audit.simulate(truth, seed=seed, out=out)
    speakers, clips = made.manifest["cohort"]["n_speakers"], len(made.coded)
    say(f"{speakers} speakers, {clips} clips.")
    suggest(f"audit measure {out}")
    give_either(str(out), {"run": str(out), "n_speakers": speakers, "n_clips": clips}, as_json=as_json)


def train(
    plan: Annotated[str, Argument(help="A training plan (TOML), or the name of a shipped one: train-small-gap.")],
    out: Annotated[Path, Option("-o", "--out", help="The training's folder.")],
    device: OnDevice = None,
    as_json: AsJson = False,
) -> None:
    """Train Speech2Face as a plan says. The same command again goes on where it stopped.

    Example: [bold]audit train train-small-full -o T[/bold]
    """
    from audit.training import TrainPlan
    from audit.training import train as train_network

    with progress() as bar:
        task = bar.add_task("steps", total=None)
        done = train_network(
            TrainPlan.read(plan),
            out,
            device=device,
            progress=lambda stage, step, steps, _: bar.update(task, description=stage, completed=step, total=steps),
            say=say,
        )
    suggest(f"audit run --cohort C --model speech2face --weights {done.weights}")
    give_either(str(done.weights), {"weights": str(done.weights)}, as_json=as_json)


def list_names(
    what: Annotated[
        Literal[
            "models",
            "instruments",
            "attributes",
            "detectors",
            "similarity",
            "datasets",
            "label_sources",
            "language_identifiers",
            "checks",
            "metrics",
            "mitigations",
            "tables",
            "recommendations",
        ],
        Argument(help="What to list."),
    ],
    as_json: AsJson = False,
) -> None:
    """List what can be named.

    Example: [bold]audit list models[/bold]
    """
    from audit import checks, instruments, models
    from audit.audits import recommendations, tables
    from audit.checks.metrics import custom
    from audit.cohorts import identification, importing
    from audit.cohorts.importing import public_labels
    from audit.core import attributes
    from audit.instruments import detectors, similarity
    from audit.training import mitigations

    names = {
        "models": models.available,
        "instruments": instruments.available,
        "attributes": attributes.REGISTRY.available,
        "detectors": detectors.REGISTRY.available,
        "similarity": similarity.available,
        "datasets": lambda: importing.available() | dict.fromkeys(importing.embedded_names(), "embedded cohort"),
        "label_sources": public_labels.SOURCES.available,
        "language_identifiers": identification.IDENTIFIERS.available,
        "checks": checks.available,
        "metrics": custom.METRICS.available,
        "mitigations": mitigations.available,
        "tables": tables.REGISTRY.available,
        "recommendations": recommendations.REGISTRY.available,
    }[what]()
    suggest(_USED[what])
    if as_json:
        give_json(dict(sorted(names.items())))
        return
    table = RichTable(show_header=False, box=None, pad_edge=False)
    for name, line in sorted(names.items()):
        table.add_row(f"[bold]{name}[/bold]", line)
    stdout.print(table)
