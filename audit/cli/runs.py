"""The commands ``audit run``, ``measure``, ``report`` and ``sheet``."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option

import audit
from audit.cli.engine_options import CachePlace, KeysPlace, NumCpus, NumGpus, OtherCode, RunPlace, Share, Shared
from audit.cli.terminal import give_either, give_result, progress, rich_table, say, stderr, suggest
from audit.cli.verbs import AsJson, By, FrontMatterFile, OnDevice, RunFolder, ShowFaces, ShowIds, SuppressBelow
from audit.core.addresses import place, refuse_address
from audit.core.channels import OPTION, Channel
from audit.core.errors import AuditError, PlanError
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import EngineSettings, InstrumentSettings, MeasureSettings
from audit.core.transfer import at_hand
from audit.core.typed_toml import parse_mapping

if TYPE_CHECKING:
    from audit.instruments import Instrument

HumanReadings = Annotated[
    Path | None, Option("--human-readings", help="A filled sheet of audit sheet: what people read in the faces.")
]


def run(
    plan: Annotated[
        Path | None, Argument(help="A plan (TOML). Without one: the embedded demonstration, or --cohort.")
    ] = None,
    cohort: Annotated[str | None, Option(help="A cohort's folder, or the name of an embedded one.")] = None,
    model: Annotated[str | None, Option(help="A model's name or module:factory; see audit list models.")] = None,
    weights: Annotated[Path | None, Option(help="The model's weights.")] = None,
    device: OnDevice = None,
    engine: Annotated[Literal["local", "ray"] | None, Option(help="Where the run is done.")] = None,
    workers: Annotated[int | None, Option(min=1, help="Processes (ray: actors), each with its own model.")] = None,
    num_cpus: NumCpus = None,
    num_gpus: NumGpus = None,
    cache: CachePlace = None,
    keys: KeysPlace = None,
    out: RunPlace = None,
    shared: Shared = False,
    seed: Annotated[int | None, Option(help="For models that draw.")] = None,
    channel: Annotated[
        Channel | None,
        Option(help="What the model hears of clips with two channels, such as telephone calls; mix is their average."),
    ] = None,
    allow_download: Annotated[bool, Option("--allow-download", help="Let DeepFace fetch its own weights.")] = False,
    human_readings: HumanReadings = None,
    by: By = None,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
    recheck: Share = 0.0,
    continue_with_other_code: OtherCode = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Only say what a run would do: clips, time, disk, unusable files, cache.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model over a cohort, measure what it made, and write the report.

    The same command again goes on where it stopped.

    Examples: [bold]audit run[/bold], [bold]audit run plan.toml[/bold],
    [bold]audit run --cohort C --model recorded -o R[/bold]
    """
    from audit.audits.tables import third_party
    from audit.checks import chosen as chosen_checks
    from audit.checks import margins_of
    from audit.checks.strata import Strata

    if out is not None:
        _refuse_foreign_files(out)  # before the model runs
    chosen = _plan(plan, cohort, model, weights, seed, allow_download, channel)
    asked = measured_as(chosen.measure, suppress_below, human_readings, by)
    # unknown names are reported before the model runs
    margins = margins_of(chosen_checks(asked.checks, asked.metrics), asked.margins)
    chosen = chosen.model_copy(update={"measure": asked.model_copy(update={"margins": margins})})
    where = {
        "name": engine,
        "workers": workers,
        "cache": cache,
        "keys": keys,
        "shared": shared or None,
        "num_cpus": num_cpus,
        "num_gpus": num_gpus,
    }
    place = parse_mapping(
        EngineSettings,
        chosen.engine.model_dump() | {key: value for key, value in where.items() if value is not None},
        "the engine",
        "docs/reference/plan.md",
    )
    made_of = chosen.model
    reconstructor = audit.model(made_of.name, weights=made_of.weights, options=made_of.options, device=device)
    if (wanted := chosen.model.mitigation).names:
        voices = audit.Cohort.read(cohort_path(wanted.cohort))
        reconstructor = audit.mitigate(
            reconstructor, wanted.names, cohort=voices, heard_only=wanted.heard_only, options=wanted.options
        )
    third_party(chosen.measure.tables)
    people = audit.Cohort.read(cohort_path(chosen.cohort.path))
    for grouping in asked.groupings:
        Strata(people.audited().table).by(grouping)  # an unknown column is reported before the model runs
    for sentence in (*people.remarks, *people.audited().set_aside):
        say(sentence)
    instrument = instrument_of(chosen.instrument)
    if dry_run:
        from audit.cli.dry_run import give_dry_run
        from audit.runs.harness.dry_run import dry_run as tried
        from audit.runs.harness.running import prepare

        ready = prepare(
            people, model=reconstructor, instrument=instrument, out=out, settings=chosen.run, cache=place.cache
        )
        give_dry_run(tried(ready, place.workers), as_json=as_json)
        return
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
            recheck=recheck,
            continue_with_other_code=continue_with_other_code,
        )
    if sentence := _from_cache(done.manifest.get("answers", {})):
        say(sentence)
    if n_clips := done.manifest.get("two_voices"):
        say(
            f"{n_clips} clips have two uncorrelated channels with speech, probably two speakers of a call. "
            f"The model heard their average. To hear one of them: {OPTION}."
        )
    if checked := done.manifest.get("recheck"):
        say(f"{checked['checked']} of {checked['from_cache']} answers of the cache were computed again; none differs.")
    _measure_and_report(done, chosen.measure, show_faces, show_ids, as_json)


