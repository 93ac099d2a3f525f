"""A user's own labels file: what a data set does not say of its speakers, and where each label comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.faults import RULES, Faults, Rule, check_values
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.texts import read_texts
from audit.core.errors import CohortError, did_you_mean
from audit.core.vocabulary import LABEL_SOURCES, UNKNOWN

SPEAKER_LABELS: Final = ("group", "gender", "age", "native_language", "split")
CLIP_LABELS: Final = ("language",)
SOURCE_OF: Final = {"group": "group_source", "gender": "gender_source", "language": "language_source"}
CONTEXT: Final = ("n_clips",)
"""What a template tells its reader only."""
NEXT_STEP: Final = "Mend the file and try again: audit cohort labels ADAPTER ROOT --check FILE."


def with_labels(found: Imported, path: Path) -> Imported:
    """Lay a labels file over the tables of a cohort.

    The file has a column ``speaker_id`` or ``clip_id`` and any of group, gender, age, native_language, split and
    language; group, gender and language each need their source beside them. Empty cells leave a label as it is, and a
    label's source is taken with the label only.

    Raises
    ------
    CohortError
        With everything that is wrong with the file: see :func:`read_labels` and :func:`label_faults`.
    """
    labels = read_labels(path)
    key = "clip_id" if "clip_id" in labels else "speaker_id"
    faults = label_faults(labels, path.name)
    _check_keys(labels, key, path.name, found, faults)
    faults.stop(NEXT_STEP)
    absent = labels[key].isin(found.without_clips) if key == "speaker_id" else pd.Series(False, index=labels.index)
    labels = labels[~absent]

    speakers, clips, said = found.speakers, found.clips, []
    speaker_of = found.clips.set_index("clip_id")["speaker_id"]
    for label in (*SPEAKER_LABELS, *CLIP_LABELS):
        if label not in labels:
            continue
        given = labels[labels[label] != ""]
        if given.empty:
            continue
        of_speaker = label in SPEAKER_LABELS
        ids = given[key].map(speaker_of) if key == "clip_id" and of_speaker else given[key]
        table, column = (speakers, "speaker_id") if of_speaker else (clips, key)
        table, changed = _lay_over(table, column, label, ids, given)
        speakers, clips = (table, clips) if of_speaker else (speakers, table)
        said.append(_told(label, ids, given, changed, path.name))
    read = (*RULES, *SPEAKER_LABELS, "speaker_id", "clip_id", *CONTEXT)
    ignored = [str(name) for name in labels if name not in read]
    remarks = [
        *said,
        f"{int(absent.sum())} rows of {path.name} are of speakers of whom no clip is here." if absent.any() else "",
        f"The columns {', '.join(ignored)} of {path.name} are no labels and were left out." if ignored else "",
    ]
    return replace(found, speakers=speakers, clips=clips, remarks=(*found.remarks, *filter(None, remarks)))


def read_labels(path: Path) -> pd.DataFrame:
    """The rows of a labels file, texts without spaces around them.

    Raises
    ------
    CohortError
        If it cannot be read, or has neither key, or states a label without the column for its source.
    """
    labels = read_texts(path)
    faults = []
    if not {"speaker_id", "clip_id"} & set(labels):
        hint = did_you_mean("speaker_id", labels.columns)
        faults.append(f"{path.name} has neither the column speaker_id nor clip_id{hint}.")
    faults += [
        f"{path.name} has the column {label} without {source}."
        for label, source in SOURCE_OF.items()
        if label in labels and source not in labels
    ]
    if faults:
        raise CohortError(
            faults, "an id and a source for every label", "Write a template: audit cohort labels ADAPTER ROOT -o FILE."
        )
    return labels


def label_faults(labels: pd.DataFrame, file: str) -> Faults:
    """Every value of a table that is no label, no source, or a label without its source."""
    faults = Faults()
    sources: Rule = ({*LABEL_SOURCES}.__contains__, lambda _: ", ".join(LABEL_SOURCES))
    for column in (*SPEAKER_LABELS, *CLIP_LABELS, *SOURCE_OF.values()):
        if column in labels and column in RULES:
            rule = sources if column in SOURCE_OF.values() else RULES[column]
            check_values(file, labels.loc[labels[column] != "", column], rule, faults)
    for label, source in SOURCE_OF.items():
        if label in labels and source in labels:
            for i in labels.index[(labels[label] != "") & (labels[source] == "")]:
                faults.add(file, i + 2, f"{label} {labels[label][i]!r} has no {source}", ", ".join(LABEL_SOURCES))
    return faults


def agreeing(table: pd.DataFrame, file: str, faults: Faults) -> None:
    """Name every speaker of whom two rows of a table with one row a clip say different things."""
    for label in (*SPEAKER_LABELS, "group_source", "gender_source"):
        if label not in table:
            continue
        stated = table.loc[table[label] != "", ["speaker_id", label]].drop_duplicates()
        for i in stated.index[stated["speaker_id"].duplicated()]:
            told = f"speaker {stated['speaker_id'][i]!r} has another {label} in an earlier row"
            faults.add(file, int(i) + 2, told, f"one {label} a speaker")


def _check_keys(labels: pd.DataFrame, key: str, file: str, found: Imported, faults: Faults) -> None:
    known = set(found.clips[key]) | (found.without_clips if key == "speaker_id" else set())
    for i in labels.index[~labels[key].isin(known)]:
        value = labels[key][i]
        hint = did_you_mean(value, known) if len(known) < 10_000 and not faults.more else ""
        faults.add(file, i + 2, f"{key} {value!r} is not in the data set{hint}", f"a {key} of the data set")
    for i in labels.index[labels[key].duplicated()]:
        faults.add(file, i + 2, f"{key} {labels[key][i]!r} stands twice", "each once")
    if key == "clip_id":
        speaker_of = found.clips.drop_duplicates("clip_id").set_index("clip_id")["speaker_id"]
        agreeing(labels.assign(speaker_id=labels["clip_id"].map(speaker_of)).dropna(subset="speaker_id"), file, faults)


def _lay_over(
    table: pd.DataFrame, key: str, label: str, ids: pd.Series, given: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """The table with the labels that were given, and how many of its rows said something else before."""
    changed = 0
    for column in (label, *([SOURCE_OF[label]] if label in SOURCE_OF else [])):
        values = pd.Series(given[column].to_numpy(), index=ids.to_numpy())
        values = values[~values.index.duplicated()]
        before = table[column].fillna("") if column in table else pd.Series("", index=table.index)
        new = table[key].map(values).astype(object)
        if column == label:
            changed = int((new.notna() & ~before.isin(["", UNKNOWN, "und"]) & (new != before)).sum())
        table = table.assign(**{column: new.fillna(before)})
    return table, changed


def _told(label: str, ids: pd.Series, given: pd.DataFrame, changed: int, file: str) -> str:
    """Whose labels were taken, from where, and how many contradict the data set."""
    of = "clips" if ids.name == "clip_id" and label in CLIP_LABELS else "speakers"
    source = SOURCE_OF.get(label)
    counts = (
        f" ({', '.join(f'{n} {name}' for name, n in sorted(given[source].value_counts().items()))})" if source else ""
    )
    against = f"; {changed} of the data set's own say something else and do not count" if changed else ""
    return f"The {label} of {ids.nunique()} {of} is taken from {file}{counts}{against}."
