"""Labels files: labels of the user, with their sources, that replace those of a data set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.user_tables import SYNONYMS, UserTable, read_user_table
from audit.cohorts.validation import RULES, Rule, ValidationErrors, check_values, with_spelling
from audit.core.columns import CLUSTER
from audit.core.errors import CohortError, did_you_mean
from audit.core.languages import UNDETERMINED
from audit.core.vocabulary import LABEL_SOURCES, UNKNOWN
from audit.core.votes import GROUP_VOTES

SPEAKER_LABELS: Final = ("group", "gender", "age", "native_language", "split", GROUP_VOTES)
CLIP_LABELS: Final = ("language", CLUSTER)
SOURCE_OF: Final = {"group": "group_source", "gender": "gender_source", "language": "language_source"}
CONTEXT: Final = ("n_clips",)
"""Columns that are information for the reader only."""
KNOWN: Final = ("speaker_id", "clip_id", *SPEAKER_LABELS, *CLIP_LABELS, *SOURCE_OF.values(), *CONTEXT)
NEXT_STEP: Final = "Fix the file and try again: audit cohort labels ADAPTER ROOT --check FILE."


def with_labels(found: Imported, path: Path) -> Imported:
    """Replace labels by those of a labels file.

    The file has a column ``speaker_id`` or ``clip_id`` and any of group, gender, age, native_language, split,
    group_votes, language and cluster; group, gender and language each need a column for the source. Empty cells leave
    a label unchanged; a source is used with its label only.
    """
    table = read_labels(path)
    labels = table.frame
    key = "clip_id" if "clip_id" in labels else "speaker_id"
    errors = label_errors(labels, path.name)
    _check_keys(labels, key, path.name, found, errors)
    errors.stop(NEXT_STEP)
    absent = labels[key].isin(found.without_clips) if key == "speaker_id" else pd.Series(False, index=labels.index)
    labels = labels[~absent]

    speakers, clips, notes = found.speakers, found.clips, [*table.remarks]
    speaker_of = found.clips.set_index("clip_id")["speaker_id"]
    for label in (*SPEAKER_LABELS, *CLIP_LABELS):
        given = labels[labels[label] != ""] if label in labels else labels[:0]
        if given.empty:
            continue
        of_speaker = label in SPEAKER_LABELS
        ids = given[key].map(speaker_of) if key == "clip_id" and of_speaker else given[key]
        before, column = (speakers, "speaker_id") if of_speaker else (clips, key)
        after, changed = _lay_over(before, column, label, ids, given)
        speakers, clips = (after, clips) if of_speaker else (speakers, after)
        notes.append(_note(label, ids, given, changed, path.name))
    ignored = [str(name) for name in labels if name not in (*RULES, *CLIP_LABELS, "speaker_id", "clip_id", *CONTEXT)]
    n_absent = int(absent.sum())
    remarks = counted(
        (n_absent, f"{n_absent} rows of {path.name} are of speakers without a clip in the download."),
        (len(ignored), f"The columns {', '.join(ignored)} of {path.name} are not labels and were left out."),
    )
    return replace(
        found, speakers=speakers, clips=clips, remarks=tuple(dict.fromkeys((*found.remarks, *notes, *remarks)))
    )


def read_labels(path: Path, files: Collection[str] = ()) -> UserTable:
    """A labels file as stripped strings, with an id and the source of every label.

    An unknown group or gender, or an undetermined language, without a source counts as missing.

    ``files`` are further known columns, which name files; see :func:`audit.cohorts.user_tables.read_user_table`.
    """
    table = read_user_table(path, (*KNOWN, *files), synonyms=[name for name in files if name in SYNONYMS])
    labels = table.frame
    errors = []
    if not {"speaker_id", "clip_id"} & set(labels):
        hint = did_you_mean("speaker_id", labels.columns)
        errors.append(f"{path.name} has neither the column speaker_id nor clip_id{hint}. {table.headings}.")
    errors += [
        f"{path.name} has the column {label} without {source}."
        for label, source in SOURCE_OF.items()
        if label in labels and source not in labels
    ]
    if errors:
        step = "Write a template: audit cohort labels ADAPTER ROOT -o FILE."
        raise CohortError(errors, "an id and a source for every label", step)
    frame, said = with_spelling(labels, path.name)
    for label, source in SOURCE_OF.items():
        if label in frame:  # as in the tables of a cohort, which may serve as a labels file
            nothing = frame[label].isin([UNKNOWN, UNDETERMINED]) & (frame[source] == "")
            frame[label] = frame[label].mask(nothing, "")
    return replace(table, frame=frame, remarks=(*table.remarks, *said))


def label_errors(labels: pd.DataFrame, file: str) -> ValidationErrors:
    """Errors for invalid labels and sources, and for labels without a source."""
    errors = ValidationErrors()
    sources: Rule = ({*LABEL_SOURCES}.__contains__, lambda _: ", ".join(LABEL_SOURCES))
    for column in (*SPEAKER_LABELS, *CLIP_LABELS, *SOURCE_OF.values()):
        if column in labels and column in RULES:
            rule = sources if column in SOURCE_OF.values() else RULES[column]
            check_values(file, labels.loc[labels[column] != "", column], rule, errors)
    for label, source in SOURCE_OF.items():
        if label in labels and source in labels:
            for i in labels.index[(labels[label] != "") & (labels[source] == "")]:
                errors.add(file, i + 2, f"{label} {labels[label][i]!r} has no {source}", ", ".join(LABEL_SOURCES))
    return errors


def check_agreement(table: pd.DataFrame, file: str, errors: ValidationErrors) -> None:
    """Add an error for speakers whose rows disagree, in a table with one row per clip."""
    for label in (*SPEAKER_LABELS, "group_source", "gender_source"):
        if label not in table:
            continue
        stated = table.loc[table[label] != "", ["speaker_id", label]].drop_duplicates()
        for i in stated.index[stated["speaker_id"].duplicated()]:
            found = f"speaker {stated['speaker_id'][i]!r} has another {label} in an earlier row"
            errors.add(file, int(i) + 2, found, f"one {label} per speaker")


def _check_keys(labels: pd.DataFrame, key: str, file: str, found: Imported, errors: ValidationErrors) -> None:
    known = set(found.clips[key]) | (found.without_clips if key == "speaker_id" else set())
    for i in labels.index[~labels[key].isin(known)]:
        value = labels[key][i]
        hint = did_you_mean(value, known) if len(known) < 10_000 and not errors.more else ""
        errors.add(file, i + 2, f"{key} {value!r} is not in the data set{hint}", f"a {key} of the data set")
    for i in labels.index[labels[key].duplicated()]:
        errors.add(file, i + 2, f"{key} {labels[key][i]!r} is repeated", "unique ids")
    if key == "clip_id":
        speaker_of = found.clips.drop_duplicates("clip_id").set_index("clip_id")["speaker_id"]
        speakers = labels["clip_id"].map(speaker_of)
        check_agreement(labels.assign(speaker_id=speakers).dropna(subset="speaker_id"), file, errors)


def _lay_over(
    table: pd.DataFrame, key: str, label: str, ids: pd.Series, given: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """The table with the given labels, and the number of its rows that had another one."""
    changed = 0
    for column in (label, *([SOURCE_OF[label]] if label in SOURCE_OF else [])):
        values = pd.Series(given[column].to_numpy(), index=ids.to_numpy())
        values = values[~values.index.duplicated()]
        before = table[column].fillna("") if column in table else pd.Series("", index=table.index)
        new = table[key].map(values).astype(object)
        if column == label:
            changed = int((new.notna() & ~before.isin(["", UNKNOWN, "und"]) & (new != before)).sum())
        table = table.assign(**{column: new.fillna(before)})
    former = [name for name in (f"{label}_maker", f"{label}_votes") if name in table]
    if former:  # they are about the labels that are replaced
        table = table.assign(**{name: table[name].mask(table[key].isin(ids), "") for name in former})
    return table, changed


def _note(label: str, ids: pd.Series, given: pd.DataFrame, changed: int, file: str) -> str:
    """Remark on the labels used, their sources, and the number that contradict the data set."""
    of = "clips" if ids.name == "clip_id" and label in CLIP_LABELS else "speakers"
    counts, against = "", f"; {changed} of the data set's labels differ and are replaced" if changed else ""
    if label in SOURCE_OF:
        sources = given[SOURCE_OF[label]].value_counts().sort_index()
        counts = f" ({', '.join(f'{n} {name}' for name, n in sources.items())})"
    return f"The {label} of {ids.nunique()} {of} is taken from {file}{counts}{against}."
