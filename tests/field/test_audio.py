"""Audio as people have it: the cases audio/calls of the field cases, and others of their kinds."""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

import audit
from audit.cohorts.importing import import_cohort
from audit.core.audio import Clip, clip_seconds, read_clip
from audit.core.plan import RunSettings
from tests.cli.test_cli import command, fake_plan
from tests.fakes import ColourInstrument, LoudnessModel

RATE = 16_000
CASES = Path(__file__).parent / "cases" / "audio"
VOICES = sorted((Path(__file__).parents[2] / "datasets" / "synthetic_bilingual" / "audio").glob("*.ogg"))
needs_pyav = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV is not installed (the extra formats)"
)
Samples = NDArray[np.float32]


def voice(number: int = 0, seconds: float = 4.0) -> Samples:
    """The first seconds of an embedded clip."""
    samples: Samples = soundfile.read(VOICES[number], dtype="float32")[0][: int(seconds * RATE)]
    assert len(samples) == seconds * RATE
    return samples


def encoded(samples: Samples, form: str = "WAV", **how: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=form, **how)
    return file.getvalue()


def by_ffmpeg(path: Path, container: str, codec: str, rate: int = RATE) -> Path:
    """A voice written by PyAV."""
    av = importlib.import_module("av")
    frame = av.AudioFrame.from_ndarray(soxr.resample(voice(), RATE, rate)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono", bit_rate=64_000)
        frames = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or 0)
        for piece in [*frames.resample(frame), *frames.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return path


def read(folder: Path, data: bytes, **how: Any) -> Clip:
    """The clip in these bytes; its message has no path and no address in memory."""
    (folder / "clip.wav").write_bytes(data)
    clip = read_clip(folder / "clip.wav", **how)
    assert str(folder) not in clip.detail and " 0x" not in clip.detail and "object at" not in clip.detail
    return clip


def samples_of(clip: Clip) -> Samples:
    assert clip.status == "ok" and clip.waveform is not None, clip.detail
    return clip.waveform


class TestWellFormedFiles:
    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_an_embedded_clip_is_its_samples(self, number: int) -> None:
        """Bit for bit what libsndfile decodes: nothing that is done to damaged files touches a sound one."""
        clip = read_clip(VOICES[number])
        np.testing.assert_array_equal(samples_of(clip), soundfile.read(VOICES[number], dtype="float32")[0])
        assert clip.detail == ""

    @pytest.mark.parametrize("form", ["WAV", "AIFF", "AU", "FLAC", "MP3", "CAF"])
    def test_a_written_clip_is_its_samples(self, form: str, tmp_path: Path) -> None:
        data = encoded(voice(), form)
        with soundfile.SoundFile(io.BytesIO(data)) as file:  # soundfile.read also seeks, which changes MP3 by 4e-8
            expected = file.read(dtype="float32")
        clip = read(tmp_path, data)
        np.testing.assert_array_equal(samples_of(clip), expected)
        assert clip.detail == "" and clip.seconds == len(expected) / RATE

    def test_two_channels_are_averaged_exactly(self, tmp_path: Path) -> None:
        both = np.stack([voice(), 0.7 * voice()], axis=1)
        clip = read(tmp_path, encoded(both, subtype="FLOAT"))
        np.testing.assert_array_equal(samples_of(clip), both.mean(axis=1, dtype=np.float32))
        assert clip.detail == "2 channels were averaged"

    def test_floating_point_samples_may_exceed_full_scale(self, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(3 * voice(), subtype="FLOAT"))
        np.testing.assert_array_equal(samples_of(clip), 3 * voice())
        assert clip.detail == ""


class TestLength:
    """The length is what was decoded."""

    @pytest.mark.parametrize("stated", [0, 32_000, 4 * RATE * 2 * 10, 0xFFFFFFFF])
    @pytest.mark.parametrize(
        ("form", "chunk", "layout", "head"), [("WAV", b"data", "<I", 0), ("AIFF", b"SSND", ">I", 8)]
    )
    def test_a_wrong_size_in_the_header(
        self, form: str, chunk: bytes, layout: str, head: int, stated: int, tmp_path: Path
    ) -> None:
        data = bytearray(encoded(voice(), form))
        struct.pack_into(layout, data, data.index(chunk) + 4, stated)
        struct.pack_into(layout, data, 4, 0)
        clip = read(tmp_path, bytes(data))
        np.testing.assert_array_equal(samples_of(clip), samples_of(read(tmp_path, encoded(voice(), form))))
        (tmp_path / "killed.wav").write_bytes(data)
        assert clip.seconds == clip_seconds(tmp_path / "killed.wav") == 4.0
        assert clip.detail == f"its header states {stated} bytes of sound, and {4 * RATE * 2 + head} were found"

    def test_a_wrong_size_in_an_au_header(self, tmp_path: Path) -> None:
        data = bytearray(encoded(voice(), "AU"))
        struct.pack_into(">I", data, 8, 0)
        clip = read(tmp_path, bytes(data))
        assert clip.seconds == 4.0 and "its header states 0 bytes of sound" in clip.detail

    @pytest.mark.parametrize(
        "end", [b"LIST\x04\x00\x00\x00INFO" * 200, b"TAG" + bytes(125), bytes(5000), b"\x07" * 100]
    )
    def test_what_follows_the_sound_is_not_sound(self, end: bytes, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(voice()) + end)
        assert clip.seconds == 4.0 and clip.detail == ""

    def test_a_cut_off_file(self, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(voice())[: 44 + 3 * RATE * 2])
        np.testing.assert_array_equal(samples_of(clip), samples_of(read(tmp_path, encoded(voice())))[: 3 * RATE])
        assert clip.seconds == 3.0 and "its header states 128000 bytes of sound, and 96000 were found" in clip.detail

    def vbr(self) -> bytes:
        """MP3 with a variable bit rate, of 4 s; soft at first, so that its first frames are smaller than the others."""
        samples = voice() * np.repeat(np.float32([0.01, 1, 1, 1]), RATE)
        return encoded(samples, "MP3", bitrate_mode="VARIABLE", compression_level=0.3)

    def test_mp3_without_a_header(self, tmp_path: Path) -> None:
        data = self.vbr()
        whole = samples_of(read(tmp_path, data))
        place = data.index(b"Xing")
        clip = read(tmp_path, data[:place] + bytes(4) + data[place + 4 :])
        # a frame of 576 samples that was the header, and the encoder's delay, are no longer left out
        assert 4.0 <= len(samples_of(clip)) / RATE <= 4.2 and clip.seconds == len(samples_of(clip)) / RATE
        assert np.sum(samples_of(clip) ** 2) == pytest.approx(np.sum(whole**2), rel=0.01)
        assert clip_seconds(tmp_path / "clip.wav") == pytest.approx(4.1, abs=0.1)

    @pytest.mark.parametrize("stated", [100_000, 20])
    def test_mp3_with_a_wrong_header(self, stated: int, tmp_path: Path) -> None:
        data = self.vbr()
        whole = samples_of(read(tmp_path, data))
        place = data.index(b"Xing") + 8
        (number,) = struct.unpack(">I", data[place : place + 4])
        clip = read(tmp_path, data[:place] + struct.pack(">I", stated) + data[place + 4 :])
        np.testing.assert_array_equal(samples_of(clip)[: len(whole)], whole)
        assert clip.seconds == pytest.approx(4.0, abs=0.1)
        assert clip.detail == f"its header states {stated} MP3 frames, and {number} were found"
        assert clip_seconds(tmp_path / "clip.wav") == pytest.approx(4.05, abs=0.1)

    def test_one_mp3_after_another(self, tmp_path: Path) -> None:
        clip = read(tmp_path, 2 * self.vbr())
        assert clip.seconds == pytest.approx(8.05, abs=0.1)

    def test_a_long_mp3_without_a_header_is_cut_by_the_limit(self, tmp_path: Path) -> None:
        data = self.vbr()
        place = data.index(b"Xing")
        clip = read(tmp_path, data[:place] + bytes(4) + data[place + 4 :], max_seconds=2)
        assert len(samples_of(clip)) == 2 * RATE and "cut to its first 2 s of 4 s" in clip.detail


class TestLevel:
    def test_a_constant_is_silent(self, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(np.full(4 * RATE, 0.1, np.float32)))
        assert clip.status == "audio_silent" and "without a constant offset" in clip.detail

    def test_a_voice_on_a_constant_is_not_changed(self, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(voice() + np.float32(0.1), subtype="FLOAT"))
        np.testing.assert_array_equal(samples_of(clip), voice() + np.float32(0.1))

    @pytest.mark.parametrize("bits", [16, 24, 32])
    def test_floating_point_samples_at_the_scale_of_integers(self, bits: int, tmp_path: Path) -> None:
        scale = np.float32(1 << bits - 1)
        clip = read(tmp_path, encoded(voice() * scale, subtype="FLOAT"))
        np.testing.assert_array_equal(samples_of(clip), voice())
        assert f"integers of {bits} bits" in clip.detail and f"divided by {1 << bits - 1}" in clip.detail

    def test_soft_noise_at_the_scale_of_integers_is_silent(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(-3, 4, 4 * RATE).astype(np.float32)
        assert read(tmp_path, encoded(noise, subtype="FLOAT")).status == "audio_silent"

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
    def test_no_scale_is_refused(self, value: float, tmp_path: Path) -> None:
        samples = voice().copy()
        samples[100] = value
        assert read(tmp_path, encoded(samples, subtype="FLOAT")).status == "audio_unreadable"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"an empty file \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a git-lfs pointer.*run git lfs pull"),
        (b"/annex/objects/SHA256E-s9--0.wav\n", "a git-annex pointer.*run git annex get"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (bytes(40_000), "a file of zero bytes only"),
    ],
)
def test_a_file_in_place_of_the_real_one_is_named(data: bytes, words: str, tmp_path: Path) -> None:
    clip = read(tmp_path, data)
    assert clip.status == "audio_unreadable"
    assert re.search(words, clip.detail), clip.detail


