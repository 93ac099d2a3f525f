"""New voices for drawn speakers, derived from the clips of the embedded cohort's speakers of the same split.

The source speaker's cue of timbre is undone; pitch, vocal tract length, rate of speech and a smooth timbre are changed;
then the cue of the new speaker is applied, and a new microphone, room and noise. The words stay those of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from audit.cohorts.drawing import timbre
from audit.cohorts.drawing.seeds import generator, seeded_number
from audit.cohorts.drawing.speech import (
    Speaker,
    Split,
    SpokenClip,
    cue_of,
    dealt,
    embedded_folder,
    embedded_speakers,
    source_voice,
)
from audit.core.voice_change import changed

SEMITONES: Final = 1.5
"""Pitch is moved by at most this, evenly: the source keeps the range of its sex."""
TRACT: Final = 0.06
"""The vocal tract is longer or shorter by at most this share, evenly: lengths of adults of one sex vary by as much."""
COLOUR: Final = {"tilt": 0.8, "broad": 0.8, "fine": 0.8}
"""Standard deviation in dB of the smooth timbre along each pattern; all are orthogonal to the patterns of the cue."""
SPARE_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Derived:
    """Speech derived from the clips of the embedded cohort's speakers of one split."""

    split: Split = "audited"
    name: str = "derived"
    most_clips: int = 2

    @property
    def description(self) -> str:
        """How the voices are made."""
        return (
            f"Voices are derived from the clips of the embedded cohort's {self.split} speakers by pitch, vocal tract "
            "length, rate of speech and timbre; the words are those of the source clip, which is public."
        )

    def check(self) -> None:
        """Nothing is needed but the embedded cohort."""
        embedded_folder(self.split)

    def voices(
        self, rng: np.random.Generator, gender: str, languages: Sequence[str], unseen: NDArray[np.bool_]
    ) -> pd.DataFrame:
        """Source speakers of the same sex and other language, and how each is changed.

        Base voices (those with the larger weight) are dealt evenly, and then the source speakers who have them.
        """
        rows: list[dict[str, Any]] = [{} for _ in languages]
        for language in sorted({*languages}):
            for kind in (True, False):
                places = [i for i, other in enumerate(languages) if other == language and bool(unseen[i]) == kind]
                if not places:
                    continue
                by_voice = _sources(self.split)[gender, language, kind]
                turns = [int(rng.integers(len(sources))) for sources in by_voice]
                for place, card in zip(places, dealt(rng, len(places), len(by_voice)), strict=True):
                    rows[place] = by_voice[card][turns[card] % len(by_voice[card])]
                    turns[card] += 1
        count = len(rows)
        return pd.DataFrame(rows).assign(
            pitch_semitones=rng.uniform(-SEMITONES, SEMITONES, count).round(3),
            tract_length=rng.uniform(1 - TRACT, 1 + TRACT, count).round(4),
            **{f"colour_{name}": (spread * rng.standard_normal(count)).round(3) for name, spread in COLOUR.items()},
        )

    def clips(self, speaker: Speaker, languages: Sequence[str], count: int, key: str) -> list[SpokenClip]:
        """The source speaker's clips, changed; the two of a language come in either order."""
        made = []
        for language in languages:
            takes = _takes(self.split)[speaker["source_speaker"], language]
            order = generator(key, "takes", speaker["speaker_id"], language).permutation(len(takes))
            for take in range(count):
                first, second = (takes[order[(take + i) % len(takes)]] for i in range(2))
                clip_id = f"{speaker['speaker_id']}_{language}{take + 1}"
                seed = seeded_number(key, "clip", clip_id)
                sound, whole = _changed(self.split, first["audio"], second["audio"], speaker)
                finished = timbre.clip(sound, _gains(speaker), np.random.default_rng(seed))
                said = first["sentences"] if whole else f"{first['sentences']} {second['sentences'].split()[0]}"
                columns = {"source_clip": first["clip_id"]}
                made.append(SpokenClip(clip_id, language, finished, said, seed, columns))
        return made


def _gains(speaker: Speaker) -> dict[str, float]:
    """The new cue and the smooth timbre, in dB by pattern."""
    return cue_of(speaker) | {name: float(speaker[f"colour_{name}"]) for name in COLOUR}


def _changed(split: Split, audio: str, following: str, speaker: Speaker) -> tuple[timbre.Sound, bool]:
    """A source clip with the voice changed and its cue undone, and whether it was long enough by itself.

    If the new speaker speaks faster than the source, the beginning of another clip of the source follows.
    """
    source = _source(split, str(speaker["source_speaker"]))
    duration = float(source["tempo"]) / float(speaker["tempo"])
    wanted = round((timbre.SECONDS + SPARE_SECONDS) * timbre.RATE / duration)
    sounds = [soundfile.read(embedded_folder(split) / path)[0] for path in (audio, following)]
    whole = duration >= 1
    sound = sounds[0] if whole else np.concatenate(sounds)[:wanted]
    plain = timbre.filtered(sound, timbre.equaliser({axis: -gain for axis, gain in cue_of(source).items()}))
    voice = changed(
        plain.astype(np.float32),
        float(speaker["pitch_semitones"]),
        tract=float(speaker["tract_length"]),
        duration=duration,
    )
    return voice.astype(np.float64), whole


@cache
def _sources(split: Split) -> dict[tuple[str, str, bool], list[list[dict[str, Any]]]]:
    """The columns of each embedded speaker of a split by base voice; keys: sex, other language, unseen."""
    table = embedded_speakers(split).sort_values("speaker_id").rename(columns={"speaker_id": "source_speaker"})
    kept = ["voice_a", "voice_b", "weight_a", "source_speaker"]
    found: dict[tuple[str, str, bool], dict[str, list[dict[str, Any]]]] = {}
    for row in table.to_dict("records"):
        source = {name: row[name] for name in kept}
        cell = found.setdefault((row["gender"], row["other_language"], bool(row["unseen_voice"])), {})
        cell.setdefault(source_voice(source), []).append(source)
    return {key: list(cell.values()) for key, cell in found.items()}


@cache
def _source(split: Split, speaker: str) -> dict[str, Any]:
    table = embedded_speakers(split).set_index("speaker_id")
    return {str(name): value for name, value in table.loc[speaker].items()}


@cache
def _takes(split: Split) -> dict[tuple[str, str], list[dict[str, str]]]:
    """The clips of each embedded speaker of a split, by speaker and language."""
    table = pd.read_csv(embedded_folder(split) / "clips.csv", dtype=str, keep_default_na=False)
    takes: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in table.sort_values("clip_id").to_dict("records"):
        takes.setdefault((row["speaker_id"], row["language"]), []).append({str(k): v for k, v in row.items()})
    return takes
