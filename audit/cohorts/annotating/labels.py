"""From the answers of annotators to a labels file: majority, votes and agreement."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from audit.cohorts.annotating.answers import read_answers
from audit.cohorts.annotating.sheet import AGE_BANDS, LABELS
from audit.cohorts.cohort import Cohort
from audit.core.blind_page import CANNOT_TELL
from audit.core.errors import CohortError
from audit.core.files import write_new
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.core.votes import GROUP_VOTES, majority, votes
from audit.stats.agreement import Agreement, Level, krippendorff_alpha
from audit.stats.settings import Settings

ANNOTATIONS_FILE: Final = "annotations.csv"
LEVELS: Final[Mapping[str, Level]] = {"group": "nominal", "gender": "nominal", "age_band": "ordinal"}
"""The level of measurement of each label."""


@dataclass(frozen=True)
class AnnotationRound:
    """The result of one round of labelling.

    Attributes
    ----------
    labels : DataFrame
        The labels file: one row per labelled speaker, with the label that more than half of the annotators who
        answered gave, ``unknown`` without one, and ``group_votes``.
    annotations : DataFrame
        The answers, from :func:`audit.cohorts.annotating.read_answers`.
    agreement : Mapping of str to Agreement
        Krippendorff's alpha of group, gender and age band; *cannot tell* counts as a missing label.
    """

    labels: pd.DataFrame
    annotations: pd.DataFrame
    agreement: Mapping[str, Agreement]

    def write(self, out: str | Path) -> Path:
        """Write the labels file, and the answers as ``annotations.csv`` next to it, whose path is returned.

        Raises
        ------
        CohortError
            If one of the files exists.
        """
        labels = Path(out)
        annotations = labels.with_name(ANNOTATIONS_FILE)
        if labels == annotations:
            raise CohortError([f"{labels.name} is the file of the single answers."], "another name for the labels file")
        for path in (labels, annotations):
            if path.exists() or path.is_symlink():
                raise CohortError([f"{path} already exists."], "new files: existing ones are never overwritten")
        labels.parent.mkdir(parents=True, exist_ok=True)
        for path, table in ((labels, self.labels), (annotations, self.annotations)):
            write_new(path, table.to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n"))
        return annotations


def annotation_round(
    cohort: Cohort, answers: Sequence[str | Path], *, age: bool = False, settings: Settings | None = None
) -> AnnotationRound:
    """Labels and agreement of the annotators of a cohort's portraits.

    Parameters
    ----------
    cohort, answers
        As for :func:`audit.cohorts.annotating.read_answers`.
    age : bool
        Whether to give the middle of the age band as age in years; the highest band has none.
    settings : Settings, optional
        Confidence, resamples and seed of the intervals of alpha.

    Raises
    ------
    CohortError
        If the answers are invalid, or of fewer than two annotators.
    """
    annotations = read_answers(answers, cohort)
    names = sorted(set(annotations["annotator"]))
    if len(names) < 2:
        raise CohortError(
            [f"The answers are of {len(names)} annotators{': ' + names[0] if names else ''}."],
            "at least two, with different names: agreement cannot be measured with one",
        )
    agreement = {
        label: krippendorff_alpha(_codes(annotations, label), LEVELS[label], settings, name=label) for label in LABELS
    }
    return AnnotationRound(_labels(annotations, age), annotations, agreement)


def _labels(annotations: pd.DataFrame, age: bool) -> pd.DataFrame:
    rows = []
    for speaker, given in annotations.groupby("speaker_id", sort=True):
        answers = {label: given.loc[given[label] != "", label].replace(CANNOT_TELL, UNKNOWN) for label in LABELS}
        group, gender, band = (majority(found) if len(found) else "" for found in answers.values())
        middle = AGE_BANDS.get(band)
        rows.append(
            {
                "speaker_id": speaker,
                "group": group,
                "group_source": "annotator" if group else "",
                "gender": gender,
                "gender_source": "annotator" if gender else "",
                **({"age": "" if middle is None else f"{middle:g}"} if age else {}),
                "age_band": "" if band == UNKNOWN else band,
                GROUP_VOTES: votes(answers["group"]),
            }
        )
    return pd.DataFrame(rows)


def _codes(annotations: pd.DataFrame, label: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The label of each speaker by each annotator as a number in the order of labels; -1 where there is none."""
    known = annotations[~annotations[label].isin(["", CANNOT_TELL])]
    order = ordered_groups(known[label]) if label == "group" else list(LABELS[label])
    table = known.pivot(index="speaker_id", columns="annotator", values=label)
    codes = [pd.Index(order).get_indexer(pd.Index(table[name])) for name in table]
    return np.column_stack(codes).astype(np.int64) if codes else np.full((0, 2), -1, np.int64)
