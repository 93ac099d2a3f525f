"""The command ``audit cohort draw``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from typer import Option

import audit
from audit.cli.terminal import give_either, progress, say, suggest
from audit.cli.verbs import AsJson


def cohort_draw(
    out: Annotated[Path, Option("-o", "--out", help="The cohort's folder; that of an interrupted draw continues it.")],
    speakers: Annotated[int, Option(metavar="N", help="Speakers in each group, an even number: half women, half men.")],
    languages: Annotated[
        str, Option(help="en and at least one of zh, es. Each speaker speaks English and one other.")
    ] = "en,zh,es",
    seed: Annotated[
        str | None,
        Option(
            metavar="SECRET",
            envvar="AUDIT_DRAW_SEED",
            help="Any text; written nowhere. Without it one is made and shown once. The variable keeps it out of the "
            "shell's history.",
        ),
    ] = None,
    clips: Annotated[int, Option(metavar="K", help="Clips of each speaker in each language.")] = 1,
    parts: Annotated[
        Path | None,
        Option(metavar="DIR", help="The downloaded parts of the synthesiser, for new speech; see docs/guide/draw.md."),
    ] = None,
    groups: Annotated[str, Option(help="Which groups.")] = "asian,indian,black,white",
    accents: Annotated[
        str,
        Option(
            metavar="LIST",
            help="Of zh, es, hi, with --parts: each speaker's first English clip again with a crude accent, for audit "
            "probe. zh and es for speakers of these languages, hi for all.",
        ),
    ] = "",
    workers: Annotated[int, Option(metavar="N", min=1, help="Processes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Draw a cohort of new fictional speakers, which no model has been tuned to.

    The same seed and settings give the same cohort. The same command again goes on where it stopped.

    Examples: [bold]audit cohort draw --speakers 40 -o drawn[/bold],
    [bold]audit cohort draw --speakers 40 --parts PARTS --workers 2 -o drawn[/bold]
    """
    began: list[tuple[float, int]] = []
    with progress() as bar:
        task = bar.add_task("speakers", total=None)

        def report(done: int, of: int) -> None:
            began.append((time.monotonic(), done))
            bar.update(task, completed=done, total=of)

        made = audit.draw_cohort(
            out,
            speakers,
            languages=_listed(languages),
            seed=seed,
            clips=clips,
            parts=parts,
            groups=_listed(groups),
            accents=_listed(accents),
            workers=workers,
            progress=report,
        )
    (start, before), (end, after) = began[0], began[-1]
    drawn, n_clips = after - before, len(made.clips)
    pace = f" {drawn} drawn now, {(end - start) / drawn:.1f} s each." if drawn else " Nothing was left to draw."
    say(f"{len(made.speakers)} speakers, {n_clips} clips.{pace}")
    suggest(f"audit cohort check {out}")
    document = {"cohort": str(out), "n_speakers": len(made.speakers), "n_clips": n_clips}
    give_either(str(out), document, as_json=as_json)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
