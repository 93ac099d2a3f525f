"""Training data: portraits and clips of the training speakers, and their coverage of groups and languages."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from audit.cohorts import Cohort
from audit.cohorts.importing import embedded
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
from audit.training.plan import DrawnSpeakers, TrainPlan

TRAINING, VALIDATION = "training", "validation"
DRAWN: Final = "speakers"
"""Subfolder of a training with its drawn speakers."""


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

    @cached_property
    def speaker_rows(self) -> Tensor:
        """The row of each clip's speaker: [clips]."""
        return torch.tensor(self.clips["speaker"].tolist())

    def sound(self, rows: Tensor) -> Tensor:
        """The clips of these rows as float32 in [-1, 1]."""
        return self.waveforms[rows].float() / 32768


@dataclass(frozen=True)
class Material:
    """The training and validation parts, the training coverage by group and language, and their cohort."""

    training: Part
    validation: Part
    coverage: tuple[Heard, ...]
    cohort: Cohort


def cohort_folder(name: str) -> Path:
    """The folder of a plan's cohort: a path, or a folder in an embedded cohort (``synthetic_bilingual/training``)."""
    if Path(name).is_dir():
        return Path(name)
    first, _, rest = name.partition("/")
    folder = embedded(first) / rest
    if not folder.is_dir():
        raise CohortError([f"The folder {name!r} does not exist."], "a cohort with speakers.csv and clips.csv",
                          "See docs/reference/speech2face.md on how to rebuild the training part.")  # fmt: skip
    return folder


def load_material(
    plan: TrainPlan, configuration: Configuration, folder: Path, progress: Callable[[int, int], None] | None = None
) -> Material:
    """Load the data of a plan's training; drawn speakers are drawn into a subfolder of ``folder`` first.

    Raises
    ------
    CohortError
        If the cohort does not exist or has no speakers of the split training, or a portrait or clip cannot be read.
    PlanError
        If the coverage leaves no clips.
    """
    cohort = Cohort.read(cohort_folder(plan.cohort))
    if "split" not in cohort.speakers or not (cohort.speakers["split"] == TRAINING).any():
        raise CohortError(
            [f"{cohort.root}: no speaker has the split training."], "a column split: training or validation"
        )
    source = cohort if plan.draw is None else _drawn(plan.draw, folder, progress)
    table = source.table[source.table["split"] == TRAINING]
    training = _part(source, TRAINING, table[covered_rows(table, plan)], configuration)
    if training.clips.empty:
        raise PlanError(
            f"The coverage of the plan {plan.name!r} leaves no clips.", "groups and languages of the cohort"
        )
    validation = _part(cohort, VALIDATION, cohort.table[cohort.table["split"] == VALIDATION], configuration)
    return Material(training, validation, _coverage(table, training.clips), source)


def _drawn(draw: DrawnSpeakers, folder: Path, progress: Callable[[int, int], None] | None) -> Cohort:
    """The drawn training speakers; an interrupted draw is continued."""
    from audit.cohorts.drawing.drawing import draw_cohort

    return draw_cohort(folder / DRAWN, draw.speakers, clips=draw.clips, seed=draw.seed, split="training",
                       workers=os.cpu_count() or 1, progress=progress)  # fmt: skip


def _part(cohort: Cohort, split: str, clips: pd.DataFrame, configuration: Configuration) -> Part:
    speakers = cohort.speakers[cohort.speakers["split"] == split].reset_index(drop=True)
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
    place = {speaker: row for row, speaker in enumerate(speakers["speaker_id"])}
    clips = clips.assign(
        speaker=clips["speaker_id"].map(place),
        seconds=[seconds for _, seconds, _ in sounds],
        audio_sha256=[digest for _, _, digest in sounds],
    ).reset_index(drop=True)
    waveforms = np.array([samples for samples, _, _ in sounds], np.int16).reshape(len(clips), configuration.samples)
    return Part(speakers, originals, face_tensor(originals, configuration.size), clips, torch.from_numpy(waveforms))


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


def _sound(path: Path, samples: int) -> tuple[NDArray[np.int16], float, str]:
    """The samples of a clip, the seconds of its file, and its digest."""
    clip = read_clip(path)
    if clip.waveform is None:
        raise CohortError(
            [f"The clip {path.name} cannot be read: {clip.status}, {clip.detail}."], "audio that can be decoded"
        )
    whole = np.round(fit_length(clip.waveform, samples) * 32767).clip(-32768, 32767)
    return whole.astype(np.int16), clip.seconds or 0.0, clip.sha256


def _coverage(table: pd.DataFrame, clips: pd.DataFrame) -> tuple[Heard, ...]:
    """The covered clips by group and language; zeros where the table has clips of which none is covered."""
    rows = []
    for group in ordered_groups(table["group"]):
        for language in sorted(set(table["language"])):
            own = clips[(clips["group"] == group) & (clips["language"] == language)]
            rows.append(Heard(group=group, language=language, speakers=own["speaker_id"].nunique(), clips=len(own),
                              seconds=round(sum(own["seconds"]), 2)))  # fmt: skip
    return tuple(rows)
