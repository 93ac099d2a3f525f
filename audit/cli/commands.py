"""The verbs of the command ``audit``, but for those with a module of their own."""

from __future__ import annotations

import json
import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table as RichTable

import audit
from audit.cli.terminal import progress, rich_table, stderr, stdout

app = typer.Typer(
    help="Bias and fairness audits for models that reconstruct a face from a voice.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
cohort_app = typer.Typer(help="Make and check cohorts.", no_args_is_help=True)
app.add_typer(cohort_app, name="cohort")

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
HumanReadings = Annotated[
    Path | None, typer.Option("--human-readings", help="A filled sheet of audit sheet: what people read in the faces.")
]
ShowFaces = Annotated[bool, typer.Option("--show-faces", help="Show the faces of real people in the report.")]
ShowIds = Annotated[
    bool, typer.Option("--show-ids", help="Name speakers and clips in report and tables, not by pseudonyms.")
]
SuppressBelow = Annotated[
    int | None,
    typer.Option(
        "--suppress-below", metavar="K", min=0, max=1000, help="Leave out figures of fewer speakers; 5 is usual."
    ),
]
OUTCOME_WORDS = {
    "shown": "shown",
    "not_shown": "not shown",
    "inconclusive": "inconclusive",
    "not_evaluable": "not evaluable",
}


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    if version:
        stdout.print(audit.__version__)
        raise typer.Exit


@app.command()
def run(
    plan: Annotated[
        Path | None, typer.Argument(help="A plan (TOML). Without one: the embedded demonstration, or --cohort.")
    ] = None,
    cohort: Annotated[str | None, typer.Option(help="A cohort's folder, or the name of an embedded one.")] = None,
    model: Annotated[str | None, typer.Option(help="A model's name or module:factory; see audit list models.")] = None,
    weights: Annotated[Path | None, typer.Option(help="The model's weights.")] = None,
    engine: Annotated[Literal["local", "ray"] | None, typer.Option(help="Where the run is done.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes (ray: actors), each with its own model.")
    ] = None,
    cache: Annotated[
        str | None,
        typer.Option(help="Where renderings and readings are kept for other runs: beside the run, none, or a folder."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The run's folder; a new one under reports/ without it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For models that draw.")] = None,
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Let DeepFace fetch its own weights.")
    ] = False,
    human_readings: HumanReadings = None,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
) -> None:
    """Run a model over a cohort, measure what it made, and write the report.

    The same command again goes on where it stopped.

    Examples: [bold]audit run[/bold], [bold]audit run plan.toml[/bold],
    [bold]audit run --cohort C --model recorded -o R[/bold]
    """
    chosen = _plan(plan, cohort, model, weights, seed, allow_download)
    where = {"name": engine, "workers": workers, "cache": cache}
    place = chosen.engine.model_copy(update={key: value for key, value in where.items() if value is not None})
    reconstructor = audit.model(chosen.model.name, weights=chosen.model.weights, options=chosen.model.options)
    if (wanted := chosen.model.mitigation).names:
        voices = audit.Cohort.read(_cohort_path(wanted.cohort))
        reconstructor = audit.mitigate(
            reconstructor, wanted.names, cohort=voices, heard_only=wanted.heard_only, options=wanted.options
        )
    people = audit.Cohort.read(_cohort_path(chosen.cohort.path))
    for sentence in people.audited().set_aside:
        stderr.print(sentence, markup=False)
    instrument = audit.instrument(
        chosen.instrument.name,
        similarity=chosen.instrument.similarity,
        allow_download=chosen.instrument.allow_download,
        **chosen.instrument.options,
    )
    with progress() as bar:
        task = bar.add_task("clips", total=len(people.audited().table))
        done = audit.run(
            people,
            model=reconstructor,
            instrument=instrument,
            out=out,
            plan=chosen,
            engine=place,
            progress=lambda count, total: bar.update(task, completed=count, total=total),
        )
    if sentence := _from_cache(done.manifest.get("answers", {})):
        stderr.print(sentence, markup=False)
    _measure_and_report(done, chosen.measure, show_faces, show_ids, human_readings, suppress_below)


@app.command()
def measure(
    run: RunFolder,
    human_readings: HumanReadings = None,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
) -> None:
    """Measure a run again, without running the model, as its plan says; writes audit.json and the report."""
    _measure_and_report(
        audit.Run.read(run), _plan_of(run).measure, show_faces, show_ids, human_readings, suppress_below
    )


@app.command()
def sheet(
    run: RunFolder,
    out: Annotated[Path, typer.Option("-o", "--out", help="A new folder for the sheet.")],
    faces: Annotated[int, typer.Option(help="How many pictures, spread over groups and languages.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides which; the same seed draws the same ones.")] = 0,
) -> None:
    """Write a blind sheet on which people say what rendered faces are read as.

    Example: [bold]audit sheet R -o sheet[/bold], then [bold]audit measure R --human-readings sheet.csv[/bold]
    """
    made = audit.labelling_sheet(run, out, faces=faces, seed=seed)
    stderr.print(rich_table(f"{len(made.drawn)} faces drawn", made.strata))
    stdout.print(str(made.folder / "index.html"), markup=False)


@app.command()
def report(
    run: RunFolder,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print it to report.pdf too, by a browser of this machine.")
    ] = False,
) -> None:
    """Write the report of a measured run again."""
    from audit.report import print_pdf, write_report

    told = audit.Audit.read(run)
    if show_ids:
        told = audit.with_ids(told, audit.Run.read(run))
    page = write_report(told, run, show_faces=show_faces, show_ids=show_ids)
    stdout.print(str(print_pdf(page) if pdf else page), markup=False)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN ...", help="Runs; the first is the baseline.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The comparison's folder.")],
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else on stdout.")] = False,
) -> None:
    """Compare runs of several models on the same speakers: what changed, who gains and who pays.

    Measured as the first run's plan says. Runs that differ in more than the model are refused.

    Example: [bold]audit compare BEFORE AFTER -o COMPARISON[/bold]
    """
    from audit.comparing.page import write_comparison

    with stderr.status("comparing"):
        compared = [audit.Run.read(run) for run in runs]
        made = audit.compare(*compared, settings=_suppressing(_plan_of(runs[0]).measure, suppress_below))
        told = audit.with_ids(made, compared[0]) if show_ids else made
        path = write_comparison(told, out, runs, show_faces=show_faces, show_ids=show_ids)
    if as_json:
        sys.stdout.write(made.to_json())
        stderr.print(str(path), markup=False)
        return
    for sentence in made.sentences:
        stdout.print(sentence, markup=False)
    stdout.print(str(path), markup=False)


