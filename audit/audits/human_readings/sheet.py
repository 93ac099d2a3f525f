"""Blind labelling sheets: pictures with opaque names, a page that shows them, and an empty table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.audits.human_readings.readings import NO_FACE, SHEET_COLUMNS
from audit.audits.human_readings.sample import STAGE, draw, strata_of
from audit.core.addresses import local_path
from audit.core.blind_page import CANNOT_TELL, PICTURES, BlindPage, Question
from audit.core.errors import RunError
from audit.core.files import make_folder, write_whole
from audit.core.vocabulary import RACES
from audit.runs.faces import folder_with_faces, open_face, png, recorded_face
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run

FACES_ASKED = 100
SHEET = "sheet.csv"


@dataclass(frozen=True)
class LabellingSheet:
    """A written labelling sheet.

    Attributes
    ----------
    folder : Path
        The folder with index.html, sheet.csv, README.txt and the pictures; it does not identify the speakers.
    drawn : DataFrame
        The clip of each picture, from :func:`audit.audits.human_readings.sample.draw`; do not show it to readers.
    strata : DataFrame
        group, language, speakers (the number available) and drawn.
    """

    folder: Path
    drawn: pd.DataFrame
    strata: pd.DataFrame


def labelling_sheet(run: RunLike, out: str | Path, *, faces: int = FACES_ASKED, seed: int = 0) -> LabellingSheet:
    """Write a sheet on which people label rendered faces without knowing the speakers.

    Parameters
    ----------
    run : Run, Audit or path
        A complete run that kept its faces.
    out : path
        A new or empty folder for the sheet.
    faces : int
        The number of pictures, one per speaker and language; see :func:`audit.audits.human_readings.sample.draw`.
    seed : int
        The same run, seed and number of faces give the same sheet.

    Raises
    ------
    RunError
        If the run is incomplete, kept no faces or has none that was read, if a face is missing or not the one that the
        run recorded, if the folder is not empty, or if ``faces`` is below 1.
    """
    run = as_run(run)
    if faces < 1:
        raise RunError(f"The sheet cannot have {faces} faces.", "at least 1")
    if not run.complete:
        raise RunError(
            "The run is incomplete, so a sample of its speakers cannot be drawn.",
            next_step="Finish it: repeat the same audit run command.",
        )
    drawn = draw(run, faces, seed)
    if drawn.empty:
        raise RunError("The run has no rendered face that the instrument could read.", "at least one")
    recorded = [recorded_face(clip, STAGE) for clip in drawn.to_dict("records")]
    source = folder_with_faces(run)
    if source is None or None in recorded:
        raise RunError(
            "The run did not keep its faces.",
            "a run with keep_faces = true (the default) in the section [run] of its plan",
            "Run again: audit run PLAN -o OUT.",
        )
    folder = local_path(out, "The folder of a sheet")
    if folder.is_symlink():
        raise RunError(f"{folder} is a link.", "a new folder for the sheet", "Choose another -o.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} exists and is not empty.", "a new folder for the sheet", "Choose another -o.")
    pictures = [png(open_face(source, face)) for face in recorded if face is not None]
    make_folder(folder)
    make_folder(folder / PICTURES)
    for name, data in zip(drawn["picture"], pictures, strict=True):
        write_whole(folder / PICTURES / f"{name}.png", data)
    with (folder / SHEET).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SHEET_COLUMNS)
        writer.writerows([name, "", "", "", "", "", seed, faces] for name in drawn["picture"])
    write_whole(folder / "index.html", _page(list(drawn["picture"]), seed, faces))
    write_whole(folder / "README.txt", _readme(run, len(drawn), seed, faces))
    return LabellingSheet(folder, drawn, strata_of(run, drawn))


def _page(pictures: list[str], seed: int, faces: int) -> str:
    answers = [*((race, race.replace("_", " ")) for race in RACES), (CANNOT_TELL, "cannot tell"), (NO_FACE, "no face")]
    return BlindPage(
        title="What is the face in this picture read as?",
        introduction="A rendered face has no race. Say how it strikes you, at first sight; there is no right answer. "
        "If you cannot decide, say so: that is an answer too.",
        picture="The rendered face that is asked about",
        questions=(Question("race", "I read it as", answers),),
        columns=SHEET_COLUMNS,
        file=SHEET,
        fixed={"seed": seed, "faces": faces},
        person="reader",
    ).html(pictures)


def _readme(run: Run, pictures: int, seed: int, faces: int) -> str:
    return f"""A blind labelling sheet with {pictures} rendered faces, without names.

Open index.html in a browser; it needs no network. It shows one picture after another and asks what you read the face
as. A rendered face has no race: the question is about your impression, and there is no right answer. Do not look
anything up, and do not discuss the pictures with other readers before all have finished.

At the end, save the completed table. Or fill in {SHEET} by hand: column race, with one of
    {", ".join(RACES)},
    {CANNOT_TELL}, {NO_FACE},
or nothing for a picture that you skipped. The columns gender, age and remark are for your notes. Several readers
complete one table each, with their names in the column reader; join the rows of all tables in one file.

Then: audit measure RUN --human-readings FILE

Drawn from the run {run.digest[:12]} with seed {seed}, {faces} faces requested. Without that run, the names of the
pictures have no meaning. The pictures may resemble real people: share them with readers only.
"""
