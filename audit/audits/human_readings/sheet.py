"""The blind labelling sheet: pictures under opaque names, a page that shows them, and an empty table to fill."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from audit.audits.human_readings.readings import CANNOT_TELL, NO_FACE, SHEET_COLUMNS
from audit.audits.human_readings.sample import draw, strata_of
from audit.core.errors import RunError
from audit.core.files import write_whole
from audit.core.vocabulary import RACES
from audit.runs.run import FACES, Run

FACES_ASKED = 100
PICTURES = "pictures"
SHEET = "sheet.csv"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class LabellingSheet:
    """A sheet that was written.

    Attributes
    ----------
    folder : Path
        Holds index.html, sheet.csv, README.txt and the pictures; nothing in it says whose face a picture is.
    drawn : DataFrame
        Which clip each picture is, from :func:`audit.audits.human_readings.sample.draw`; not for readers' eyes.
    strata : DataFrame
        group, language, speakers (who could be drawn) and drawn.
    """

    folder: Path
    drawn: pd.DataFrame
    strata: pd.DataFrame


def labelling_sheet(
    run: Run | str | Path, out: str | Path, *, faces: int = FACES_ASKED, seed: int = 0
) -> LabellingSheet:
    """Write a sheet on which people say what rendered faces are read as, without knowing whose they are.

    Parameters
    ----------
    run : Run or path
        A complete run that kept its faces.
    out : path
        A new or empty folder for the sheet.
    faces : int
        How many pictures, one a speaker and language; see :func:`audit.audits.human_readings.sample.draw`.
    seed : int
        The same run, seed and number of faces give the same sheet.

    Returns
    -------
    LabellingSheet
        Where it is and what was drawn.

    Raises
    ------
    RunError
        If the run is incomplete, kept no faces or has none that was read, if the folder holds anything, or if ``faces``
        is below 1.
    """
    run = run if isinstance(run, Run) else Run.read(run)
    if faces < 1:
        raise RunError(f"A sheet of {faces} faces was asked for.", "at least 1")
    if not run.complete:
        raise RunError(
            "The run is incomplete, so that its speakers cannot be drawn from.",
            next_step="Finish it: the same audit run command again.",
        )
    drawn = draw(run, faces, seed)
    if drawn.empty:
        raise RunError("The run holds no rendered face that the instrument could read.", "at least one")
    kept = None if run.folder is None else run.folder / FACES
    if kept is None or not all((kept / f"{face}.png").is_file() for face in drawn["rendered_face"]):
        raise RunError(
            "The run did not keep its faces, or not all of them are in its folder any more.",
            "a run whose plan says keep_faces = true (the default) under [run]",
            "Run again with it: audit run PLAN -o OUT.",
        )
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} is there already and not empty.", "a new folder for the sheet", "Choose another -o.")
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    for name, face in zip(drawn["picture"], drawn["rendered_face"], strict=True):
        shutil.copyfile(kept / f"{face}.png", folder / PICTURES / f"{name}.png")
    with (folder / SHEET).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SHEET_COLUMNS)
        writer.writerows([name, "", "", "", "", "", seed, faces] for name in drawn["picture"])
    write_whole(folder / "index.html", _page(list(drawn["picture"]), seed, faces))
    write_whole(folder / "README.txt", _readme(run, len(drawn), seed, faces))
    return LabellingSheet(folder, drawn, strata_of(run, drawn))


def _page(pictures: list[str], seed: int, faces: int) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    answers = [*((race, race.replace("_", " ")) for race in RACES), (CANNOT_TELL, "cannot tell"), (NO_FACE, "no face")]
    return environment.get_template("page.html.jinja").render(
        answers=answers,
        sheet={
            "pictures": pictures,
            "folder": PICTURES,
            "columns": SHEET_COLUMNS,
            "seed": seed,
            "faces": faces,
            "file": SHEET,
        },
    )


def _readme(run: Run, pictures: int, seed: int, faces: int) -> str:
    return f"""A blind labelling sheet: {pictures} rendered faces, nobody's names.

Open index.html in a browser; it needs no network. It shows one picture after another and asks what the face is read
as. A rendered face has no race: the question is how it strikes you, and there is no right answer. Do not look anything
up, and do not talk about the pictures with other readers before all have finished.

At the end, save the filled table. Or write it by hand: {SHEET}, column race, with one of
    {", ".join(RACES)},
    {CANNOT_TELL}, {NO_FACE},
or nothing for a picture that you did not read. The columns gender, age and remark are for your own notes. Several
readers send a table each, with their names in the column reader; put the rows of all tables below one another in one
file.

Then: audit measure RUN --human-readings FILE

Drawn from the run {run.digest[:12]} with seed {seed}, {faces} faces asked for. The pictures' names say nothing without
that run. They may resemble real people: pass them on to readers only.
"""
