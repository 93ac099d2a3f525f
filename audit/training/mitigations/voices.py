"""The training voices that a mitigation is fitted on: whose, in which languages, and with which digest."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from audit.cohorts import Cohort
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.errors import CohortError
from audit.models.coverage import coverage_of
from audit.models.fitted import FittedOn
from audit.models.protocol import Described, Featured
from audit.training.mitigations.protocol import TrainingVoices

TRAINING: Final = "training"
BATCH: Final = 64


@dataclass(frozen=True)
class FittingVoices:
    """Training voices with where they came from.

    Attributes
    ----------
    voices : TrainingVoices
        What is fitted on.
    fitted_on : FittedOn
        Digests of the speakers and recordings.
    record : dict
        Cohort, digests and counts, for the manifest.
    """

    voices: TrainingVoices
    fitted_on: FittedOn
    record: dict[str, Any]


def fitting_voices(model: Featured, cohort: Cohort, heard_only: bool) -> FittingVoices:
    """The model's features of a cohort's training speakers.

    Parameters
    ----------
    model : Featured
        Whose features.
    cohort : Cohort
        Where it names splits, only speakers of the split training are heard; else all of them are.
    heard_only : bool
        Leave out groups in languages that the model's own training, as far as it tells, never heard: then a mitigation
        needs no data that the model had not.

    Raises
    ------
    CohortError
        If nobody, or no clip that can be read, is left.
    """
    table = cohort.table
    if "split" in table and (table["split"] != "").any():
        table = table[table["split"] == TRAINING]
        if table.empty:
            raise CohortError(
                [f"{cohort.root}: no speaker is of the split training."],
                "training speakers: a mitigation is fitted on nobody else",
                "The embedded ones: synthetic_bilingual/training.",
            )
    if heard_only:
        table = table[_heard(table, model)]
    if table.empty:
        raise CohortError(
            [f"{cohort.root}: of its training speakers, the model's training heard no group in any language."],
            "clips of groups and languages that the model heard, or heard_only = false",
        )
    features, digests = [], []
    with ThreadPoolExecutor(2) as workers:
        for start in range(0, len(table), BATCH):
            part = table["audio"].iloc[start : start + BATCH]
            clips = list(workers.map(lambda path: read_clip(cohort.root / path), part))
            if faults := [
                f"The clip {path} cannot be heard: {clip.status}, {clip.detail}."
                for path, clip in zip(part, clips, strict=True)
                if clip.waveform is None
            ]:
                raise CohortError(faults, "sound that can be decoded")
            heard = [clip.waveform for clip in clips if clip.waveform is not None]
            features.append(np.asarray(model.voice_features(heard, SAMPLE_RATE), np.float64))
            digests += [clip.sha256 for clip in clips]
    speakers = table["speaker_id"].to_numpy(str)
    languages = table["language"].to_numpy(str)
    record = {
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        "clips_digest": hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest(),
        "heard_only": heard_only,
        "n_speakers": len(set(speakers)),
        "n_clips": len(table),
    }
    voices = TrainingVoices(np.concatenate(features), languages, speakers)
    return FittingVoices(voices, FittedOn.of(set(speakers), digests), record)


def _heard(table: pd.DataFrame, model: Featured) -> pd.Series:
    """Which clips are of a group in a language that the model's training heard; all, where it does not tell."""
    coverage = coverage_of(model.describe()) if isinstance(model, Described) else ()
    unheard = {(item.group, item.language) for item in coverage if not item.clips}
    cells = pd.Series(list(zip(table["group"], table["language"], strict=True)), table.index)
    return ~cells.isin(unheard)
