"""The interface of a source of speech for drawn speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts.drawing.timbre import AXES, Sound
from audit.cohorts.embedded import embedded

Speaker = Mapping[str, Any]
"""A row of the table of speakers."""

Split = Literal["audited", "training", "validation"]
SPLITS: Final[tuple[Split, ...]] = ("audited", "training", "validation")


@dataclass(frozen=True)
class SpokenClip:
    """A finished clip of a drawn speaker.

    Attributes
    ----------
    clip_id, language : str
    sound : ndarray
        Mono, float64, shape [96000], at 16 kHz.
    sentences : str
        Names of the sentences in it.
    serial : int
        Serial number of its Ogg stream.
    columns : mapping of str to str
        Further columns of the table of clips.
    """

    clip_id: str
    language: str
    sound: Sound
    sentences: str
    serial: int
    columns: Mapping[str, str] = field(default_factory=dict)


class Speech(Protocol):
    """A source of speech; it is pickled for other processes.

    Attributes
    ----------
    name : str
        As in ``cohort.toml``.
    most_clips : int
        The largest number of clips of a speaker in each language.
    description : str
        How the voices are made, for the cohort's notes.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def most_clips(self) -> int: ...  # noqa: D102

    @property
    def description(self) -> str: ...  # noqa: D102

    def check(self) -> None:
        """Raise AuditError if something that the source needs is missing."""

    def voices(
        self, rng: np.random.Generator, gender: str, languages: Sequence[str], unseen: NDArray[np.bool_]
    ) -> pd.DataFrame:
        """The voices of one group and sex; see :data:`audit.cohorts.drawing.speakers.Voices`."""

    def clips(self, speaker: Speaker, languages: Sequence[str], count: int, key: str) -> list[SpokenClip]:
        """``count`` clips of a speaker in each language, from the key of the draw."""


def source_voice(speaker: Speaker) -> str:
    """The base voice with the larger weight: speakers who share it are not independent.

    Examples
    --------
    >>> source_voice({"voice_a": "af_sky", "voice_b": "af_bella", "weight_a": 0.3})
    'af_bella'
    """
    return str(speaker["voice_a"] if float(speaker["weight_a"]) >= 0.5 else speaker["voice_b"])


def cue_of(speaker: Speaker) -> dict[str, float]:
    """The gains of a speaker's cue of timbre in dB, by axis."""
    return {axis: float(speaker[f"cue_{axis}"]) for axis in AXES}


def dealt(rng: np.random.Generator, count: int, cards: int) -> list[int]:
    """``count`` numbers below ``cards``, each as often as any other to within one."""
    rounds = [rng.permutation(cards) for _ in range(-(-count // cards))]
    return [int(card) for card in np.concatenate(rounds)[:count]] if count else []


def embedded_folder(split: Split) -> Path:
    """The folder of the embedded cohort's part with the speakers of a split."""
    folder = embedded("synthetic_bilingual")
    return folder if split == "audited" else folder / "training"


def embedded_speakers(split: Split) -> pd.DataFrame:
    """The embedded cohort's speakers of a split."""
    table = pd.read_csv(embedded_folder(split) / "speakers.csv", keep_default_na=False)
    return table[table["split"] == split].reset_index(drop=True)
