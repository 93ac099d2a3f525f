"""Template of a labels file for a download, and coverage of a completed one."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from audit.cohorts.importing.adapter import Imported, read_download
from audit.cohorts.importing.labels import with_labels
from audit.core.errors import AuditError
from audit.core.files import write_new
from audit.core.group_order import in_group_order
from audit.core.vocabulary import STATED_GENDERS, UNKNOWN

SPEAKERS: Final = ("group", "group_source", "gender", "gender_source", "age", "native_language", "split")
COLUMNS: Final = ("speaker_id", *SPEAKERS, "language", "language_source", "n_clips")


def labels_template(name: str, root: Path, out: Path, **options: str) -> pd.DataFrame:
    """Write a labels file with one row per speaker of a download, with known labels filled in.

    A speaker's language is filled in if all clips have the same one. Empty cells do not change a label, so a file may
    be completed in part. Adapter, download and options are as for :func:`import_cohort`; returns the table.

    Raises
    ------
    AuditError
        If the file exists, or the download cannot be read.
    """
    if out.exists() or out.is_symlink():
        raise AuditError(f"{out} already exists.", "a new file: existing files are never overwritten")
    found = read_download(name, root, options)
    clips = found.clips.groupby("speaker_id")
    language = clips["language"].first().where(clips["language"].nunique() == 1, "").replace("und", "")
    stated = found.speakers.astype(object)
    speakers = stated.where(stated.notna(), "").set_index("speaker_id")
    table = speakers.assign(language=language, n_clips=clips.size())
    table["language_source"] = clips["language_source"].first().where(language != "", "")
    table = table.replace({"group": {UNKNOWN: ""}, "gender": {UNKNOWN: ""}}).reset_index()
    table = table.reindex(columns=list(COLUMNS), fill_value="").sort_values("speaker_id", ignore_index=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_new(out, table.to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n"))
    return table


@dataclass(frozen=True)
class LabelsCheck:
    """Coverage of labels with a labels file.

    Attributes
    ----------
    coverage : DataFrame
        ``label``, ``value``, ``n_speakers`` and ``n_clips``: number of speakers and clips of each label, and
        ``unknown`` for those without one.
    remarks : tuple of str
        Remarks on labels taken from the file, and on what the adapter left out or assumed.
    """

    coverage: pd.DataFrame
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {"coverage": self.coverage.to_dict("records"), "remarks": list(self.remarks)}


def check_labels(name: str, root: Path, labels: Path, **options: str) -> LabelsCheck:
    """Validate a labels file against a download.

    Raises
    ------
    CohortError
        With all errors of the file: row, what was found and what is allowed.
    """
    found = with_labels(read_download(name, root, options), labels)
    return LabelsCheck(_coverage(found), found.remarks)


def _coverage(found: Imported) -> pd.DataFrame:
    table = found.clips.merge(found.speakers, on="speaker_id", suffixes=("", "_of_speaker"))
    parts = []
    for label in ("group", "gender", "language"):
        value = table[label].replace({"": UNKNOWN, "und": UNKNOWN})
        cells = table.assign(value=value).groupby("value")
        counts = cells.agg(n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size")).reset_index()
        if label == "group":
            counts = in_group_order(counts.rename(columns={"value": "group"})).rename(columns={"group": "value"})
        elif label == "gender":
            order = [*STATED_GENDERS, UNKNOWN]
            counts = counts.sort_values("value", key=lambda column: column.map(order.index), ignore_index=True)
        parts.append(counts.assign(label=label))
    return pd.concat(parts, ignore_index=True)[["label", "value", "n_speakers", "n_clips"]]
