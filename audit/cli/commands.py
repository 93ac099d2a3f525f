"""The verbs that stand beside a run: comparing, tracking, planting truth, training, listing, checking a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.table import Table as RichTable

import audit
from audit.cli.runs import cohort_path, plan_of, suppressing
from audit.cli.terminal import give, give_json, give_text, progress, rich_table, say, stderr, stdout, suggest
from audit.cli.verbs import AsJson, RunFolder, ShowFaces, ShowIds, SuppressBelow

_USED: Final = {
    "models": "audit run --cohort C --model NAME -o R",
    "instruments": 'name = "NAME" in a plan\'s section [instrument], then audit run PLAN',
    "datasets": "audit cohort import ADAPTER ROOT -o C, or audit run --cohort NAME --model NAME",
    "checks": "audit measure R, which makes those that ship; another is named by --check NAME, or in a plan",
    "mitigations": 'names = ["NAME"] in a plan\'s section [model.mitigation], then audit run PLAN',
}
"""What people do with a name of each kind."""


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN ...", help="Runs; the first is the baseline.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The comparison's folder.")],
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs of several models on the same speakers: what changed, who gains and who pays.

    Measured as the first run's plan says. Runs that differ in more than the model are refused.

    Example: [bold]audit compare BEFORE AFTER -o COMPARISON[/bold]
    """
    from audit.comparing.page import write_comparison

    with stderr.status("comparing"):
        compared = [audit.Run.read(run) for run in runs]
        made = audit.compare(*compared, settings=suppressing(plan_of(runs[0]).measure, suppress_below))
        told = audit.with_ids(made, compared[0]) if show_ids else made
        path = write_comparison(told, out, runs, show_faces=show_faces, show_ids=show_ids)
    suggest(f"read the page, then decide: audit gate {runs[-1]} --baseline {runs[0]}")
    if as_json:
        give_text(made.to_json())
        say(str(path))
        return
    for sentence in made.sentences:
        give(sentence)
    give(str(path))


def track(
    run: RunFolder,
    store: Annotated[Path, typer.Option(help="The folder of the MLflow store.")] = Path("mlruns"),
    experiment: Annotated[str, typer.Option(help="MLflow's experiment.")] = "speech2face-audit",
    files: Annotated[list[Path] | None, typer.Option("--file", help="A further file to keep beside it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Log a measured run to an MLflow file store (extra mlflow): parameters, estimates, outcomes and the report.

    Example: [bold]audit track R --file decision.json[/bold], then [bold]mlflow ui[/bold]
    """
    logged = audit.track(run, store=store, experiment=experiment, files=files or [])
    suggest(f"mlflow ui --backend-store-uri {store}")
    if as_json:
        give_json({"mlflow_run": logged, "store": str(store)})
    else:
        give(logged)


def simulate(
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="A TOML file that says what is planted.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The run's folder.")],
    seed: Annotated[int, typer.Option(help="The same truth and seed give the same run.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a run of planted truth, without voices or pictures: to plan power, and to check the statistics.

    Example: [bold]audit simulate truth.toml -o R[/bold], then [bold]audit measure R[/bold]
    """
    made = audit.simulate(truth, seed=seed, out=out)
    speakers, clips = made.manifest["cohort"]["n_speakers"], len(made.observations)
    say(f"{speakers} speakers, {clips} clips.")
    suggest(f"audit measure {out}")
    if as_json:
        give_json({"run": str(out), "n_speakers": speakers, "n_clips": clips})
    else:
        give(str(out))


def cohort_check(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A cohort's folder, or the name of an embedded one.")],
    as_json: AsJson = False,
) -> None:
    """Validate a cohort: strata, missing files, label sources, and the smallest difference it could detect.

    Example: [bold]audit cohort check C[/bold]
    """
    from audit.cohort.check import check_cohort
    from audit.plan import MARGINS

    found = check_cohort(audit.Cohort.read(cohort_path(folder)), MARGINS)
    suggest(f"audit run --cohort {folder} --model NAME -o RUN")
    if as_json:
        give_json(found.as_dict())
        return
    stdout.print(f"{found.name}  {found.digest[:12]}", style="bold", markup=False)
    for title, frame in found.tables.items():
        stdout.print(rich_table(title, frame))
    for sentence in found.remarks:
        give(sentence)


def train(
    plan: Annotated[str, typer.Argument(help="A training plan (TOML), or the name of a shipped one: train-small-gap.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The training's folder.")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; the first GPU where there is one.")] = None,
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
    if as_json:
        give_json({"weights": str(done.weights)})
    else:
        give(str(done.weights))


def list_names(
    what: Annotated[
        Literal["models", "instruments", "datasets", "checks", "mitigations"], typer.Argument(help="What to list.")
    ],
    as_json: AsJson = False,
) -> None:
    """List what can be named.

    Example: [bold]audit list models[/bold]
    """
    from audit import checks, datasets, instruments, mitigations, models

    names = {
        "models": models.available,
        "instruments": instruments.available,
        "datasets": lambda: datasets.available() | dict.fromkeys(datasets.embedded_names(), "embedded cohort"),
        "checks": checks.available,
        "mitigations": mitigations.available,
    }[what]()
    suggest(_USED[what])
    if as_json:
        give_json(dict(sorted(names.items())))
        return
    table = RichTable(show_header=False, box=None, pad_edge=False)
    for name, line in sorted(names.items()):
        table.add_row(f"[bold]{name}[/bold]", line)
    stdout.print(table)
