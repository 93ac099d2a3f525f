"""What the tests share: real data where it is at hand, and small cohorts made on the spot."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import wavfile

import audit
from audit.training.data import cohort_folder
from tests.fakes import ColourInstrument, fake_face
from tests.probing_fixture import PitchAndLanguage, bilingual_voices

ROOT = Path(__file__).parent.parent


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collection, which takes a tenth of the suite otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data for development; the test is skipped where it is absent."""
    folder = Path(os.environ.get("AUDIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real development data is not on this machine (AUDIT_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def training_part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight training and two validation speakers of the embedded training part, so that a step takes no time."""
    source, folder = cohort_folder("synthetic_bilingual/training"), tmp_path_factory.mktemp("training_part")
    speakers = pd.read_csv(source / "speakers.csv", dtype=str, keep_default_na=False)
    some = speakers[speakers["split"] == "training"].groupby("group").head(2)
    chosen = pd.concat([some, speakers[speakers["split"] == "validation"].head(2)])
    clips = pd.read_csv(source / "clips.csv", dtype=str, keep_default_na=False)
    clips = clips[clips["speaker_id"].isin(chosen["speaker_id"])]
    for path in [*chosen["portrait"], *clips["audio"]]:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(source / path, folder / path)
    chosen.to_csv(folder / "speakers.csv", index=False)
    clips.to_csv(folder / "clips.csv", index=False)
    shutil.copy(source / "cohort.toml", folder)
    return folder


@pytest.fixture(scope="session")
def harmonic_voices(tmp_path_factory: pytest.TempPathFactory) -> audit.Cohort:
    """Sixteen voices made of harmonics: the fewest with which a change of half of them is shown in a family of 4."""
    return audit.Cohort.read(bilingual_voices(tmp_path_factory.mktemp("harmonics") / "voices", 16, seconds=3.05))


@pytest.fixture(scope="session")
def harmonic_probe_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of :func:`harmonic_probe`, with its faces; its page may be written again."""
    return tmp_path_factory.mktemp("probe") / "out"


@pytest.fixture(scope="session")
def harmonic_probe(harmonic_voices: audit.Cohort, harmonic_probe_folder: Path) -> audit.Probe:
    """A probe with every factor, of a model that depends on pitch and language alone; made once."""
    return audit.probe(
        PitchAndLanguage(),
        instrument=ColourInstrument(),
        cohort=harmonic_voices,
        out=harmonic_probe_folder,
        cache="none",
    )


def tone(path: Path, level: float = 0.1, seconds: float = 2.0, rate: int = 16_000, channels: int = 1) -> Path:
    """A file with a tone of a set level (root mean square)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = level * np.sqrt(2) * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)
    # not by soundfile: the peak chunk of its float files holds the time, so that equal tones would differ
    wavfile.write(path, rate, np.repeat(wave[:, None], channels, axis=1).astype(np.float32))
    return path


def write_cohort(folder: Path, speakers: int = 8, faces: int = 16) -> Path:
    """A cohort of tones and fake faces: two groups, two languages, English louder."""
    rows, clips = [], []
    for i in range(speakers):
        group, gender = ("asian", "white")[i % 2], ("woman", "man")[i // 2 % 2]
        portrait = folder / "portraits" / f"s{i}.png"
        portrait.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(fake_face(group, gender, 30 + i % 40, faces)).save(portrait)
        rows.append(
            {
                "speaker_id": f"s{i}",
                "group": group,
                "gender": gender,
                "age": 30 + i % 40,
                "portrait": f"portraits/s{i}.png",
                "group_source": "synthetic",
                "gender_source": "synthetic",
            }
        )
        for language in ("en", "zh"):
            audio = f"audio/s{i}-{language}.wav"
            tone(folder / audio, level=0.3 if language == "en" else 0.1 + 0.001 * i)
            clips.append(
                {
                    "clip_id": f"s{i}-{language}",
                    "speaker_id": f"s{i}",
                    "audio": audio,
                    "language": language,
                    "language_source": "synthetic",
                }
            )
    pd.DataFrame(rows).to_csv(folder / "speakers.csv", index=False)
    pd.DataFrame(clips).to_csv(folder / "clips.csv", index=False)
    return folder


@pytest.fixture
def make_cohort(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes such a cohort into the test's folder."""

    def make(speakers: int = 8, name: str = "cohort", faces: int = 16) -> Path:
        return write_cohort(tmp_path / name, speakers, faces)

    return make
