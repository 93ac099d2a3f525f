"""Continuous attributes of the clips, and the covariates that gaps are adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from audit.audits.table import PERSONAL
from audit.audits.tables.disparities import metrics_of_harm
from audit.checks.evidence import Evidence
from audit.checks.strata import computed_once
from audit.core.columns import OF_A_CLIP, further_columns
from audit.core.errors import PlanError, did_you_mean
from audit.core.grouping import Grouping
from audit.core.identification import PROBABILITIES
from audit.core.metric import Metric
from audit.core.recording import RECORDING
from audit.core.vocabulary import is_known
from audit.stats.covariates import Covariate

STAGE: Final = "rendered"
"""The stage of the metrics by continuous attributes."""
MOST_CLIPS: Final = 60_000
"""With more clips, tables by continuous attributes use a sample of each speaker's clips."""
FEWEST_OF_A_SPEAKER: Final = 2
_OF_THE_READINGS: Final = ("portrait_", "ceiling_", "rendered_")


@dataclass(frozen=True)
class Continuous:
    """A continuous attribute: its column of the frame, name in reports, and unit."""

    column: str
    label: str
    unit: str


_DECLARED: Final = (
    Continuous("age", "age", "years"),
    Continuous("portrait.skin_ita", "skin ITA of the portrait", "degrees"),
    *(Continuous(measure.column, measure.label, measure.unit) for measure in RECORDING),
    Continuous("seconds", "length of the clip", "seconds"),
)
ADJUST_FOR: Final = ("age", "gender", *(measure.column for measure in RECORDING))
"""What gaps are adjusted for by default, where a run has it."""


def continuous(frame: pd.DataFrame) -> list[Continuous]:
    """The continuous attributes that vary: declared ones, then the cohort's further columns of numbers."""
    declared = {each.column for each in _DECLARED}
    further = [
        attribute(name)
        for name in (further_columns(frame) if "status" in frame else [])
        if name not in declared
        and name not in PROBABILITIES
        and frame[name].dtype.kind in "iuf"
        and frame[name].nunique() > 2
    ]
    present = [each for each in _DECLARED if each.column in frame and frame[each.column].nunique() > 1]
    return [*present, *further]


def attribute(column: str) -> Continuous:
    """The continuous attribute in a column.

    Examples
    --------
    >>> attribute("recording_snr").unit, attribute("years_of_school").label
    ('dB', 'years of school')
    """
    declared = {each.column: each for each in _DECLARED}
    return declared.get(column) or Continuous(column, column.replace("_", " "), "")


def scored_by_attribute(evidence: Evidence) -> list[Metric]:
    """The metrics of rendered faces that the tables by continuous attributes have: those of harm, and skin tone."""
    tone = evidence.metrics.get("skin_ita")
    has_tone = tone is not None and not np.isnan(evidence.values(STAGE, tone.name)).all()
    return [*metrics_of_harm(evidence, STAGE), *([tone] if tone is not None and has_tone else [])]


@computed_once
def sampled(evidence: Evidence) -> tuple[Evidence, str]:
    """At most :data:`MOST_CLIPS` clips, and how they were chosen; empty if these are all.

    Of every speaker the same number of clips is drawn at random, at least two. Of more than 30,000 speakers, 30,000
    are drawn at random first.
    """
    n, speakers = len(evidence.frame), evidence.speakers
    if n <= MOST_CLIPS:
        return evidence, ""
    rng = evidence.settings.generator("clips by continuous attributes")
    n_speakers = int(speakers.max()) + 1
    kept = np.ones(n, bool)
    most = MOST_CLIPS // FEWEST_OF_A_SPEAKER
    words = ""
    if n_speakers > most:
        kept = np.isin(speakers, rng.permutation(n_speakers)[:most])
        words = f"a random sample of {most:,} of {n_speakers:,} speakers, with "
        n_speakers = most
    of_each = MOST_CLIPS // n_speakers
    order = np.lexsort((rng.random(n), speakers))
    starts = np.flatnonzero(np.append(True, np.diff(speakers[order]) != 0))
    place = np.empty(n, np.int64)
    place[order] = np.arange(n) - np.repeat(starts, np.diff(np.append(starts, n)))
    words = f"{words}at most {of_each} random clips of each speaker"
    return evidence.only(kept & (place < of_each)), words


def covariates(evidence: Evidence, names: Sequence[str] | None, grouping: Grouping) -> list[Covariate]:
    """The covariates in these columns, by default :data:`ADJUST_FOR`, without the columns of the grouping.

    Raises
    ------
    PlanError
        If a column is not in the run, identifies people, or holds what the instrument read.
    """
    frame = evidence.frame
    allowed = [
        name
        for name in map(str, frame.columns)
        if "." not in name and not name.startswith(_OF_THE_READINGS) and not _describes_a_clip(name)
    ]
    for name in names or ():
        if name not in allowed:
            raise PlanError(
                f"measure.adjust_for names {name!r}{did_you_mean(name, allowed, ', {}')}.",
                f"columns of the run: {', '.join(allowed)}",
            )
    chosen = [name for name in ADJUST_FOR if name in frame] if names is None else names
    return [_covariate(frame[name], name) for name in dict.fromkeys(chosen) if name not in grouping.columns]


def _describes_a_clip(name: str) -> bool:
    return name in PERSONAL or (name in OF_A_CLIP and name != "seconds") or name == "english"


def _covariate(column: pd.Series, name: str) -> Covariate:
    if column.dtype.kind in "iuf":
        return Covariate(attribute(name).label, column.to_numpy(np.float64))
    labels = pd.Categorical(column)
    codes = {label: float(i) if is_known(label) else np.nan for i, label in enumerate(labels.categories)}
    places = np.array([*codes.values(), np.nan])
    return Covariate(attribute(name).label, places[labels.codes], categories=True)