@app.command()
def track(
    run: RunFolder,
    store: Annotated[Path, typer.Option(help="The folder of the MLflow store.")] = Path("mlruns"),
    experiment: Annotated[str, typer.Option(help="MLflow's experiment.")] = "speech2face-audit",
    files: Annotated[list[Path] | None, typer.Option("--file", help="A further file to keep beside it.")] = None,
) -> None:
    """Log a measured run to an MLflow file store (extra mlflow): parameters, estimates, outcomes and the report.

    Example: [bold]audit track R --file decision.json[/bold], then [bold]mlflow ui[/bold]
    """
    stdout.print(audit.track(run, store=store, experiment=experiment, files=files or []), markup=False)


@app.command()
def simulate(
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="A TOML file that says what is planted.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The run's folder.")],
    seed: Annotated[int, typer.Option(help="The same truth and seed give the same run.")] = 0,
) -> None:
    """Make a run of planted truth, without voices or pictures: to plan power, and to check the statistics.

    Example: [bold]audit simulate truth.toml -o R[/bold], then [bold]audit measure R[/bold]
    """
    made = audit.simulate(truth, seed=seed, out=out)
    stderr.print(f"{made.manifest['cohort']['n_speakers']} speakers, {len(made.observations)} clips.", markup=False)
    stderr.print(f"Next: audit measure {out}", markup=False)
    stdout.print(str(out), markup=False)


