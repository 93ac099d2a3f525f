"""A fake language identifier with planted confusion, and a small cohort of tones whose languages it names.

The frequency of a tone says its language, and whether it is accented. Nothing here is used outside the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import wavfile

from audit.core.arrays import Waveform

HERTZ = {"en": 200, "en, accented": 300, "zh": 400, "en, doubtful": 500}


class FakeIdentifier:
    """Names the language of a tone; calls accented English Chinese if ``confused``."""

    def __init__(self, name: str = "fake", confused: bool = False, sure: float = 0.95) -> None:
        self.name, self.confused, self.sure = name, confused, sure
        self.batches: list[int] = []

    def describe(self) -> dict[str, str]:
        return {"sure": str(self.sure)}

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[tuple[str, float]]:
        self.batches.append(len(waveforms))
        return [self._identify(waveform, sample_rate) for waveform in waveforms]

    def _identify(self, waveform: Waveform, sample_rate: int) -> tuple[str, float]:
        hertz = np.count_nonzero(np.diff(np.signbit(waveform))) / 2 * sample_rate / len(waveform)
        said = min(HERTZ, key=lambda name: abs(HERTZ[name] - hertz))
        if said == "en, accented":
            return ("cmn" if self.confused else "eng"), self.sure
        return said[:2], 0.5 if said == "en, doubtful" else self.sure


def fake_identifier(where: str = "", allow_download: bool = False) -> FakeIdentifier:
    """A factory, as ``module:name``: ``confused`` after ``=`` makes it confuse accented English."""
    return FakeIdentifier(f"fake {where}".strip(), where == "confused")


def tone(path: Path, said: str, number: int, seconds: float = 1.5) -> None:
    """A tone for what is said; by its loudness, files of one language differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = (0.1 + 0.001 * number) * np.sin(2 * np.pi * HERTZ[said] * np.arange(int(seconds * 16_000)) / 16_000)
    wavfile.write(path, 16_000, wave.astype(np.float32))


def unlabelled_cohort(folder: Path, clips: Sequence[tuple[str, str, str]]) -> Path:
    """A cohort of clips given as speaker, group and what is said; without a language."""
    for i, (_, _, said) in enumerate(clips):
        tone(folder / "audio" / f"{i}.wav", said, i)
    frame = pd.DataFrame(clips, columns=["speaker_id", "group", "said"])
    frame[["speaker_id", "group"]].drop_duplicates().to_csv(folder / "speakers.csv", index=False)
    names = [str(i) for i in range(len(clips))]
    made = frame[["speaker_id"]].assign(clip_id=names, audio=[f"audio/{name}.wav" for name in names], language="und")
    made.to_csv(folder / "clips.csv", index=False)
    (folder / "cohort.toml").write_text('name = "tones"\nnotes = "Made for a test."\n')
    return folder