class TestFormats:
    @needs_pyav
    @pytest.mark.parametrize(
        ("name", "container", "codec", "rate"),
        [
            ("browser.webm", "webm", "libopus", 48_000),
            ("call.mka", "matroska", "aac", RATE),
            ("phone.aac", "adts", "aac", RATE),
            ("phone.3gp", "3gp", "aac", RATE),
            ("film.mp4", "mp4", "aac", RATE),
            ("film.mov", "mov", "aac", RATE),
            ("desk.wma", "asf", "wmav2", 44_100),
            ("mail.wav", "wav", "adpcm_ms", RATE),
        ],
    )
    def test_formats_of_browsers_and_phones(
        self, name: str, container: str, codec: str, rate: int, tmp_path: Path
    ) -> None:
        path = by_ffmpeg(tmp_path / name, container, codec, rate)
        clip = read_clip(path)
        assert np.sqrt(np.mean(samples_of(clip) ** 2)) == pytest.approx(np.sqrt(np.mean(voice() ** 2)), rel=0.1)
        assert clip.seconds == pytest.approx(4.0, abs=0.15)
        assert clip_seconds(path) == pytest.approx(4.0, abs=0.15)

    @needs_pyav
    def test_amr(self) -> None:
        clip = read_clip(CASES / "amr.amr")
        assert samples_of(clip).shape == (4 * RATE,) and clip.detail == "resampled from 8000 Hz"
        assert clip_seconds(CASES / "amr.amr") == 4.0

    @needs_pyav
    def test_what_libsndfile_refuses_is_tried_again(self, tmp_path: Path) -> None:
        data = bytearray(encoded(voice(), "FLAC"))
        data[21] &= 0xF0
        data[22:26] = bytes(4)  # a length of zero samples, as an encoder writes into a pipe
        clip = read(tmp_path, bytes(data))
        assert clip_seconds(tmp_path / "clip.wav") == pytest.approx(4.0)
        np.testing.assert_array_equal(samples_of(clip), samples_of(read(tmp_path, encoded(voice()))))

    @needs_pyav
    def test_both_decoders_refuse(self, tmp_path: Path) -> None:
        """A desc chunk of CAF with 25 channels, which PyAV must not copy."""
        data = bytearray(encoded(voice(), "CAF"))
        struct.pack_into(">I", data, data.index(b"desc") + 36, 25)
        clip = read(tmp_path, bytes(data))
        assert clip.status == "audio_unreadable" and "PyAV cannot decode it either" in clip.detail

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (b"\x1a\x45\xdf\xa3", "WebM or MKV needs PyAV: pip install"),
            (b"#!AMR\n", "AMR needs PyAV"),
            (b"\xff\xf1", "AAC needs PyAV"),
            (b"no audio", r"Format not recognised. Supported are WAV, .* with PyAV also .*WebM.*AAC, AMR.*pip install"),
        ],
    )
    def test_without_pyav_the_message_says_what_is_supported(
        self, start: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "av", None)
        clip = read(tmp_path, start + bytes(64))
        assert clip.status == "audio_unreadable"
        assert re.search(words, clip.detail), clip.detail

    def test_files_with_these_endings_are_found_in_speakers_folders(self, tmp_path: Path) -> None:
        names = ["a.webm", "b.aac", "c.MP4", "d.3gp", "e.aiff", "f.amr", "g.wav"]
        for name in names:
            (tmp_path / "download" / name[0]).mkdir(parents=True)
            (tmp_path / "download" / name[0] / name).write_bytes(encoded(voice()))
        cohort, _ = import_cohort("folder", tmp_path / "download", tmp_path / "cohort")
        assert sorted(Path(path).name for path in cohort.table["audio"]) == names


