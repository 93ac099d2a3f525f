"""The training voices that mitigations are fitted on."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts import Cohort
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.errors import CohortError
from audit.models.coverage import coverage_of
from audit.models.fitted import FittedOn
from audit.models.protocol import Described, Featured
from audit.training.mitigations.protocol import TrainingVoices

TRAINING: Final = "training"
BATCH: Final = 64


def fitting_voices(
    model: Featured, cohort: Cohort, heard_only: bool
) -> tuple[TrainingVoices, FittedOn, dict[str, object]]:
    """The model's features of a cohort's training speakers, their digests, and a record for the manifest.

    See :func:`audit.training.mitigations.mitigate` for the parameters.

    Raises
    ------
    CohortError
        If no clips are left, or one cannot be read.
    """
    table = cohort.table
    if "split" in table and (table["split"] != "").any():
        table = table[table["split"] == TRAINING]
        if table.empty:
            raise CohortError(
                [f"{cohort.root}: no speaker has the split training."],
                "training speakers, since mitigations are fitted on them only",
                "Use the embedded ones: synthetic_bilingual/training.",
            )
    if heard_only:
        table = table[_covered(table, model)]
    if table.empty:
        raise CohortError(
            [f"{cohort.root}: the model's training covers none of the groups and languages of the training speakers."],
            "clips of groups and languages that the model's training covers, or heard_only = false",
        )
    features, digests = [], []
    with ThreadPoolExecutor(2) as workers:
        for start in range(0, len(table), BATCH):
            part = table["audio"].iloc[start : start + BATCH]
            clips = list(workers.map(lambda path: read_clip(cohort.root / path), part))
            if errors := [
                f"The clip {path} cannot be read: {clip.status}, {clip.detail}."
                for path, clip in zip(part, clips, strict=True)
                if clip.waveform is None
            ]:
                raise CohortError(errors, "audio that can be decoded")
            waveforms = [clip.waveform for clip in clips if clip.waveform is not None]
            features.append(np.asarray(model.voice_features(waveforms, SAMPLE_RATE), np.float64))
            digests += [clip.sha256 for clip in clips]
    speakers = table["speaker_id"].to_numpy(str)
    record = {
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        "clips_digest": hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest(),
        "heard_only": heard_only,
        "n_speakers": len(set(speakers)),
        "n_clips": len(table),
    }
    voices = TrainingVoices(np.concatenate(features), table["language"].to_numpy(str), speakers)
    return voices, FittedOn.of(set(speakers), digests), record


def _covered(table: pd.DataFrame, model: Featured) -> NDArray[np.bool_]:
    """The clips whose group and language the model's training covers; all if the model does not report coverage."""
    coverage = coverage_of(model.describe()) if isinstance(model, Described) else ()
    uncovered = {(item.group, item.language) for item in coverage if not item.clips}
    return ~pd.MultiIndex.from_frame(table[["group", "language"]]).isin(uncovered)
