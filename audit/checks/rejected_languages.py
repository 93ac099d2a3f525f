"""Clips whose language identification was rejected, which may be in any language."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOME_WORDS
from audit.checks.strata import Mask
from audit.core.identification import IDENTIFICATION, REJECTED
from audit.core.languages import UNDETERMINED

IF_ENGLISH = "excess_if_rejected_were_english"
"""The name of the figure that is measured again with rejected clips as English ones."""


def rejected_clips(evidence: Evidence) -> Mask:
    """The clips without a language on which the identifiers did not agree, a bool array of shape (clips,)."""
    frame = evidence.frame
    if IDENTIFICATION not in frame:
        return np.zeros(len(frame), bool)
    return (frame[IDENTIFICATION].isin(REJECTED) & (frame["language"] == UNDETERMINED)).to_numpy(bool)


def if_english(judged: Figure, group: str, number: int) -> tuple[Figure, str]:
    """A judged figure of English and ``number`` rejected clips, not judged under its new name, and a sentence.

    Its language is that of the rejected clips, so that it is suppressed where they are of too few speakers.
    """
    label = f"{judged.label}, with rejected clips as English ones"
    figure = replace(judged, name=IF_ENGLISH, label=label, language=UNDETERMINED)
    words = OUTCOME_WORDS[judged.verdict.outcome]
    return figure, (
        f" Language identification was rejected for {number} further clips of {group} speakers; if they were English, "
        f"{judged.label} would be {figure.text} ({words} at the same margin)."
    )
