"""A user's own labels file: what a data set does not say of its speakers, and where each label comes from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.errors import CohortError

SPEAKER_LABELS = ("group", "gender", "age", "native_language", "group_source", "gender_source")
CLIP_LABELS = ("language", "language_source")
SOURCE_OF = {"group": "group_source", "gender": "gender_source", "language": "language_source"}


def apply_labels(
    speakers: pd.DataFrame, clips: pd.DataFrame, path: Path
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Lay a labels file over the tables of a cohort.

    The file has a column ``speaker_id`` or ``clip_id`` and any of group, gender, age, native_language and language;
    group, gender and language each need their ``*_source`` beside them. Empty cells leave a label as it is.

    Raises
    ------
    CohortError
        If the file cannot be read, has neither key, states a label without its source, or names an unknown id.
    """
    try:
        labels = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise CohortError([f"{path.name} cannot be read: {error}."], "a UTF-8 CSV with a header") from error
    labels = labels.apply(lambda column: column.str.strip())
    key = next((name for name in ("clip_id", "speaker_id") if name in labels), None)
    faults = [] if key else [f"{path.name} has neither the column speaker_id nor clip_id."]
    faults += [
        f"{path.name} has the column {label} without {source}."
        for label, source in SOURCE_OF.items()
        if label in labels and source not in labels
    ]
    if faults or key is None:
        raise CohortError(faults, "a source for every label, see the template in datasets/labels-template.csv")
    known = set(clips[key])
    faults = [
        f"{path.name}, row {i + 2}: {key} {value!r} is not in the data set."
        for i, value in labels[key].items()
        if value not in known
    ]
    faults += [
        f"{path.name}, row {i + 2}: {key} {labels[key][i]!r} stands twice."
        for i in labels.index[labels[key].duplicated()]
    ]
    if faults:
        raise CohortError(faults[:50], "each id of the data set at most once")

    speaker_of = clips.set_index("clip_id")["speaker_id"]
    changed = 0
    for column in (*SPEAKER_LABELS, *CLIP_LABELS):
        if column not in labels:
            continue
        given = labels[labels[column] != ""]
        if column in SPEAKER_LABELS:
            ids = given[key] if key == "speaker_id" else given[key].map(speaker_of)
            values = pd.Series(given[column].to_numpy(), index=ids.to_numpy())
            values = values[~values.index.duplicated(keep="last")]
            speakers = _lay_over(speakers, "speaker_id", column, values)
        else:
            clips = _lay_over(clips, key, column, pd.Series(given[column].to_numpy(), index=given[key].to_numpy()))
        changed += len(given)
    return speakers, clips, [f"{changed} labels of {len(labels)} rows were taken from {path.name}."]


def _lay_over(frame: pd.DataFrame, key: str, column: str, values: pd.Series) -> pd.DataFrame:
    before = frame[column] if column in frame else pd.Series("", index=frame.index)
    return frame.assign(**{column: frame[key].map(values).fillna(before)})
