"""Training data: portraits and clips of the training speakers, and their coverage of groups and languages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from audit.cohorts import Cohort
from audit.core.arrays import Picture
from audit.core.audio import read_clip
from audit.core.errors import CohortError, PlanError
from audit.core.pictures import read_picture
from audit.core.vocabulary import ordered_groups
from audit.models.coverage import Heard
from audit.models.speech2face.config import Configuration
from audit.models.speech2face.face import face_tensor
from audit.models.speech2face.spectrogram import fit_length
from audit.training.loop import seed_of
from audit.training.plan import TrainPlan

TRAINING, VALIDATION = "training", "validation"


@dataclass(frozen=True)
class Part:
    """The speakers of one split.

    Attributes
    ----------
    speakers : DataFrame
        One row per speaker, in the order of ``portraits``.
    originals : list of Picture
        The unscaled portraits.
    portraits : Tensor
        [N, 3, size, size], RGB, 0 to 1.
    clips : DataFrame
        One row per covered clip: group, language, ``seconds`` and ``audio_sha256`` of its file, and ``speaker``, the
        row of its speaker.
    waveforms : Tensor
        [clips, samples], int16 at 16 kHz.
    """

    speakers: pd.DataFrame
    originals: list[Picture]
    portraits: Tensor
    clips: pd.DataFrame
    waveforms: Tensor

    def sound(self, rows: Tensor) -> Tensor:
        """The clips of these rows as float32 in [-1, 1]."""
        return self.waveforms[rows].float() / 32768


@dataclass(frozen=True)
class Material:
    """The training and validation parts, and their cohort.

    ``coverage`` counts the covered training clips by group and language, with zeros for those that are not covered.
    """

    training: Part
    validation: Part
    coverage: tuple[Heard, ...]
    cohort_name: str
    cohort_digest: str


def cohort_folder(name: str) -> Path:
    """The folder of a plan's cohort: a path, or a folder in an embedded cohort (``synthetic_bilingual/training``).

    Raises
    ------
    CohortError
        If it does not exist.
    """
    from audit.cohorts.importing import embedded

    if Path(name).is_dir():
        return Path(name)
    first, _, rest = name.partition("/")
    folder = embedded(first) / rest
    if not folder.is_dir():
        raise CohortError([f"The folder {name!r} does not exist."], "a cohort with speakers.csv and clips.csv",
                          "See docs/reference/speech2face.md on how to rebuild the training part.")  # fmt: skip
    return folder


def load_material(plan: TrainPlan, configuration: Configuration) -> Material:
    """Load the data of a plan's training.

    Raises
    ------
    CohortError
        If the cohort has no speakers of the split training, or a portrait or clip cannot be read.
    PlanError
        If the coverage leaves no clips.
    """
    cohort = Cohort.read(cohort_folder(plan.cohort))
    if "split" not in cohort.speakers or not (cohort.speakers["split"] == TRAINING).any():
        raise CohortError(
            [f"{cohort.root}: no speaker has the split training."], "a column split: training or validation"
        )
    training = _part(cohort, TRAINING, plan, configuration)
    if training.clips.empty:
        raise PlanError(
            f"The coverage of the plan {plan.name!r} leaves no clips.", "groups and languages of the cohort"
        )
    return Material(
        training,
        _part(cohort, VALIDATION, None, configuration),
        _coverage(cohort, training.clips),
        cohort.name,
        cohort.digest,
    )


def _part(cohort: Cohort, split: str, plan: TrainPlan | None, configuration: Configuration) -> Part:
    speakers = cohort.speakers[cohort.speakers["split"] == split].reset_index(drop=True)
    place = {speaker: row for row, speaker in enumerate(speakers["speaker_id"])}
    clips = cohort.table[cohort.table["speaker_id"].isin(set(place))].reset_index(drop=True)
    if plan is not None:
        clips = clips[covered_rows(clips, plan)].reset_index(drop=True)
    clips = clips.assign(speaker=clips["speaker_id"].map(place))
    originals: list[Picture] = []
    for path in speakers["portrait"]:
        file = read_picture(cohort.root / path)
        if file.pixels is None:
            raise CohortError(
                [f"The portrait {path} cannot be read: {file.detail}."],
                "a picture of a face for every training speaker",
            )
        originals.append(file.pixels)
    with ThreadPoolExecutor(2) as workers:
        sounds = list(workers.map(lambda path: _sound(cohort.root / path, configuration.samples), clips["audio"]))
    return Part(
        speakers,
        originals,
        face_tensor(originals, configuration.size),
        clips.assign(seconds=[seconds for _, seconds, _ in sounds], audio_sha256=[digest for _, _, digest in sounds]),
        torch.stack([sound for sound, _, _ in sounds])
        if sounds
        else torch.zeros(0, configuration.samples, dtype=torch.int16),
    )


def covered_rows(table: pd.DataFrame, plan: TrainPlan) -> NDArray[np.bool_]:
    """The clips of a table that a plan covers.

    If only a share of a group is covered in a language, its speakers are ordered by the plan's seed and the first ones
    are covered, so that speakers covered at a small share are covered at every larger share.
    """
    covered = np.zeros(len(table), bool)
    for group, language in sorted(set(zip(table["group"], table["language"], strict=True))):
        own = ((table["group"] == group) & (table["language"] == language)).to_numpy()
        order = sorted(set(table["speaker_id"][own]), key=lambda speaker: seed_of(plan.seed, "coverage", speaker))
        chosen = order[: round(plan.share(group, language) * len(order))]
        covered |= own & table["speaker_id"].isin(chosen).to_numpy()
    return covered


def _sound(path: Path, samples: int) -> tuple[Tensor, float, str]:
    """The samples of a clip, the seconds of its file, and its digest."""
    clip = read_clip(path)
    if clip.waveform is None:
        raise CohortError(
            [f"The clip {path.name} cannot be read: {clip.status}, {clip.detail}."], "audio that can be decoded"
        )
    whole = np.round(fit_length(clip.waveform, samples) * 32767).clip(-32768, 32767)
    return torch.from_numpy(whole.astype(np.int16)), clip.seconds or 0.0, clip.sha256


def _coverage(cohort: Cohort, clips: pd.DataFrame) -> tuple[Heard, ...]:
    """The covered clips by group and language of the training speakers."""
    table = cohort.table[cohort.table["split"] == TRAINING]
    rows = []
    for group in ordered_groups(table["group"]):
        for language in sorted(set(table["language"])):
            own = clips[(clips["group"] == group) & (clips["language"] == language)]
            rows.append(Heard(group=group, language=language, speakers=own["speaker_id"].nunique(), clips=len(own),
                              seconds=round(sum(own["seconds"]), 2)))  # fmt: skip
    return tuple(rows)
