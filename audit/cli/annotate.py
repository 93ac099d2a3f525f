"""The command ``audit cohort annotate``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

import audit
from audit.cli.runs import cohort_path
from audit.cli.terminal import give_either, rich_table, say, stderr, suggest
from audit.cli.verbs import AsJson
from audit.core.errors import AuditError
from audit.core.vocabulary import UNKNOWN


def cohort_annotate(
    folder: Annotated[str, Argument(metavar="DIR", help="The folder of a cohort with portraits.")],
    out: Annotated[Path, Option("-o", "--out", help="The sheet's new folder; with --answers, the new labels file.")],
    answers: Annotated[
        list[Path] | None, Option("--answers", metavar="FILE", help="A table that an annotator saved. Repeatable.")
    ] = None,
    speakers: Annotated[
        int | None, Option(metavar="N", help="Number of speakers on the sheet, drawn at random; default: all.")
    ] = None,
    seed: Annotated[int, Option(help="Seed of the sheet; with --answers, of the intervals of agreement.")] = 0,
    age: Annotated[
        bool, Option("--age", help="With --answers: give the middle of the age band as age in the labels file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let several people label the portraits of a cohort: write a blind page, then make labels of their answers.

    A label is that of more than half of the annotators who answered. Krippendorff's alpha says how far they agree.

    Examples: [bold]audit cohort annotate C -o sheet[/bold],
    [bold]audit cohort annotate C --answers ann.csv --answers ben.csv -o labels.csv[/bold]
    """
    from audit.cohorts.annotating import annotation_round, annotation_sheet
    from audit.stats import Settings

    cohort = audit.Cohort.read(cohort_path(folder))
    if answers is None:
        if age:
            raise AuditError("--age is about answers.", "--age with --answers")
        sheet = annotation_sheet(cohort, out, speakers=speakers, seed=seed)
        counts = {
            "n_portraits": len(sheet.speaker_of),
            "n_without": sheet.n_without,
            "n_unreadable": sheet.n_unreadable,
        }
        say("{n_portraits} portraits; {n_without} speakers without one, {n_unreadable} unreadable.".format(**counts))
        suggest(
            f"have two or more people fill it in, then: audit cohort annotate {folder} --answers FILE ... -o LABELS"
        )
        give_either(str(sheet.page), {"sheet": str(sheet.page), **counts}, as_json=as_json)
        return
    if speakers is not None:
        raise AuditError("--speakers is about a new sheet.", "--speakers without --answers")
    made = annotation_round(cohort, answers, age=age, settings=Settings(seed=seed))
    annotations = made.write(out)
    agreement = pd.DataFrame([{"label": name, **asdict(found)} for name, found in made.agreement.items()])
    counts = {"n_speakers": len(made.labels), "n_annotators": made.annotations["annotator"].nunique()}
    stderr.print(rich_table("Agreement: Krippendorff's alpha", agreement))
    unknown = {name: int((made.labels[name] == UNKNOWN).sum()) for name in ("group", "gender")}
    say(
        f"{counts['n_annotators']} annotators, {counts['n_speakers']} speakers; without a majority: group "
        f"{unknown['group']}, gender {unknown['gender']}."
    )
    suggest(f"audit cohort import ADAPTER ROOT --labels {out} -o DIR")
    paths = {"labels": str(out), "annotations": str(annotations)}
    alphas = {name: asdict(found) for name, found in made.agreement.items()}
    give_either(str(out), {**paths, **counts, "n_unknown": unknown, "agreement": alphas}, as_json=as_json)
