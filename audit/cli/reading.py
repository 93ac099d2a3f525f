"""The command ``audit read``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

import audit
from audit.cli.runs import instrument_of, plan_of
from audit.cli.terminal import give_either, progress, suggest
from audit.cli.verbs import AsJson, OnDevice, RunFolder
from audit.core.addresses import place
from audit.core.plan import InstrumentSettings


def read(
    run: RunFolder,
    out: Annotated[
        Path, Option("-o", "--out", metavar="<path>", help="A new folder for the run as it is read now.", parser=place)
    ],
    plan: Annotated[
        Path | None,
        Option("--plan", help="A plan whose section [instrument] reads; the default instrument without it."),
    ] = None,
    name: Annotated[
        str | None, Option("--instrument", help="An instrument's name; see audit list instruments.")
    ] = None,
    allow_download: Annotated[bool, Option("--allow-download", help="Let DeepFace fetch its own weights.")] = False,
    device: OnDevice = None,
    as_json: AsJson = False,
) -> None:
    """Read the kept faces of a run with another instrument, without running the model.

    A stored baseline stays comparable with new runs when the instrument changes.

    Example: [bold]audit read R -o NEW[/bold], then [bold]audit measure NEW[/bold]
    """
    settings = InstrumentSettings() if plan is None else audit.Plan.read(plan).instrument
    given = {"name": name, "allow_download": allow_download or None}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})
    found = audit.Run.read(run)
    instrument = instrument_of(settings, device)
    with progress() as bar:
        task = bar.add_task("clips", total=len(found.coded))
        made = audit.read_again(
            found,
            instrument=instrument,
            out=out,
            plan=plan_of(run).model_copy(update={"instrument": settings}),
            progress=lambda count, total: bar.update(task, completed=count, total=total),
        )
    suggest(f"audit measure {out}")
    give_either(str(out), {"run": str(out), "n_clips": len(made.coded)}, as_json=as_json)
