"""The command ``audit cohort identify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import audit
from audit.cli.runs import cohort_path
from audit.cli.terminal import give_either, progress, say, suggest
from audit.cli.verbs import AsJson


def cohort_identify(
    folder: Annotated[str, Argument(metavar="DIR", help="A cohort's folder, or the name of an embedded one.")],
    out: Annotated[Path, Option("-o", "--out", help="The new cohort's folder; that of an interrupted one resumes it.")],
    first: Annotated[
        str, Option(metavar="NAME=FOLDER", help="The first identifier, and the folder of its weights.")
    ] = "faster_whisper",
    second: Annotated[
        str, Option(metavar="NAME=FOLDER", help="The second identifier, and the folder of its weights.")
    ] = "voxlingua107",
    threshold: Annotated[float, Option(help="The smallest probability, of both, at which a language counts.")] = 0.8,
    every_clip: Annotated[
        bool, Option("--all", help="Identify clips that have a language too; their label is kept.")
    ] = False,
    allow_download: Annotated[
        bool, Option("--allow-download", help="Download weights where no folder is given; then a name may replace it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Identify the languages of clips that have none: a new cohort, with labels where two identifiers agree.

    Accented English is what identifiers mistake most: read the counts by group (docs/guide/identify.md).

    Example: [bold]audit cohort identify C --first faster_whisper=W --second voxlingua107=V -o NEW[/bold]
    """
    from audit.cohorts.identification import load_identifier

    one, other = (load_identifier(text, allow_download=allow_download) for text in (first, second))
    with progress() as bar:
        task = bar.add_task("files", total=None)
        made, sentences = audit.identify_cohort(
            cohort_path(folder),
            out,
            one,
            other,
            threshold=threshold,
            every_clip=every_clip,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    for sentence in sentences:
        say(sentence)
    suggest(f"audit cohort check {out}")
    counts = made.clips["identification"].value_counts()
    document = {"cohort": str(out), "n_clips": len(made.clips), **{str(name): int(n) for name, n in counts.items()}}
    give_either(str(out), document, as_json=as_json)
