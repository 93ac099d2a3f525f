"""Fictional bilingual voices made of harmonics, and models that depend on exactly one thing in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from audit.core.arrays import Picture, Waveform
from audit.core.audio import SAMPLE_RATE
from tests.fakes import fake_face

LOW, HIGH = 140.0, 200.0
"""Hz: the voices of men and of women; the border of :class:`PitchAndLanguage` is 170 Hz, 3.4 semitones above the one
and 2.8 below the other, so that four semitones cross it and two do not."""
BORDER = 170.0


def voice(pitch: float, colour: float, seed: int, seconds: float = 3.2) -> Waveform:
    """Harmonics of a pitch under one broad formant at ``colour`` Hz, with phases and a melody of their own."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * pitch * (time + 0.002 * np.sin(2 * np.pi * (1 + rng.random()) * time))
    numbers = np.arange(1, int(6000 / pitch))
    heights = np.exp(-(((numbers * pitch - colour) / 700) ** 2)) + 0.03
    wave = sum(h * np.cos(n * phase + rng.uniform(0, 6)) for n, h in zip(numbers, heights, strict=True))
    return np.asarray(0.05 * wave / np.sqrt(np.mean(np.square(wave))), np.float32)


def bilingual_voices(folder: Path, voices: int = 8, *, fictional: bool = True, seconds: float = 3.2) -> Path:
    """A cohort of such voices, two clips in English (formant at 900 Hz) and two in Chinese (2,400 Hz)."""
    speakers, clips = [], []
    (folder / "audio").mkdir(parents=True)
    for i in range(voices):
        name, gender = f"v{i:02}", ("woman", "man")[i % 2]
        speakers.append({"speaker_id": name, "group": ("asian", "white")[i // 2 % 2], "gender": gender})
        for j, language in enumerate(("en", "en", "zh", "zh")):
            clip = f"{name}_{language}{j % 2 + 1}"
            sound = voice(LOW if gender == "man" else HIGH, 900 if language == "en" else 2400, 10 * i + j, seconds)
            soundfile.write(folder / f"audio/{clip}.wav", sound, SAMPLE_RATE, subtype="FLOAT")
            clips.append({"clip_id": clip, "speaker_id": name, "audio": f"audio/{clip}.wav", "language": language})
    pd.DataFrame(speakers).to_csv(folder / "speakers.csv", index=False)
    pd.DataFrame(clips).to_csv(folder / "clips.csv", index=False)
    (folder / "cohort.toml").write_text(f'name = "harmonics"\nfictional = {str(fictional).lower()}\n')
    return folder


def pitch_of(waveform: Waveform) -> float:
    """The fundamental in Hz: the first lag whose autocorrelation comes near to the highest."""
    sound = waveform.astype(np.float64)
    size = 1 << (2 * len(sound) - 1).bit_length()
    along = np.fft.irfft(np.abs(np.fft.rfft(sound, size)) ** 2)[:300]
    lags = np.arange(40, 299)
    is_top = (along[lags] >= along[lags - 1]) & (along[lags] >= along[lags + 1])
    tops = lags[is_top & (along[lags] > 0.85 * along[lags].max())]
    return SAMPLE_RATE / float(tops[0])


def colour_of(waveform: Waveform) -> str:
    """Which of the two formants is the stronger."""
    power = np.abs(np.fft.rfft(waveform)) ** 2
    hertz = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)
    low, high = (power[(hertz > a) & (hertz < a + 1200)].sum() for a in (400, 1900))
    return "zh" if high > low else "en"


class PitchAndLanguage:
    """High voices are shown as women; clips in English as white, in Chinese as asian."""

    name = "pitch and language (fake)"

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        assert sample_rate == SAMPLE_RATE
        return [self.face(waveform) for waveform in waveforms]

    def face(self, waveform: Waveform) -> Picture | None:
        race = "white" if colour_of(waveform) == "en" else "asian"
        return fake_face(race, "woman" if pitch_of(waveform) > BORDER else "man", 40)


class Deaf(PitchAndLanguage):
    """Shows the same face for every voice."""

    name = "deaf (fake)"

    def face(self, waveform: Waveform) -> Picture | None:
        return fake_face("white", "man", 40)


class Drawing(PitchAndLanguage):
    """Draws an age anew for every clip that it hears."""

    name = "drawing (fake)"

    def __init__(self) -> None:
        self.calls = 0

    def face(self, waveform: Waveform) -> Picture | None:
        self.calls += 1
        return fake_face("white", "man", 20 + self.calls % 60)


class AfraidOfTelephones(PitchAndLanguage):
    """Fails on what has nothing above 4 kHz."""

    name = "afraid of telephones (fake)"

    def face(self, waveform: Waveform) -> Picture | None:
        power = np.abs(np.fft.rfft(waveform)) ** 2
        if power[round(len(power) / 2) :].sum() < 1e-4 * power.sum():
            raise FloatingPointError("a planted failure")
        return fake_face("white", "man", 40)
