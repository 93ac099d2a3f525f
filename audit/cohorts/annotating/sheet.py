"""The blind page on which annotators label portraits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.cohorts.cohort import Cohort
from audit.core.blind_page import CANNOT_TELL, PICTURES, BlindPage, Question, picture_name
from audit.core.errors import CohortError
from audit.core.files import file_digest, make_folder, write_whole
from audit.core.pictures import keep_picture, read_picture
from audit.core.vocabulary import GENDERS, RACES

AGE_BANDS: Final[Mapping[str, float | None]] = {
    **{f"{low}_to_{low + 9}": low + 5.0 for low in range(0, 70, 10)},
    "70_or_more": None,
}
"""The age bands, in order, and their middles in years. No spreadsheet takes these words for dates."""
LABELS: Final = {"group": tuple(RACES), "gender": GENDERS, "age_band": tuple(AGE_BANDS)}
"""The labels of each question, in order; a group may be several of them, joined with ``|``."""
ANSWER_COLUMNS: Final = ("picture", "annotator", *LABELS, "background", "seed")
_LEGENDS: Final = {"group": "Group, one or several", "gender": "Sex", "age_band": "Age"}


@dataclass(frozen=True)
class AnnotationSheet:
    """A written sheet.

    Attributes
    ----------
    page : Path
        The page, next to the folder of the pictures; they do not identify the speakers.
    speaker_of : dict
        The speaker of each picture; do not show it to annotators.
    n_without, n_unreadable : int
        Number of audited speakers without a portrait, and of drawn portraits that cannot be read.
    """

    page: Path
    speaker_of: dict[str, str]
    n_without: int
    n_unreadable: int


def annotation_sheet(cohort: Cohort, out: str | Path, *, speakers: int | None = None, seed: int = 0) -> AnnotationSheet:
    """Write a page on which people label portraits, blind to names, labels, rendered faces and each other.

    Pictures are written anew, without the metadata of the portraits. The page shows them in an order that depends on
    the annotator's name.

    Parameters
    ----------
    cohort : Cohort
        A cohort with portraits. Speakers of the splits training and validation are left out.
    out : path
        A new or empty folder for the page.
    speakers : int, optional
        Number of speakers, drawn at random; by default all with a portrait.
    seed : int
        Seed of the draw and of the names of the pictures.

    Raises
    ------
    CohortError
        If no portrait can be read, ``speakers`` is below 1, or the folder is not empty.
    """
    folder = Path(out)
    if speakers is not None and speakers < 1:
        raise CohortError([f"The sheet cannot have {speakers} speakers."], "at least 1")
    if folder.is_symlink():
        raise CohortError([f"{folder} is a link."], "a new folder for the sheet", "Choose another -o.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CohortError([f"{folder} exists and is not empty."], "a new folder for the sheet", "Choose another -o.")
    paths, kept = portraits(cohort), {}
    drawn = dict(list(opaque_names(cohort, seed).items())[:speakers])
    for name, speaker in drawn.items():
        pixels = read_picture(cohort.root / paths[speaker]).pixels
        if pixels is not None:
            make_folder(folder)
            make_folder(folder / PICTURES)
            keep_picture(pixels, folder / PICTURES, name)
            kept[name] = speaker
    if not kept:
        found = f"{cohort.name} has no portrait that can be read."
        raise CohortError([found], "at least one", "Add portraits: audit cohort import ADAPTER ROOT --portraits DIR.")
    page = folder / "index.html"
    write_whole(page, _page(seed).html(list(kept)))
    return AnnotationSheet(page, kept, len(cohort.audited().speakers) - len(paths), len(drawn) - len(kept))


def portraits(cohort: Cohort) -> dict[str, str]:
    """The path of the portrait of each audited speaker, the first one of the clips; only of files that exist."""
    table = cohort.audited().table
    named = table[table["portrait"] != ""].drop_duplicates("speaker_id")
    found = dict(zip(named["speaker_id"], named["portrait"], strict=True))
    return {speaker: path for speaker, path in found.items() if (cohort.root / path).is_file()}


def opaque_names(cohort: Cohort, seed: int) -> dict[str, str]:
    """The speaker of each opaque name, sorted by name: a random order.

    A name depends on the seed, the speaker's id and the bytes of the portrait, and not on any label.
    """
    found = portraits(cohort).items()
    return dict(sorted((picture_name(seed, who, file_digest(cohort.root / path)), who) for who, path in found))


def _page(seed: int) -> BlindPage:
    return BlindPage(
        title="How do you perceive the person in this picture?",
        introduction="Label each person as you perceive them; there is no right answer. If you cannot decide, say so: "
        "that is an answer too. Do not look anything up, and do not discuss the pictures before all annotators have "
        "finished. At the end, save the table and send it back. The pictures show people: do not show them to others, "
        "and delete them afterwards.",
        picture="The portrait that is asked about",
        questions=[
            Question(
                column,
                _LEGENDS[column],
                [*((label, label.replace("_", " ")) for label in labels), (CANNOT_TELL, "cannot tell")],
                several=column == "group",
                short=column != "group",
            )
            for column, labels in LABELS.items()
        ],
        columns=ANSWER_COLUMNS,
        file="answers.csv",
        fixed={"seed": seed},
        person="annotator",
        named=True,
        about="background",
    )