@cohort_app.command("check")
def cohort_check(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A cohort's folder, or the name of an embedded one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate a cohort: strata, missing files, label sources, and the smallest difference it could detect."""
    from audit.cohort.check import check_cohort
    from audit.plan import MARGINS

    found = check_cohort(audit.Cohort.read(_cohort_path(folder)), MARGINS)
    if as_json:
        sys.stdout.write(json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n")
    else:
        stdout.print(f"{found.name}  {found.digest[:12]}", style="bold", markup=False)
        for title, frame in found.tables.items():
            stdout.print(rich_table(title, frame))
        for sentence in found.remarks:
            stdout.print(sentence, markup=False)


@app.command()
def train(
    plan: Annotated[str, typer.Argument(help="A training plan (TOML), or the name of a shipped one: train-small-gap.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The training's folder.")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; the first GPU where there is one.")] = None,
) -> None:
    """Train Speech2Face as a plan says. The same command again goes on where it stopped."""
    from audit.training import TrainPlan
    from audit.training import train as train_network

    with progress() as bar:
        task = bar.add_task("steps", total=None)
        done = train_network(
            TrainPlan.read(plan),
            out,
            device=device,
            progress=lambda stage, step, steps, _: bar.update(task, description=stage, completed=step, total=steps),
            say=lambda sentence: stderr.print(sentence, markup=False),
        )
    stdout.print(str(done.weights), markup=False)


@app.command("list")
def list_names(
    what: Annotated[
        Literal["models", "instruments", "datasets", "checks", "mitigations"], typer.Argument(help="What to list.")
    ],
) -> None:
    """List what can be named."""
    from audit import checks, datasets, instruments, mitigations, models

    names = {
        "models": models.available,
        "instruments": instruments.available,
        "datasets": lambda: datasets.available() | dict.fromkeys(datasets.embedded_names(), "embedded cohort"),
        "checks": checks.available,
        "mitigations": mitigations.available,
    }[what]()
    table = RichTable(show_header=False, box=None, pad_edge=False)
    for name, line in sorted(names.items()):
        table.add_row(f"[bold]{name}[/bold]", line)
    stdout.print(table)


def _plan(
    path: Path | None,
    cohort: str | None,
    model: str | None,
    weights: Path | None,
    seed: int | None,
    allow_download: bool,
) -> audit.Plan:
    """The plan in a file, or the default one; options given beside it stand before it."""
    if path is not None:
        chosen = audit.Plan.read(path)
    elif cohort is None and model is None:
        chosen = audit.Plan.parse(files("audit").joinpath("plans/default.toml").read_text(encoding="utf-8"))
    else:
        chosen = audit.Plan()
    sections: dict[str, Any] = chosen.model_dump()
    if cohort is not None:
        sections["cohort"] = {"path": cohort}
    if model is not None:
        sections["model"] = {"name": model, "weights": None if weights is None else str(weights)}
    elif weights is not None:
        sections["model"]["weights"] = str(weights)
    if seed is not None:
        sections["run"]["seed"] = seed
    if allow_download:
        sections["instrument"]["allow_download"] = True
    return audit.Plan.model_validate(sections)


def _plan_of(run: Path) -> audit.Plan:
    path = run / "plan.toml"
    return audit.Plan.read(path) if path.is_file() else audit.Plan()


def _cohort_path(name: str) -> Path:
    """A folder as it is named, else the embedded cohort of that name, or a part of it: synthetic_bilingual/training."""
    from audit.datasets import embedded_names

    first, _, rest = name.partition("/")
    is_embedded = not os.path.exists(name) and (not rest or first in embedded_names())  # noqa: PTH110  # Path raises at too long a name
    return audit.embedded(first) / rest if is_embedded else Path(name)


def _suppressing(settings: Any, below: int | None) -> Any:
    """How a run is measured, with what the command line says of small cells."""
    return settings if below is None else settings.model_copy(update={"suppress_below": below})


def _from_cache(answers: dict[str, int]) -> str:
    """How much the cache spared, in words; empty where it spared nothing."""
    told = [
        f"{answers[known]} of {answers[known] + answers[made]} {what}"
        for what, made, known in (("pictures", "rendered", "rendered_before"), ("readings", "read", "read_before"))
        if answers.get(known)
    ]
    return (
        f"{' and '.join(told)} were taken from the cache: the same sound, picture and weights as before."
        if told
        else ""
    )


def _measure_and_report(
    run: audit.Run,
    settings: Any,
    show_faces: bool,
    show_ids: bool,
    human_readings: Path | None,
    suppress_below: int | None,
) -> None:
    from audit.report import write_report

    assert run.folder is not None
    settings = _suppressing(settings, suppress_below)
    with stderr.status("measuring"):
        result = audit.measure(run, settings=settings, human_readings=human_readings)
        result.write(run.folder)
        told = audit.with_ids(result, run) if show_ids else result
        path = write_report(told, run.folder, show_faces=show_faces, show_ids=show_ids)
    for finding in result.findings:
        stdout.print(f"{finding.code}  {OUTCOME_WORDS[finding.outcome]:<14}{finding.sentence}", markup=False)
    stdout.print(str(path), markup=False)