class TestChannels:
    def test_opposite_phase(self, tmp_path: Path) -> None:
        data = encoded(np.stack([voice(), -voice()], axis=1), subtype="FLOAT")
        clip = read(tmp_path, data)
        assert clip.status == "audio_silent"
        assert "2 channels" in clip.detail and "opposite phase" in clip.detail and "--channel left" in clip.detail
        np.testing.assert_array_equal(samples_of(read(tmp_path, data, channel="left")), voice())
        np.testing.assert_array_equal(samples_of(read(tmp_path, data, channel="right")), -voice())

    def test_what_is_left_of_opposite_phase_is_reported(self, tmp_path: Path) -> None:
        clip = read(tmp_path, encoded(np.stack([voice(), -0.95 * voice()], axis=1), subtype="FLOAT"))
        assert clip.status == "ok" and "opposite phase" in clip.detail

    @pytest.mark.parametrize("in_turn", [True, False])
    def test_two_speakers_of_a_call_are_not_one_voice(self, in_turn: bool, tmp_path: Path) -> None:
        turn = np.arange(4 * RATE) // RATE % 2
        line = 1e-4 * np.random.default_rng(0).standard_normal((2, 4 * RATE)).astype(np.float32)
        left, right = (voice(0) * turn, voice(5) * (1 - turn)) if in_turn else (voice(0), voice(5))
        data = encoded(np.stack([left + line[0], right + line[1]], axis=1), subtype="FLOAT")
        clip = read(tmp_path, data)
        assert clip.are_two_voices
        assert clip.detail.startswith(
            "2 channels were averaged, but are uncorrelated and may be two speakers: use --channel"
        )
        one = read(tmp_path, data, channel="left")
        np.testing.assert_array_equal(samples_of(one), (left + line[0]).astype(np.float32))
        assert not one.are_two_voices and one.detail == "the left of 2 channels was used"

    @pytest.mark.parametrize("kind", ["equal", "delayed", "one side", "one side with noise", "reverberant"])
    def test_one_speaker_in_two_channels_is_one_voice(self, kind: str, tmp_path: Path) -> None:
        random = np.random.default_rng(1)
        decay = np.exp(-np.arange(RATE // 5) / (RATE / 20))
        room = [np.convolve(voice(), random.standard_normal(len(decay)) * decay)[: 4 * RATE] for _ in range(2)]
        other = {
            "equal": voice(),
            "delayed": np.roll(voice(), 80),
            "one side": 0 * voice(),
            "one side with noise": 0.02 * random.standard_normal(4 * RATE),
            "reverberant": voice() + 0.05 * room[0],
        }[kind]
        first = voice() + (0.05 * room[1] if kind == "reverberant" else 0)
        clip = read(tmp_path, encoded(np.stack([first, other], axis=1), subtype="FLOAT"))
        assert clip.detail == "2 channels were averaged" and not clip.are_two_voices

    def test_what_the_model_hears_decides_the_key_in_the_cache(self, tmp_path: Path) -> None:
        stereo, mono = encoded(np.stack([voice(0), voice(5)], axis=1)), encoded(voice())
        keys = {read(tmp_path, stereo, channel=channel).source for channel in ("mix", "left", "right")}
        assert len(keys) == 3
        assert len({read(tmp_path, mono, channel=channel).source for channel in ("mix", "left", "right")}) == 1

    def test_a_run_says_how_many_calls_it_averaged(self, make_cohort: Callable[..., Path], tmp_path: Path) -> None:
        cohort = make_cohort(4)
        for name in ("s1-en", "s2-zh"):
            call = encoded(np.stack([voice(0), voice(5)], axis=1))
            (cohort / "audio" / f"{name}.wav").write_bytes(call)
        done = command("run", fake_plan(cohort, tmp_path), "-o", tmp_path / "mix")
        assert done.returncode == 0, done.stderr
        message = " ".join(done.stderr.split())
        assert "2 clips have two uncorrelated channels" in message and "--channel left or --channel right" in message
        assert audit.Run.read(tmp_path / "mix").manifest["two_voices"] == 2

        done = command("run", fake_plan(cohort, tmp_path), "--channel", "left", "-o", tmp_path / "left")
        assert done.returncode == 0, done.stderr
        assert "uncorrelated" not in done.stderr
        left = audit.Run.read(tmp_path / "left")
        assert left.manifest["settings"]["channel"] == "left" and "two_voices" not in left.manifest
        details = left.observations.set_index("clip_id")["detail"]
        assert "the left of 2 channels was used" in details["s1-en"] and "channel" not in details["s1-zh"]

    def test_a_run_of_another_channel_is_another_run(self, make_cohort: Callable[..., Path], tmp_path: Path) -> None:
        def run(settings: RunSettings) -> audit.Run:
            cohort = audit.Cohort.read(tmp_path / "cohort")
            return audit.run(
                cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run", settings=settings
            )

        make_cohort(2)
        assert "channel" not in run(RunSettings()).manifest["settings"]
        with pytest.raises(audit.RunError, match="contains another run: its settings was"):
            run(RunSettings(channel="right"))

    def test_a_channel_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(audit.AuditError, match="channel"):
            audit.Plan.parse('[run]\nchannel = "centre"\n')


def test_equal_runs_over_damaged_files_have_equal_digests(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    cohort = make_cohort(4)
    damaged = (
        b"",
        b"no audio",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\x1a\x45\xdf\xa3" + bytes(60),
        b"RIFF",
    )
    for number, data in enumerate((*damaged, b"\0\0\0\x20ftypM4A " + bytes(64))):
        sorted((cohort / "audio").iterdir())[number].write_bytes(data)
    digests = {
        audit.run(
            audit.Cohort.read(cohort),
            model=LoudnessModel(),
            instrument=ColourInstrument(),
            out=tmp_path / f"run-{number}",
        ).digest
        for number in range(2)
    }
    assert len(digests) == 1
