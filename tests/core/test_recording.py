"""Recording quality: calibrated loudness, planted noise, bandwidth and clipping, and what does not change a measure."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyloudnorm import Meter

from audit.core.arrays import Waveform
from audit.core.audio import read_clip
from audit.core.recording import RATE, RECORDING, Recording, measured, recording_columns
from audit.core.units import UNITS

Wave = NDArray[np.float64]
EMBEDDED = Path(__file__).parents[2] / "datasets" / "synthetic_bilingual"


def sine(dbfs: float, seconds: float = 5.0, hz: float = 997.0, rate: int = RATE) -> Wave:
    """A sine whose peak is at this level."""
    return 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def measure(wave: Wave | Waveform) -> Recording:
    return measured(wave.astype(np.float32))


def pink(n: int, rng: np.random.Generator) -> Wave:
    """Noise with equal power in every octave above 50 Hz, of power 1."""
    hz = np.fft.rfftfreq(n, 1 / RATE)
    spectrum = np.where(hz > 50, np.fft.rfft(rng.normal(size=n)) / np.sqrt(np.maximum(hz, 1)), 0)
    noise = np.fft.irfft(spectrum, n)
    return noise / noise.std()


def speech_like(rng: np.random.Generator, phrases: int = 4) -> tuple[Wave, NDArray[np.bool_]]:
    """Phrases of 1 s with four syllables each, after pauses of 0.5 s; and which samples are in a phrase."""
    time = np.arange(RATE) / RATE
    syllables = np.abs(np.sin(4 * np.pi * time))
    wave, spoken = np.zeros(0), np.zeros(0, bool)
    for _ in range(phrases):
        wave = np.concatenate([wave, np.zeros(RATE // 2), 0.1 * syllables * pink(RATE, rng)])
        spoken = np.concatenate([spoken, np.zeros(RATE // 2, bool), np.ones(RATE, bool)])
    return wave, spoken


@pytest.fixture(scope="module")
def voices() -> list[Waveform]:
    """Clips of the embedded cohort: clean, without noise between the sentences."""
    names = pd.read_csv(EMBEDDED / "clips.csv")["audio"][::32]
    return [clip.waveform for name in names if (clip := read_clip(EMBEDDED / name)).waveform is not None]


def test_every_field_is_declared_with_a_known_unit() -> None:
    assert [measure.name for measure in RECORDING] == [field.name for field in fields(Recording)]
    assert {measure.unit for measure in RECORDING} <= UNITS.keys()
    assert list(recording_columns(None).values()) == [None] * 5


# loudness


@pytest.mark.parametrize("dbfs", [0, -20, -40])
def test_a_sine_has_the_loudness_that_bs_1770_states(dbfs: float) -> None:
    """BS.1770-4: a sine of 997 Hz at 0 dBFS in one channel is -3.01 LUFS."""
    assert measure(sine(dbfs)).loudness == pytest.approx(dbfs - 3.01, abs=0.1)


@pytest.mark.parametrize(
    "parts",
    [
        [(-20, 20)],
        [(-33, 10), (-20, 60), (-33, 10)],
        [(-69, 10), (-33, 10), (-20, 60), (-33, 10), (-69, 10)],
    ],
)
def test_quiet_parts_are_gated_as_in_ebu_tech_3341(parts: list[tuple[float, float]]) -> None:
    """Cases 1, 3 and 4, each -23.0 LUFS: one channel has 3 dB more than each of the two there."""
    wave = np.concatenate([sine(level, seconds, 1000) for level, seconds in parts])
    assert measure(wave).loudness == pytest.approx(-23, abs=0.1)


def test_the_loudness_is_that_of_pyloudnorm(voices: list[Waveform]) -> None:
    meter = Meter(RATE, filter_class="DeMan")
    for voice in voices[:5]:
        whole = voice[: len(voice) // 1600 * 1600].astype(np.float64)
        assert measured(voice).loudness == pytest.approx(meter.integrated_loudness(whole), abs=0.0051)


def test_loudness_is_missing_where_every_block_is_below_the_gate() -> None:
    assert measure(sine(-66)).loudness == pytest.approx(-69, abs=0.1)
    assert measure(sine(-70)).loudness is None


# speech and noise


@pytest.mark.parametrize("snr", [10, 20, 30])
def test_the_seconds_of_speech_are_those_of_the_phrases(snr: float) -> None:
    rng = np.random.default_rng(1)
    wave, spoken = speech_like(rng)
    noise = np.sqrt(np.mean(wave[spoken] ** 2) / 10 ** (snr / 10)) * rng.normal(size=len(wave))
    assert measure(wave + noise).speech_seconds == pytest.approx(4.0, abs=0.25)


@pytest.mark.parametrize("snr", [0, 5, 10, 15, 20, 25, 30, 40, 50])
@pytest.mark.parametrize("kind", ["white", "pink"])
def test_planted_noise_is_measured_within_1_db(kind: str, snr: float) -> None:
    rng = np.random.default_rng(snr)
    wave, spoken = speech_like(rng)
    noise = rng.normal(size=len(wave)) if kind == "white" else pink(len(wave), rng)
    planted = np.sqrt(np.mean(wave[spoken] ** 2) / 10 ** (snr / 10)) * noise
    assert measure(wave + planted).snr == pytest.approx(snr, abs=1)


@pytest.mark.parametrize("snr", [5, 10, 15, 20, 25, 30])
@pytest.mark.parametrize("kind", ["white", "pink"])
def test_noise_mixed_into_voices_is_measured_within_2_db(voices: list[Waveform], kind: str, snr: float) -> None:
    rng = np.random.default_rng(snr)
    errors = []
    for voice in voices:
        frames = voice[: len(voice) // 320 * 320].reshape(-1, 320).astype(np.float64)
        loud = np.sort(frames.var(axis=1))[-round(measured(voice).speech_seconds / 0.02) :]  # type: ignore[operator]
        noise = rng.normal(size=len(voice)) if kind == "white" else pink(len(voice), rng)
        found = measure(voice + np.sqrt(loud.mean() / 10 ** (snr / 10)) * noise).snr
        assert found is not None
        errors.append(found - snr)
    assert np.abs(errors).max() < 2
    assert abs(np.mean(errors)) < 1.2


def test_noisier_copies_of_a_voice_are_ranked(voices: list[Waveform]) -> None:
    rng = np.random.default_rng(0)
    for voice in voices[:5]:
        noise = rng.normal(size=len(voice))
        found = [measure(voice + level * noise).snr for level in (0, 1e-3, 3e-3, 1e-2, 3e-2)]
        assert found == sorted(found, reverse=True)  # type: ignore[type-var]


def test_a_voice_with_nearly_no_noise_is_at_the_limit() -> None:
    rng = np.random.default_rng(2)
    wave, spoken = speech_like(rng)
    noise = np.sqrt(np.mean(wave[spoken] ** 2) / 10**7) * rng.normal(size=len(wave))
    assert measure(wave + noise).snr == 60


@pytest.mark.parametrize("snr", [5, 15, 30])
def test_digital_silence_around_a_noisy_clip_does_not_make_it_clean(snr: float) -> None:
    rng = np.random.default_rng(snr)
    wave, spoken = speech_like(rng)
    noisy = wave + np.sqrt(np.mean(wave[spoken] ** 2) / 10 ** (snr / 10)) * rng.normal(size=len(wave))
    padded = np.concatenate([np.zeros(RATE), noisy, np.zeros(RATE)])
    assert (measure(padded).snr, measure(padded).speech_seconds) == (measure(noisy).snr, measure(noisy).speech_seconds)


def test_the_seconds_of_speech_do_not_depend_on_digital_silence_in_pauses() -> None:
    wave, _ = speech_like(np.random.default_rng(2))
    assert measure(wave).speech_seconds == pytest.approx(4, abs=0.25)


@pytest.mark.parametrize("wave", [sine(-20), np.random.default_rng(3).normal(size=5 * RATE) * 0.1])
def test_a_steady_sound_has_no_speech(wave: Wave) -> None:
    found = measure(wave)
    assert (found.speech_seconds, found.snr) == (0, None)


# bandwidth


@pytest.mark.parametrize(("rate", "low", "high"), [(8_000, 3500, 4000), (11_025, 4900, 5513), (16_000, 5500, 8000)])
def test_the_bandwidth_shows_the_original_rate(
    voices: list[Waveform], tmp_path: Path, rate: int, low: float, high: float
) -> None:
    for i, voice in enumerate(voices):
        soundfile.write(path := tmp_path / f"{i}.wav", soxr.resample(voice, RATE, rate), rate)
        found = read_clip(path, measure_recording=True).recording
        assert found is not None and found.bandwidth is not None
        assert low <= found.bandwidth <= high


def test_the_bandwidth_of_a_tone_is_its_frequency() -> None:
    assert measure(sine(-20, hz=3000)).bandwidth == pytest.approx(3000, abs=100)


# clipping


def test_the_clipped_share_is_the_planted_one() -> None:
    wave = sine(0, hz=100)
    assert measure(np.clip(wave, -0.5, 0.5)).clipped == pytest.approx(2 / 3, abs=0.01)  # |sin| > 1/2
    assert measure(np.clip(wave, -1, 0.5)).clipped == pytest.approx(1 / 3, abs=0.01)
    assert measure(wave).clipped < 0.02  # its own smooth peaks


def test_voices_are_clipped_by_as_much_as_was_planted(voices: list[Waveform]) -> None:
    for voice in voices:
        assert measured(voice).clipped == 0
        limit = float(np.quantile(np.abs(voice), 0.98))
        found = measured(np.clip(voice, -limit, limit)).clipped
        assert found is not None
        assert 0.01 < found <= 0.0205  # runs of one or two samples do not count


def test_clipping_is_measured_before_resampling(tmp_path: Path) -> None:
    wave = np.clip(sine(0, hz=100, rate=44_100), -0.5, 0.5)
    soundfile.write(tmp_path / "clipped.wav", wave, 44_100)
    found = read_clip(tmp_path / "clipped.wav", measure_recording=True)
    assert found.recording is not None and found.waveform is not None
    assert found.recording.clipped == pytest.approx(2 / 3, abs=0.01)
    assert measured(found.waveform).clipped < 0.4  # type: ignore[operator]  # resampling has rounded the tops


# edges and properties


def test_silence_and_very_short_clips_are_missing_and_not_zero() -> None:
    assert measured(np.zeros(RATE, np.float32)) == Recording(0.0, None, None, None, 0.0)
    assert measured(np.zeros(1, np.float32)) == Recording(None, None, None, None, 0.0)
    assert measure(sine(-20, 0.399)) == Recording(None, None, None, None, 0.0)
    assert measure(sine(-20, 0.4)).loudness == pytest.approx(-23, abs=0.2)


def test_only_clips_that_can_be_rendered_are_measured(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(2 * RATE), RATE)
    soundfile.write(tmp_path / "short.wav", sine(-20, 0.5), RATE)
    soundfile.write(tmp_path / "long.wav", sine(-20, 4), RATE)
    assert read_clip(tmp_path / "silent.wav", measure_recording=True).recording is None
    assert read_clip(tmp_path / "short.wav", measure_recording=True).recording is None
    assert read_clip(tmp_path / "long.wav").recording is None
    cut = read_clip(tmp_path / "long.wav", max_seconds=2, measure_recording=True)
    assert cut.recording == measured(cut.waveform)  # type: ignore[arg-type]


WAVES = st.builds(
    lambda seed, seconds, level: (
        speech_like(np.random.default_rng(seed), 3)[0][: round(seconds * RATE)]
        + level * np.random.default_rng(seed).normal(size=min(round(seconds * RATE), 72_000))
    ),
    st.integers(0, 2**32 - 1),
    st.floats(0.001, 4.5),
    st.sampled_from([0.0, 1e-4, 1e-3, 1e-2]),
)


@settings(deadline=None, max_examples=60)
@given(wave=WAVES)
def test_every_value_is_within_its_range(wave: Wave) -> None:
    found = measure(wave)
    for each in RECORDING:
        value = each.of(found)
        assert value is None or (np.isfinite(value) and value == round(value, each.digits))
        assert value is None or each.largest is None or value <= each.largest
    assert found.speech_seconds is None or 0 <= found.speech_seconds <= len(wave) / RATE
    assert found.clipped is not None and 0 <= found.clipped <= 1
    assert found == measure(wave)


@settings(deadline=None, max_examples=60)
@given(wave=WAVES, gain=st.floats(-30, 20))
def test_a_gain_changes_the_loudness_alone(wave: Wave, gain: float) -> None:
    before, after = measure(wave), measure(wave * 10 ** (gain / 20))
    assert after.speech_seconds == pytest.approx(before.speech_seconds, abs=0.021)
    assert after.snr == pytest.approx(before.snr, abs=0.05)
    assert after.bandwidth == pytest.approx(before.bandwidth, abs=32)
    assert after.clipped == pytest.approx(before.clipped, abs=0.001)
    if before.loudness is not None and min(before.loudness, before.loudness + gain) > -50:
        assert after.loudness == pytest.approx(before.loudness + gain, abs=0.05)
