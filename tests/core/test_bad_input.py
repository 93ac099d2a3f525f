"""Files that are not what they say: each becomes a status of its clip, with nothing else lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

import audit
from audit.core.audio import read_clip
from audit.core.pictures import read_picture
from tests.conftest import tone
from tests.fakes import ColourInstrument, LoudnessModel


def not_audio(path: Path) -> None:
    path.write_text("this is a text")


def empty_wav(path: Path) -> None:
    soundfile.write(path, np.zeros(0, np.float32), 16_000)


def silence(path: Path) -> None:
    soundfile.write(path, np.zeros(32_000, np.float32), 16_000)


def too_short(path: Path) -> None:
    tone(path, 0.3, seconds=0.2)


def not_a_number(path: Path) -> None:
    wave = np.full(32_000, 0.1, np.float32)
    wave[100] = np.nan
    soundfile.write(path, wave, 16_000, subtype="FLOAT")


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (not_audio, "audio_unreadable"),
        (empty_wav, "audio_too_short"),
        (silence, "audio_silent"),
        (too_short, "audio_too_short"),
        (not_a_number, "audio_unreadable"),
        (gone, "audio_unreadable"),
    ],
)
def test_a_bad_clip_gets_a_status_and_fails_alone(
    make_cohort: Callable[..., Path], tmp_path: Path, spoil: Callable[[Path], None], status: str
) -> None:
    cohort = make_cohort()
    spoil(cohort / "audio" / "s1-en.wav")
    seen = audit.run(
        audit.Cohort.read(cohort), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    bad = seen.observations.set_index("clip_id").loc["s1-en"]
    assert bad["status"] == status
    assert bad["detail"]
    assert bad["rendered_race"] is None or pd.isna(bad["rendered_race"])
    assert bad["portrait_race"] == "white"
    assert set(seen.observations[seen.observations["clip_id"] != "s1-en"]["status"]) == {"ok"}


def test_stereo_at_another_rate_is_converted_with_a_note(tmp_path: Path) -> None:
    clip = read_clip(tone(tmp_path / "a.wav", 0.3, rate=44_100, channels=2))
    assert clip.status == "ok"
    assert clip.waveform is not None and clip.waveform.shape == (32_000,)
    assert np.sqrt(np.mean(clip.waveform**2)) == pytest.approx(0.3, rel=0.01)
    assert clip.detail == "2 channels were averaged; resampled from 44100 Hz"


@pytest.mark.parametrize(
    ("samples", "rate", "status"), [(0, 16_000, "too_short"), (2, 48_000, "too_short"), (3, 48_000, "ok")]
)
def test_a_clip_without_a_sample_at_16_khz_is_too_short_whatever_the_least_length(
    samples: int, rate: int, status: str, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile([0.5, -0.5], samples)[:samples], rate)
    clip = read_clip(tmp_path / "a.wav", min_seconds=0)
    assert clip.status.removeprefix("audio_") == status
    assert (clip.waveform is not None and len(clip.waveform) > 0) == (status == "ok")


def test_a_clip_of_an_hour_is_cut_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.tile(np.array([0.1, -0.1], np.float32), 30 * 8000), 8000)
    clip = read_clip(path, max_seconds=10)
    assert clip.waveform is not None and len(clip.waveform) == 160_000
    assert "cut to its first 10 s of 60 s" in clip.detail


def test_an_unreadable_portrait_leaves_the_clip_rendered(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    cohort = make_cohort()
    (cohort / "portraits" / "s1.png").write_text("no picture")
    (cohort / "portraits" / "s3.png").unlink()
    Image.fromarray(np.full((32, 32, 3), 255, np.uint8)).save(cohort / "portraits" / "s5.png")
    seen = audit.run(
        audit.Cohort.read(cohort), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    rows = seen.observations.set_index("clip_id")
    for clip, status, detail in (
        ("s1-en", "unreadable", "no picture that can be decoded"),
        ("s3-en", "file_missing", "FileNotFoundError"),
        ("s5-en", "missing", "blank placeholder"),
    ):
        assert rows.loc[clip, "status"] == "portrait_missing"
        assert rows.loc[clip, "portrait_status"] == status
        assert detail in rows.loc[clip, "detail"]
        assert rows.loc[clip, "rendered_race"] == "white"
        assert pd.isna(rows.loc[clip, "rendered_similarity"])
    assert (rows["status"] == "ok").sum() == 10


def test_a_picture_of_twenty_thousand_pixels_a_side_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    found = read_picture(tmp_path / "bomb.png")
    assert found.status == "unreadable"
    assert "400000000 pixels" in found.detail


def test_a_large_picture_is_scaled_with_a_note(tmp_path: Path) -> None:
    Image.effect_noise((3000, 1500), 50).convert("RGB").save(tmp_path / "large.jpg")
    found = read_picture(tmp_path / "large.jpg")
    assert found.pixels is not None and found.pixels.shape == (512, 1024, 3)
    assert found.detail == "scaled from 3000 x 1500 pixels"
