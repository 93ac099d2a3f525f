"""Every format that people bring, at any rate and with any number of channels; m4a where PyAV is installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.core.audio import clip_seconds, read_clip
from audit.core.audio_formats import AUDIO_SUFFIXES
from tests.conftest import tone
from tests.fakes import ColourInstrument, LoudnessModel

SECONDS = 2.5
needs_pyav = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV is not installed (the extra formats)"
)


def m4a(path: Path, rate: int, channels: int, codec: str = "aac", seconds: float = SECONDS) -> Path:
    """A tone in MP4, written by PyAV."""
    av = importlib.import_module("av")
    layout = "mono" if channels == 1 else "stereo"
    wave = 0.3 * np.sqrt(2) * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(wave[None].astype(np.float32), channels, axis=0), format="fltp", layout=layout
        )
        frame.sample_rate = rate
        frame.pts = 0
        converted = av.AudioResampler(format=stream.format, layout=layout, rate=rate, frame_size=stream.frame_size or 0)
        for piece in [*converted.resample(frame), *converted.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG", pytest.param("M4A", marks=needs_pyav)])
def test_a_clip_is_read_in_every_format(form: str, channels: int, rate: int, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form.lower()}"
    if form == "M4A":
        m4a(path, rate, channels)
    else:
        wave, _ = soundfile.read(tone(tmp_path / "t.wav", 0.3, SECONDS, rate, channels))
        soundfile.write(path, wave, rate, format=form)
    clip = read_clip(path)
    assert clip.status == "ok" and clip.waveform is not None, clip.detail
    assert clip.waveform.dtype == np.float32
    assert len(clip.waveform) / 16_000 == pytest.approx(SECONDS, abs=0.1)
    assert clip.seconds == pytest.approx(SECONDS, abs=0.1)
    assert clip_seconds(path) == pytest.approx(SECONDS, abs=0.1)
    middle = clip.waveform[8000:24_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3, rel=0.03)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(220, abs=2)
    assert ("2 channels were averaged" in clip.detail) == (channels == 2)


def test_each_format_is_looked_for_in_a_download() -> None:
    assert {".wav", ".flac", ".mp3", ".m4a", ".ogg"} <= AUDIO_SUFFIXES


@needs_pyav
def test_the_format_is_recognised_by_content(tmp_path: Path) -> None:
    path = m4a(tmp_path / "a.m4a", 16_000, 1)
    path.rename(tmp_path / "a.wav")
    tone(tmp_path / "b.wav").rename(tmp_path / "b.m4a")
    assert read_clip(tmp_path / "a.wav").status == read_clip(tmp_path / "b.m4a").status == "ok"
    assert clip_seconds(tmp_path / "b.m4a") == 2.0


@needs_pyav
def test_lossless_sound_in_mp4_is_exact(tmp_path: Path) -> None:
    clip = read_clip(m4a(tmp_path / "a.m4a", 16_000, 1, "alac"))
    wave = 0.3 * np.sqrt(2) * np.sin(2 * np.pi * 220 * np.arange(int(SECONDS * 16_000)) / 16_000)
    assert clip.waveform is not None
    np.testing.assert_allclose(clip.waveform, wave, atol=2 / 32_768)


@needs_pyav
def test_a_long_one_is_cut_and_only_so_far_decoded(tmp_path: Path) -> None:
    clip = read_clip(m4a(tmp_path / "a.m4a", 8000, 1, seconds=90), max_seconds=10)
    assert clip.waveform is not None and len(clip.waveform) == 160_000
    assert clip.seconds == pytest.approx(90, abs=0.2) and "cut to its first 10 s of 90 s" in clip.detail


@needs_pyav
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_m4a_has_a_status_and_never_a_traceback(tmp_path_factory: pytest.TempPathFactory, data) -> None:
    folder = tmp_path_factory.getbasetemp()
    sound = folder / "sound.m4a"
    if not sound.exists():
        m4a(sound, 16_000, 1)
    raw = bytearray(sound.read_bytes())
    for place in data.draw(st.lists(st.integers(8, len(raw) - 1), max_size=40)):
        raw[place] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(8, len(raw)))]
    (folder / "damaged.m4a").write_bytes(raw)
    clip = read_clip(folder / "damaged.m4a")
    assert clip.status in ("ok", "audio_unreadable", "audio_too_short", "audio_silent")
    assert clip.status == "ok" or clip.detail
    assert clip.waveform is None or np.isfinite(clip.waveform).all()
    length = clip_seconds(folder / "damaged.m4a")
    assert length is None or length >= 0


@needs_pyav
def test_a_picture_in_mp4_is_not_audio(tmp_path: Path) -> None:
    av = importlib.import_module("av")
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    clip = read_clip(tmp_path / "a.m4a")
    assert clip.status == "audio_unreadable" and "it has no audio" in clip.detail
    assert clip_seconds(tmp_path / "a.m4a") is None


def test_without_pyav_an_m4a_says_what_to_install(
    make_cohort: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    head = b"\0\0\0\x20ftypM4A " + bytes(64)
    cohort = make_cohort(2)
    (cohort / "audio" / "s1-en.wav").write_bytes(head)
    seen = audit.run(
        audit.Cohort.read(cohort), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run"
    )
    row = seen.observations.set_index("clip_id").loc["s1-en"]
    assert row["status"] == "audio_unreadable" and "pip install 'speech2face-audit[formats]'" in row["detail"]

    (tmp_path / "d" / "ann").mkdir(parents=True)
    (tmp_path / "d" / "ann" / "1.m4a").write_bytes(head)
    _, remarks = audit.import_cohort("folder", tmp_path / "d", tmp_path / "C")
    assert remarks[-1] == (
        "1 clips are in formats that need PyAV, which is not installed: pip install 'speech2face-audit[formats]'."
    )