def measure(
    run: RunFolder,
    human_readings: HumanReadings = None,
    check: Annotated[
        list[str] | None,
        Option("--check", metavar="NAME", help="A check of your own, module:function. Repeatable."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        Option("--metric", metavar="NAME", help="A custom metric, module:name. Repeatable."),
    ] = None,
    table: Annotated[
        list[str] | None,
        Option("--table", metavar="NAME", help="A third-party table, module:name. Repeatable."),
    ] = None,
    by: By = None,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    suppress_below: SuppressBelow = None,
    front_matter: FrontMatterFile = None,
    verify: Annotated[
        str | None,
        Option(
            "--verify",
            metavar="COHORT",
            help="First read all files of the run's cohort again, and stop if one is not the file that the run read.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a run again, without running the model, as its plan says; writes audit.json and the report.

    Examples: [bold]audit measure R --suppress-below 5[/bold], [bold]audit measure R --verify people[/bold]
    """
    from audit.audits.front_matter import keep_in_plan

    planned = plan_of(run).measure
    given = {"checks": tuple(check or ()), "metrics": tuple(metric or ()), "tables": tuple(table or ())}
    for kind, names in {"checks": planned.checks, "metrics": planned.metrics, "tables": planned.tables}.items():
        if unasked := [name for name in names if name not in given[kind]]:
            option = f" --{kind.removesuffix('s')} "
            raise AuditError(
                f"The plan in {run} uses third-party {kind}: {', '.join(unasked)}. Running them executes their code.",
                f"{kind} that are confirmed on the command line",
                f"If you trust them: audit measure {run}{''.join(option + name for name in names)}",
            )
    settings = measured_as(planned, suppress_below, human_readings, by).model_copy(update=given)
    found = audit.Run.read(run)
    if verify is not None:
        from audit.cli.verifying import verify_files

        verify_files(found, cohort_path(verify))
    if front_matter is not None:
        keep_in_plan(audit.FrontMatter.read(front_matter), run)
    _measure_and_report(found, settings, show_faces, show_ids, as_json)


def report(
    run: RunFolder,
    show_faces: ShowFaces = False,
    show_ids: ShowIds = False,
    sign_off: Annotated[
        Path | None,
        Option("--sign-off", metavar="FILE", help="Keep a sign-off, as the report's form saves it, and print it."),
    ] = None,
    front_matter: FrontMatterFile = None,
    recommendation: Annotated[
        list[str] | None,
        Option(
            "--recommendation", metavar="NAME", help="A third-party rule of recommendations, module:name. Repeatable."
        ),
    ] = None,
    pdf: Annotated[bool, Option("--pdf", help="Print it to report.pdf too, by a browser of this machine.")] = False,
    assets: Annotated[
        str,
        Option(
            metavar="DIR",
            help="Write style and script as files into DIR, relative to the page, for servers that forbid inline ones.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write the report of a measured run again.

    Examples: [bold]audit report R --pdf[/bold], [bold]audit report R --sign-off sign-off.json[/bold],
    [bold]audit report R --front-matter front.toml[/bold]
    """
    from audit.audits.front_matter import keep_front_matter
    from audit.reports import keep_sign_off, print_pdf, write_report

    refuse_address(run if pdf else None, "The folder of the report that is to be printed")
    front = None if front_matter is None else audit.FrontMatter.read(front_matter)
    made = audit.Audit.read(run) if front is None else keep_front_matter(front, run)
    kept = None if sign_off is None else keep_sign_off(sign_off, run)
    if kept:
        say(f"saved as {kept.name}")
    if show_ids:
        made = audit.with_ids(made, audit.Run.read(run))
    page = write_report(made, run, show_faces=show_faces, show_ids=show_ids, rules=recommendation or (), assets=assets)
    paper = print_pdf(page) if pdf else None
    suggest(f"read it, then decide: audit gate {run}")
    paths = {"report": page, "pdf": paper, "sign_off": kept}
    give_either(str(paper or page), {name: str(path) for name, path in paths.items() if path}, as_json=as_json)


def sheet(
    run: RunFolder,
    out: Annotated[Path, Option("-o", "--out", help="A new folder for the sheet.")],
    faces: Annotated[int, Option(help="How many pictures, spread over groups and languages.")] = 100,
    seed: Annotated[int, Option(help="Decides which; the same seed draws the same ones.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write a blind sheet on which people say what rendered faces are read as.

    Example: [bold]audit sheet R -o sheet[/bold], then [bold]audit measure R --human-readings sheet.csv[/bold]
    """
    made = audit.labelling_sheet(run, out, faces=faces, seed=seed)
    page = made.folder / "index.html"
    stderr.print(rich_table(f"{len(made.drawn)} faces drawn", made.strata))
    suggest(f"have people fill it in, then: audit measure {run} --human-readings FILE")
    give_either(str(page), {"sheet": str(page), "n_faces": len(made.drawn)}, as_json=as_json)


def _plan(
    path: Path | None,
    cohort: str | None,
    model: str | None,
    weights: Path | None,
    seed: int | None,
    download: bool,
    channel: Channel | None = None,
) -> audit.Plan:
    """The plan in a file, or the default one, with the options of the command line, which take precedence."""
    if path is not None:
        chosen = audit.Plan.read(path)
    elif cohort is None and model is None:
        chosen = audit.Plan.parse(files("audit.core").joinpath("plans/default.toml").read_text(encoding="utf-8"))
    else:
        chosen = audit.Plan()
    sections: dict[str, Any] = chosen.model_dump()
    if cohort is not None:
        sections["cohort"] = {"path": cohort}
    if model is not None and model != chosen.model.name:
        old = chosen.model
        settings = {"weights": old.weights, "options": old.options, "mitigations": old.mitigation.names}
        if unused := " and ".join(name for name, value in settings.items() if value):
            say(f"The plan's {unused} are for {old.name} and are not used for {model}.")
        sections["model"] = {"name": model}
    elif model is None and not chosen.names_model:
        del sections["model"]["name"]  # so that the run's plan shows that nobody named a model
    if weights is not None:
        sections["model"]["weights"] = str(weights)
    if seed is not None:
        sections["run"]["seed"] = seed
    if channel is not None:
        sections["run"]["channel"] = channel
    if download:
        sections["instrument"]["allow_download"] = True
    return audit.Plan.model_validate(sections)


def plan_of(run: Path) -> audit.Plan:
    """The plan in a run's folder, or the default one."""
    return audit.Plan.read(path) if at_hand(path := run / "plan.toml").is_file() else audit.Plan()


def instrument_of(settings: InstrumentSettings, device: str | None = None) -> Instrument:
    """The instrument of a plan, on another device if one is given."""
    options: dict[str, Any] = settings.options | ({} if device is None else {"device": device})
    return audit.instrument(
        settings.name, similarity=settings.similarity, allow_download=settings.allow_download, **options
    )


def cohort_path(name: str) -> Path:
    """The folder with this name, or the embedded cohort or a part of one: synthetic_bilingual/training."""
    from audit.cohorts.importing import embedded_names

    first, _, rest = name.partition("/")
    is_embedded = not os.path.exists(name) and (not rest or first in embedded_names())  # noqa: PTH110  # Path raises at too long a name
    return audit.embedded(first) / rest if is_embedded else place(name)


def measured_as(
    settings: MeasureSettings,
    below: int | None,
    human_readings: Path | None = None,
    by: Sequence[str] | None = None,
) -> MeasureSettings:
    """The settings with the options of the command line; the path of the human readings becomes absolute."""
    given: dict[str, object] = {} if below is None else {"suppress_below": below}
    if human_readings is not None:
        given["human_readings"] = os.path.realpath(human_readings)
    if by:
        given["group_by"] = tuple(dict.fromkeys((*settings.group_by, *(grouping.name for grouping in groupings(by)))))
    return settings.model_copy(update=given)


def groupings(by: Sequence[str] | None) -> list[Grouping]:
    """The groupings that the command line names; raises PlanError if one is not valid."""
    try:
        return [Grouping.parse(text) for text in by or ()]
    except ValueError as error:
        raise PlanError(f"--by: {error}.") from error


def _from_cache(answers: dict[str, int]) -> str:
    """What was taken from the cache, in words; empty if nothing was."""
    parts = [
        f"{answers[known]} of {answers[known] + answers[made]} {what}"
        for what, made, known in (("pictures", "rendered", "rendered_before"), ("readings", "read", "read_before"))
        if answers.get(known)
    ]
    unchanged = "were taken from the cache: the audio, pictures and weights are unchanged."
    return f"{' and '.join(parts)} {unchanged}" if parts else ""


def _refuse_foreign_files(folder: Path) -> None:
    """Raise if audit.json or the report would overwrite a file that this tool did not write."""
    from audit.audits.audit import Audit
    from audit.core.written_files import refuse_foreign_files
    from audit.reports.html.csv_tables import TABLES
    from audit.reports.report.page import CARD, FIGURES, PAGE

    refuse_foreign_files(folder, (Audit.FILE, PAGE, CARD), folders=(TABLES, FIGURES))


def _by(finding: audit.Finding) -> str:
    """The grouping of a finding before its sentence, if it is not ``group``."""
    return "" if finding.grouping == GROUP.name else f"By {finding.grouping}: "


def _measure_and_report(
    run: audit.Run, settings: MeasureSettings, show_faces: bool, show_ids: bool, as_json: bool
) -> None:
    from audit.audits.tables.your_files import sentence_about_files
    from audit.reports import outcome_table, write_report

    gc.freeze()  # modules stay loaded: garbage collection need not look at them again
    assert run.folder is not None
    _refuse_foreign_files(run.folder)
    with stderr.status("measuring"):
        result = audit.measure(run, settings=settings)
        result.write(run.folder)
        shown = audit.with_ids(result, run) if show_ids else result
        path = write_report(shown, run.folder, show_faces=show_faces, show_ids=show_ids)
    suggest(f"read the report, then decide: audit gate {run.folder}")
    lines = [f"{each.code}  {each.outcome.replace('_', ' '):<14}{_by(each)}{each.sentence}" for each in result.findings]
    lines += filter(None, [sentence_about_files(run.coded)])
    give_result([*lines, rich_table("Summary", outcome_table(shown))], path, result, as_json=as_json)
