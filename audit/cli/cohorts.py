"""The commands ``audit cohort import``, ``audit cohort check`` and ``audit cohort labels``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import audit
from audit.cli.runs import cohort_path
from audit.cli.terminal import give, give_either, give_json, rich_table, say, stderr, stdout, suggest
from audit.cli.verbs import AsJson, By
from audit.core.errors import AuditError

AdapterName = Annotated[str, Argument(metavar="ADAPTER", help="The data set's adapter; see audit list datasets.")]
Root = Annotated[Path, Argument(metavar="ROOT", help="The download as it lies on disk.")]
_OPTION_HELP = "An option of the adapter's own; see its data card. Repeatable."
Options = Annotated[list[str] | None, Option("--option", metavar="NAME=VALUE", help=_OPTION_HELP)]
Variant = Annotated[
    str | None, Option(help="Which of the data set's variants, where it has several: --option variant=...")
]


def cohort_import(
    adapter: AdapterName,
    root: Root,
    out: Annotated[Path, Option("-o", "--out", help="The new cohort's folder.")],
    labels: Annotated[Path | None, Option(help="A CSV of labels that the data set lacks, with their sources.")] = None,
    portraits: Annotated[
        Path | None, Option(help="A folder with a folder of pictures for each speaker, by id or name.")
    ] = None,
    language: Annotated[
        str | None, Option(help="A BCP-47 code to assume where nobody says the language; said in every report.")
    ] = None,
    group_from_nationality: Annotated[
        Path | None,
        Option(help="A CSV (nationality, group) of yours to infer groups by; said in every report."),
    ] = None,
    clip_seconds: Annotated[
        float | None, Option(help="Only clips at least so long: 6 as Speech2Face is trained, or 3.")
    ] = None,
    clips_per_speaker: Annotated[
        int | None, Option(help="At most this many clips of each speaker in each language, drawn by the seed.")
    ] = None,
    join: Annotated[
        bool, Option("--join", help="Join shorter clips of one speaker and language to --clip-seconds.")
    ] = False,
    seed: Annotated[int, Option(help="Decides which portraits, clips and speakers are drawn.")] = 0,
    variant: Variant = None,
    option: Options = None,
    labels_from: Annotated[
        list[str] | None,
        Option("--labels-from", metavar="SOURCE=FILE", help="A published label file: vgg1200, bob, vmer. Repeatable."),
    ] = None,
    language_list: Annotated[
        list[str] | None,
        Option("--language-list", metavar="CODE=FILE", help="A published list of the clips in a language. Repeatable."),
    ] = None,
    pairs_only: Annotated[
        bool, Option("--pairs-only", help="Only speakers with two videos in English and two in another language.")
    ] = False,
    undetermined: Annotated[
        bool, Option("--undetermined", help="With --pairs-only: count undetermined languages as another language.")
    ] = False,
    speakers_per_group: Annotated[
        int | None, Option(help="At most this many speakers of each group, drawn by the seed, balanced by gender.")
    ] = None,
    copy: Annotated[bool, Option("--copy", help="Copy the files instead of linking to the download.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a download into a cohort. The cohort links to the download's files.

    Examples: [bold]audit cohort import speech2face_released PAGE -o C[/bold],
    [bold]audit cohort import voxceleb1 VOX1 --labels labels.csv --portraits FACES --clip-seconds 6 -o C[/bold]
    """
    with stderr.status("reading the download"):
        made, notes = audit.import_cohort(
            adapter,
            root,
            out,
            labels=labels,
            labels_from=_files(labels_from, "vgg1200=FILE"),
            language_lists=_files(language_list, "en=vox-en.id.gz"),
            copy=copy,
            portraits=portraits,
            language=language,
            group_from_nationality=group_from_nationality,
            clip_seconds=clip_seconds,
            clips_per_speaker=clips_per_speaker,
            join=join,
            pairs_only=pairs_only,
            undetermined=undetermined,
            speakers_per_group=speakers_per_group,
            seed=seed,
            **_options(option, variant),
        )
    speakers, clips = len(made.speakers), len(made.clips)
    for note in (*notes, f"{speakers} speakers, {clips} clips."):
        say(note)
    suggest(f"audit cohort check {out}")
    document = {"cohort": str(out), "n_speakers": speakers, "n_clips": clips, "remarks": notes}
    give_either(str(out), document, as_json=as_json)


