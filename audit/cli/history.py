"""The command ``audit history``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import audit
from audit.cli.runs import measured_as, plan_of
from audit.cli.terminal import give_result, stderr, suggest
from audit.cli.verbs import AsJson, By, SuppressBelow


def history(
    runs: Annotated[
        list[str],
        Argument(
            metavar="RUN RUN ...", help="Runs, the oldest release first. NAME=RUN labels one; else its folder does."
        ),
    ],
    out: Annotated[Path, Option("-o", "--out", help="The history's folder.")] = Path("reports/history"),
    by: By = None,
    suppress_below: SuppressBelow = None,
    as_json: AsJson = False,
) -> None:
    """Show the figures of a model over its releases, and mark the changes that are beyond noise.

    Measured as the first run's plan says. Where cohort, instrument or settings change, nothing is compared.

    Example: [bold]audit history 1.0=A 1.1=B 2.0=C -o HISTORY[/bold]
    """
    from audit.core.written_files import refuse_foreign_files
    from audit.reports.html.csv_tables import TABLES
    from audit.reports.series.history import PAGE, write_history

    refuse_foreign_files(out, (PAGE,), folders=(TABLES,))  # before the runs are measured
    named = [_named(text) for text in runs]
    with stderr.status("measuring"):
        read = [audit.Run.read(path) for _, path in named]
        settings = measured_as(plan_of(named[0][1]).measure, suppress_below, by=by)
        made = audit.history(read, labels=[label for label, _ in named], settings=settings)
        path = write_history(made, out)
    suggest(
        f"read the page; what a marked change means for each group: audit compare {named[-2][1]} {named[-1][1]} -o C"
    )
    give_result([*made.sentences, *(each.sentence for each in made.breaks)], path, made, as_json=as_json)


def _named(text: str) -> tuple[str | None, Path]:
    """The label and the folder of ``NAME=RUN``, or of ``RUN`` without a label."""
    label, equals, folder = text.partition("=")
    if not equals or not label or Path(text).exists():
        return None, Path(text)
    return label, Path(folder)
