"""New speech for drawn speakers: fresh blends of base voices say sentences, by Kokoro-82M."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal

from audit.cohorts.drawing import kokoro, timbre
from audit.cohorts.drawing.seeds import generator, seeded_number
from audit.cohorts.drawing.sentences import sentence_names, sentences, sentences_of
from audit.cohorts.drawing.speakers import voice_pools
from audit.cohorts.drawing.speech import SPLITS, Speaker, SpokenClip, cue_of, dealt, embedded_speakers

RATES: Final = Path(__file__).parent / "data" / "rates.csv"
"""Phonemes a second of each base voice in each language, as measured."""
SPARE_SENTENCES: Final = 8
RAW_SECONDS, SPARE_SECONDS = 6.15, 0.5
PAUSE: Final = (0.15, 0.30)
AIM_SECONDS: Final = 6.95
"""What the first two sentences should last by RATES, so that a third is seldom needed."""
APART: Final = 0.02
"""The least difference of weight from every embedded speaker who blends the same two base voices."""


@dataclass(frozen=True)
class Spoken:
    """What one clip says: the voice, the rate and the sentences that it may use, in order."""

    clip_id: str
    speaker_id: str
    language: str
    blend: dict[str, float]
    tempo: float
    sentences: list[int]
    texts: list[str]
    seed: int


@dataclass(frozen=True)
class Synthesised:
    """Speech from text, with the downloaded parts in a folder."""

    parts: Path
    name: str = "synthesised"
    most_clips: int = 6
    description: str = (
        "Voices are fresh blends of the base voices of Kokoro-82M (Apache-2.0 weights, hexgrad), of pairs that no "
        "training speaker of the embedded cohort blends; they say sentences of its audited speakers."
    )

    def check(self) -> None:
        """Raise AuditError if a module or a part is missing."""
        kokoro.check_modules()
        synthesiser(self.parts)

    def voices(
        self, rng: np.random.Generator, gender: str, languages: Sequence[str], unseen: NDArray[np.bool_]
    ) -> pd.DataFrame:
        """Pairs of base voices dealt evenly, each voice of a pair in turn with the larger weight (.5 to .75)."""
        rows: list[tuple[str, str, float]] = [("", "", 0.0)] * len(languages)
        for kind, pairs in ((True, unseen_pairs(gender)), (False, free_pairs(gender))):
            places = np.flatnonzero(unseen == kind)
            turn = int(rng.integers(2))
            for i, (place, card) in enumerate(zip(places, dealt(rng, len(places), len(pairs)), strict=True)):
                larger_first = (turn + card + i // len(pairs)) % 2 == 0
                rows[place] = (*pairs[card], _weight(rng, pairs[card], larger_first))
        return pd.DataFrame(rows, columns=["voice_a", "voice_b", "weight_a"])

    def clips(self, speaker: Speaker, languages: Sequence[str], count: int, key: str) -> list[SpokenClip]:
        """Sentences spoken anew, then cue, room and microphone as in the embedded cohort."""
        made = []
        for spoken in script(speaker, "audited", languages, count, key):
            raw, used = speak(synthesiser(self.parts), spoken)
            names = sentence_names(spoken.language, used)
            sound = finished(raw, spoken.seed, cue_of(speaker))
            made.append(SpokenClip(spoken.clip_id, spoken.language, sound, names, spoken.seed))
        return made

    def accented(self, speaker: Speaker, count: int, key: str, accent: str) -> timbre.Sound:
        """The first English clip of a speaker who has ``count`` of them, with the phonemes of another language.

        Voice, sentences, rate, cue, room, microphone, noise and length are those of that clip.
        """
        spoken = script(speaker, "audited", ("en",), count, key)[0]
        native, _ = speak(synthesiser(self.parts), spoken)
        raw, _ = speak(synthesiser(self.parts), spoken, accent, len(native))
        return finished(raw, spoken.seed, cue_of(speaker))


@cache
def synthesiser(parts: Path) -> kokoro.Synthesiser:
    """The synthesiser of this process."""
    return kokoro.Synthesiser(parts)


@cache
def unseen_pairs(gender: str) -> list[tuple[str, str]]:
    """All pairs of base voices that only audited speakers blend."""
    return list(combinations(voice_pools()[gender]["audited"], 2))


@cache
def free_pairs(gender: str) -> list[tuple[str, str]]:
    """The pairs of training base voices that no training speaker of the embedded cohort blends."""
    table = embedded_speakers("training")
    taken = set(zip(table["voice_a"], table["voice_b"], strict=True))
    return [pair for pair in combinations(voice_pools()[gender]["training"], 2) if pair not in taken]


@cache
def _embedded_weights() -> dict[tuple[str, str], list[float]]:
    everyone = pd.concat([embedded_speakers(split) for split in SPLITS])
    return {
        (str(pair[0]), str(pair[1])): rows["weight_a"].astype(float).tolist()
        for pair, rows in everyone.groupby(["voice_a", "voice_b"])
    }


def _weight(rng: np.random.Generator, pair: tuple[str, str], larger_first: bool) -> float:
    """The weight of the first voice of a pair, unlike that of any embedded speaker."""
    while True:
        larger = rng.uniform(0.5, 0.75)
        weight = round(float(larger if larger_first else 1 - larger), 3)
        if weight != 0.5 and all(abs(weight - other) >= APART for other in _embedded_weights().get(pair, ())):
            return weight


@cache
def _rates() -> dict[str, dict[str, float]]:
    table = pd.read_csv(RATES, index_col="voice")
    return {str(language): {str(k): float(v) for k, v in table[language].items()} for language in table}


def script(speaker: Speaker, split: str, languages: Sequence[str], count: int, seed: int | str) -> list[Spoken]:
    """What the clips of a speaker say, ``count`` in each language; no sentence is offered to two of them."""
    blend = {speaker["voice_a"]: speaker["weight_a"], speaker["voice_b"]: round(1.0 - speaker["weight_a"], 3)}
    clips = []
    for language in languages:
        drawn = generator(seed, "sentences", speaker["speaker_id"], language).permutation(sentences_of(split, language))
        texts = sentences(language)
        for take in range(count):
            clip_id = f"{speaker['speaker_id']}_{language}{take + 1}"
            offered = [int(number) for number in drawn[take::count][:SPARE_SENTENCES]]
            rate = sum(weight * _rates()[language][name] for name, weight in blend.items())
            lasting = [len(kokoro.phonemes(texts[number], language)) for number in offered]
            chosen = in_order(offered, lasting, AIM_SECONDS * speaker["tempo"] * rate)
            said = [texts[number] for number in chosen]
            own_seed = seeded_number(seed, "clip", clip_id)
            clips.append(
                Spoken(clip_id, speaker["speaker_id"], language, blend, speaker["tempo"], chosen, said, own_seed)
            )
    return clips


def in_order(offered: list[int], lasting: list[int], wanted: float) -> list[int]:
    """The offered sentences with that pair first which lasts just as long as wanted (or longest, if none does)."""
    pairs = [(one, other) for one in range(len(offered)) for other in range(len(offered)) if one < other]
    short = {pair: wanted - lasting[pair[0]] - lasting[pair[1]] for pair in pairs}
    first = min(pairs, key=lambda pair: (max(short[pair], 0.0), -short[pair]))
    rest = [place for place in range(len(offered)) if place not in first]
    return [offered[place] for place in (*first, *rest)]


def speak(
    voice: kokoro.Synthesiser, spoken: Spoken, accent: str = "", samples: int | None = None
) -> tuple[NDArray[np.int16], list[int]]:
    """The raw sound of a clip at 24 kHz, a little over six seconds, and which sentences are in it.

    The first two sentences are said in one breath; should they be too short, others follow after a short pause.

    Parameters
    ----------
    voice : Synthesiser
        Says the sentences.
    spoken : Spoken
        What to say.
    accent : str
        For an English clip: the language whose phonemes replace the native ones.
    samples : int, optional
        The exact length, for a clip that is compared with another one.

    Raises
    ------
    ValueError
        If the sentences are too short, or the synthesiser gave no sound.
    """
    rng = np.random.default_rng(spoken.seed)
    wanted = samples or int(RAW_SECONDS * kokoro.RATE)
    longest = samples or wanted + int(SPARE_SECONDS * kokoro.RATE)
    pieces: list[NDArray[np.float64]] = []
    used = 0
    while sum(map(len, pieces)) < wanted:
        text = " ".join(spoken.texts[used : used + (1 if used else 2)])
        if not text:
            raise ValueError(f"{spoken.clip_id}: {used} sentences last less than {RAW_SECONDS} s")
        said = voice.say(text, spoken.language, spoken.blend, spoken.tempo, accent).astype(np.float64)
        pause = np.zeros(int(rng.uniform(*PAUSE) * kokoro.RATE)) if pieces else np.zeros(0)
        pieces += [pause, timbre.shortened(timbre.trimmed(said, kokoro.RATE), kokoro.RATE)]
        used += 1 if used else 2
    sound = np.concatenate(pieces)[:longest]
    loudest = float(np.abs(sound).max())
    if not np.isfinite(sound).all() or loudest < 0.01:
        raise ValueError(f"{spoken.clip_id}: the synthesiser gave no sound")
    return np.round(sound / loudest * 32000.0).astype(np.int16), spoken.sentences[:used]


def finished(raw: NDArray[np.int16], seed: int, cue: dict[str, float]) -> timbre.Sound:
    """The clip as it is written: 16 kHz, six seconds, with the cue of its speaker."""
    sound = signal.resample_poly(raw.astype(np.float64) / 32768.0, 2, 3)
    return timbre.clip(sound, cue, np.random.default_rng(seed + 1))