def cohort_check(
    folder: Annotated[str, Argument(metavar="DIR", help="A cohort's folder, or the name of an embedded one.")],
    policy: Annotated[
        str | None,
        Option(metavar="FILE", help="Plan for the gate with this policy (TOML); default for the shipped one."),
    ] = None,
    base_rate: Annotated[
        float, Option(min=0, max=0.5, help="With --policy: the rate of errors where there is no effect.")
    ] = 0.05,
    icc: Annotated[
        float, Option(min=0, max=1, help="With --policy: intra-class correlation of a speaker's clips.")
    ] = 0.3,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Validate a cohort: strata, missing files, label sources, and the smallest difference it could detect.

    With a policy also, for each rule and for all: the chances that [bold]audit gate[/bold] exits with 0 (pass), 10
    (breach) and 11 (inconclusive) at stated true values, and the number of speakers that a pass needs.

    Examples: [bold]audit cohort check C[/bold], [bold]audit cohort check C --policy policy.toml[/bold]
    """
    from audit.audits.cohort_check import check_cohort
    from audit.cli.plans import give_plan
    from audit.cli.runs import groupings
    from audit.core.grouping import GROUP
    from audit.release import Assumptions, Policy, plan_policy

    terms = None if policy is None else Policy.default() if policy == "default" else Policy.read(policy)
    cohort = audit.Cohort.read(cohort_path(folder))
    found, plan = check_cohort(cohort, groupings=(GROUP, *groupings(by))), None
    if terms is not None:
        with stderr.status("simulating the policy's figures"):
            plan = plan_policy(terms, cohort.audited().table, Assumptions(base_rate=base_rate, icc=icc))
    suggest(f"audit run --cohort {folder} --model NAME -o RUN")
    if as_json:
        give_json(found.as_dict() | ({} if plan is None else {"plan": asdict(plan)}))
        return
    stdout.print(f"{found.name}  {found.digest[:12]}", style="bold", markup=False)
    for title, frame in found.tables.items():
        stdout.print(rich_table(title, frame))
    for sentence in found.notes:
        give(sentence)
    if plan is not None:
        give_plan(plan)


def cohort_labels(
    adapter: AdapterName,
    root: Root,
    out: Annotated[Path | None, Option("-o", "--out", help="Write a template: a new CSV to fill in.")] = None,
    check: Annotated[Path | None, Option("--check", help="Validate a filled one.")] = None,
    variant: Variant = None,
    option: Options = None,
    as_json: AsJson = False,
) -> None:
    """Write a labels file to fill in, with a row for every speaker of a download, or validate a filled one.

    Examples: [bold]audit cohort labels voxceleb1 VOX1 -o labels.csv[/bold],
    [bold]audit cohort labels voxceleb1 VOX1 --check labels.csv[/bold]
    """
    from audit.cohorts.importing import check_labels, labels_template

    if (out is None) == (check is None):
        raise AuditError("Pass either -o or --check.", "-o FILE to write a template, or --check FILE")
    options = _options(option, variant)
    if out is not None:
        table = labels_template(adapter, root, out, **options)
        empty = {label: int((table[label] == "").sum()) for label in ("group", "gender", "language")}
        if not as_json:
            say(f"{len(table)} speakers; empty: {', '.join(f'{label} {n}' for label, n in empty.items())}.")
            suggest(f"fill it in, then audit cohort labels {adapter} {root} --check {out}")
        give_either(str(out), {"path": str(out), "n_speakers": len(table), "n_empty": empty}, as_json=as_json)
        return
    assert check is not None
    found = check_labels(adapter, root, check, **options)
    if as_json:
        give_json(found.as_dict())
        return
    stdout.print(rich_table("Label coverage", found.coverage))
    for note in found.remarks:
        say(note)
    suggest(f"audit cohort import {adapter} {root} --labels {check} -o DIR")


def _files(given: list[str] | None, example: str) -> list[tuple[str, Path]]:
    """Names with a file each, as NAME=FILE."""
    found = []
    for text in given or []:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise AuditError(f"{text!r} is not NAME=FILE.", f"for example {example}")
        found.append((name, Path(path)))
    return found


def _options(given: list[str] | None, variant: str | None) -> dict[str, str]:
    options = {} if variant is None else {"variant": variant}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise AuditError(f"The option {text!r} is not NAME=VALUE.", "for example --option table=train")
        options[name] = value
    return options
