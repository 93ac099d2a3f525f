"""The command ``audit probe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

import audit
from audit.cli.terminal import give_result, progress, stderr, suggest
from audit.cli.verbs import AsJson, OnDevice
from audit.core.plan import SIMILARITY


def probe(
    model: Annotated[str, Option(help="A model's name or module:factory; see audit list models.")],
    out: Annotated[Path, Option("-o", "--out", help="The probe's folder.")],
    weights: Annotated[Path | None, Option(help="The model's weights.")] = None,
    device: OnDevice = None,
    voices: Annotated[
        int | None, Option(min=1, help="So many voices, spread over groups, sexes and languages; all without it.")
    ] = None,
    seed: Annotated[int, Option(help="Decides which voices, and all random numbers.")] = 0,
    instrument: Annotated[str, Option(help="What reads the faces; see audit list instruments.")] = "auto",
    cache: Annotated[
        str, Option(help="Where renderings and readings are kept: beside the folder, none, or a folder.")
    ] = "beside",
    as_json: AsJson = False,
) -> None:
    """Ask a model what changes in its faces when only the language, pitch, length or channel of a voice changes.

    The embedded fictional voices are asked: no data of your own is needed.

    Example: [bold]audit probe --model speech2face-small-gap --voices 32 -o P[/bold]
    """
    from audit.core.written_files import refuse_foreign_files
    from audit.instruments.registry import INSTRUMENTS
    from audit.reports.html.csv_tables import TABLES
    from audit.reports.probe.page import PAGE, write_probe

    refuse_foreign_files(out, (PAGE,), folders=(TABLES,))  # before the model runs
    # third-party instruments may not take this option
    one_feature: dict[str, Any] = {"similarity": SIMILARITY[:1]} if instrument in INSTRUMENTS.shipped else {}
    with progress() as bar:
        task = bar.add_task("faces", total=None)
        made = audit.probe(
            audit.model(model, weights=weights, device=device),
            instrument=audit.instrument(instrument, **one_feature),
            voices=voices,
            seed=seed,
            out=out,
            cache=cache,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    with stderr.status("writing the page"):
        path = write_probe(made, out)
    suggest(f"audit run --cohort C --model {model}, with voices of real people")
    lines = [f"{each.code:<20}{each.outcome.replace('_', ' '):<14}{each.sentence}" for each in made.findings]
    give_result(lines, path, made, as_json=as_json)
