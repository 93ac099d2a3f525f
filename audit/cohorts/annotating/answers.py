"""Reading and validating the answers of annotators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.annotating.sheet import AGE_BANDS, ANSWER_COLUMNS, LABELS, opaque_names
from audit.cohorts.cohort import Cohort
from audit.cohorts.user_tables import read_user_table
from audit.cohorts.validation import ValidationErrors
from audit.core.blind_page import CANNOT_TELL, whole
from audit.core.errors import CohortError
from audit.core.group_labels import word

__all__ = ["AGE_BANDS", "ANNOTATIONS", "read_answers"]
ANNOTATIONS: Final = ("speaker_id", "annotator", *LABELS, "background")
NEXT_STEP: Final = "Fix the files and try again: audit cohort annotate DIR --answers FILE --answers FILE -o LABELS."


def read_answers(paths: Sequence[str | Path], cohort: Cohort) -> pd.DataFrame:
    """The answers of all annotators about the portraits of a cohort.

    Parameters
    ----------
    paths : sequence of path
        Tables that the page saved. Rows without an answer are not counted.
    cohort : Cohort
        The cohort from which the sheet was made.

    Returns
    -------
    DataFrame
        One row per speaker and annotator: speaker_id, annotator, group, gender, age_band (empty where not answered) and
        background; sorted.

    Raises
    ------
    CohortError
        With all errors: a picture that is not a portrait of this cohort, an unknown label, an answer without a name,
        or two rows of an annotator about a picture; or if a file lacks a column or has no seed.
    """
    errors, found = ValidationErrors(), []
    first: dict[tuple[str, str], str] = {}
    for path in map(Path, paths):
        table = _table(path)
        speaker_of = opaque_names(cohort, _seed(table, path.name))
        for row, cells in enumerate(table.to_dict("records"), start=2):
            answers = {column: _label(column, str(cells[column])) for column in LABELS}
            given = [column for column in LABELS if cells[column]]
            picture, annotator = str(cells["picture"]), str(cells["annotator"])
            if not given:
                continue
            if picture not in speaker_of:
                allowed = "a picture of this cohort's sheet, whose portraits have not changed since"
                errors.add(path.name, row, f"the picture {picture!r} is not a portrait of this cohort", allowed)
            if not annotator:
                errors.add(path.name, row, "an answer without annotator", "the name of the annotator in every row")
            for column in given:
                if not answers[column]:
                    errors.add(path.name, row, f"{column} {cells[column]!r}", _allowed(column))
            speaker = speaker_of.get(picture, picture)
            if before := first.get((speaker, annotator)):
                what = f"the annotator {annotator!r} labels {picture!r} also in {before}"
                errors.add(path.name, row, what, "one row for each annotator and person, in all files together")
            first[speaker, annotator] = f"{path.name}, row {row}"
            found.append((speaker, annotator, *answers.values(), str(cells["background"])))
    errors.stop(NEXT_STEP)
    frame = pd.DataFrame(found, columns=ANNOTATIONS, dtype=object)
    return frame.sort_values(["speaker_id", "annotator"], ignore_index=True)


def _table(path: Path) -> pd.DataFrame:
    table = read_user_table(path, ANSWER_COLUMNS)
    missing = [column for column in ("picture", "annotator", "seed") if column not in table.frame]
    if missing or not {*LABELS} & {*table.frame}:
        found = f"{path.name} lacks the columns {', '.join(missing) or ', '.join(LABELS)}. {table.headings}."
        raise CohortError([found], f"the columns {', '.join(ANSWER_COLUMNS)}", "Save the table on the page again.")
    return table.frame.reindex(columns=list(ANSWER_COLUMNS), fill_value="")


def _seed(table: pd.DataFrame, file: str) -> int:
    seeds = {whole(text) for text in table["seed"]}
    if len(seeds) != 1 or (seed := next(iter(seeds))) is None:
        raise CohortError(
            [f"{file} does not identify its sheet: the column seed has {len(seeds)} values."],
            "the same seed in every row, as the page saves it",
            "Make one file per sheet, with the seed of the sheet.",
        )
    return seed


def _label(column: str, text: str) -> str:
    """An answer in the words of the vocabulary; empty if it is none.

    Examples
    --------
    >>> _label("group", "Indian|asian"), _label("group", "cannot tell"), _label("gender", "woman|man")
    ('asian|indian', 'cannot_tell', '')
    """
    parts = {word(part) for part in text.split("|")}
    if parts == {CANNOT_TELL}:
        return CANNOT_TELL
    if not parts <= {*LABELS[column]} or (len(parts) > 1 and column != "group"):
        return ""
    return "|".join(label for label in LABELS[column] if label in parts)


def _allowed(column: str) -> str:
    several = ", several of them joined with |" if column == "group" else ""
    return f"{', '.join(LABELS[column])}{several}, {CANNOT_TELL}, or empty"
