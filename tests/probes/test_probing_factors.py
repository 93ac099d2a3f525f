"""The factors of a probe: each changes the one thing that it names, by as much as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from audit.core.audio import SAMPLE_RATE
from audit.core.voice_change import shifted
from audit.probes.channel import from_mu_law, mu_law, telephoned
from audit.probes.factors import AGAIN, ALTERED, FACTORS, PITCH_BACK, TELEPHONE, levelled
from tests.probing_fixture import pitch_of, voice

BY_NAME = {factor.name: factor for factor in FACTORS}


def level(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def centre(sound: np.ndarray) -> float:
    """Where the power lies on the axis of frequency, in Hz: the formant, of a voice of one formant."""
    power, hertz = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return float((power * hertz).sum() / power.sum())


@pytest.mark.parametrize("semitones", [-4, -2, 2, 4])
def test_a_tone_moves_to_the_right_frequency_and_lasts_as_long(semitones: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    higher = shifted(tone, semitones)
    assert len(higher) == len(tone) and higher.dtype == np.float32
    found = np.abs(np.fft.rfft(higher)).argmax() / 2
    assert found == pytest.approx(440 * 2 ** (semitones / 12), abs=1.0)


@pytest.mark.parametrize("semitones", [-4, -2, 2, 4])
@pytest.mark.parametrize("pitch", [110.0, 220.0])
def test_a_voice_changes_its_pitch_and_keeps_its_envelope(pitch: float, semitones: int) -> None:
    before = voice(pitch, 1500, seed=1)
    name = f"pitch_{'up' if semitones > 0 else 'down'}_{abs(semitones)}"
    after, lowered = BY_NAME[name].applied(before)
    assert after is not None and len(after) == len(before) and lowered == 0
    assert pitch_of(after) / pitch_of(before) == pytest.approx(2 ** (semitones / 12), rel=0.02)
    assert centre(after) == pytest.approx(centre(before), rel=0.07), "other harmonics stand under the same formant"
    plain = signal.resample(before, round(len(before) / 2 ** (semitones / 12)))
    assert centre(plain) == pytest.approx(centre(before) * 2 ** (semitones / 12), rel=0.01), (
        "as a plain change of speed"
    )
    assert level(after) == pytest.approx(level(before), rel=1e-4)


def test_no_shift_is_no_change_and_a_shift_there_and_back_ends_at_the_pitch_it_began_at() -> None:
    before = voice(140, 900, seed=2)
    assert shifted(before, 0) is before
    back, _ = PITCH_BACK.applied(before)
    assert back is not None and pitch_of(back) == pytest.approx(pitch_of(before), rel=0.01)
    assert not np.array_equal(back, before)


def test_a_telephone_passes_its_band_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    noise = (0.05 * rng.standard_normal(3 * SAMPLE_RATE)).astype(np.float32)
    received, _ = TELEPHONE.applied(noise)
    assert received is not None and len(received) == len(noise)
    hertz, power = signal.welch(received, SAMPLE_RATE, nperseg=2048)
    inside = power[(hertz > 400) & (hertz < 3200)].mean()
    for low, high, decibels in ((0, 150, -30), (3900, 4200, -25), (4500, 8000, -40)):
        outside = power[(hertz >= low) & (hertz < high)].mean()
        assert 10 * np.log10(outside / inside) < decibels, (low, high)
    edges = [power[np.abs(hertz - edge).argmin()] / inside for edge in (300, 3400)]
    assert all(-6 < 10 * np.log10(edge) < 0 for edge in edges), "3 dB down at the edges, as a Butterworth filter is"


def test_mu_law_is_that_of_g711() -> None:
    values = from_mu_law(np.arange(256, dtype=np.uint8))
    assert values[:4].tolist() == [-32124, -31100, -30076, -29052], "the first codes of the table in G.711"
    assert values[0x7F] == values[0xFF] == 0 and values[0x80] == 32124
    others = np.delete(np.arange(256), 0x7F)  # minus zero is never sent
    assert np.array_equal(mu_law(values[others]), others)
    ramp = np.arange(-32635, 32636)
    error = np.abs(from_mu_law(mu_law(ramp)) - ramp)
    assert (error <= np.maximum(4, np.abs(ramp + np.sign(ramp) * 132) / 31)).all(), "half a step of the segment"


def test_silence_stays_silent_on_the_telephone() -> None:
    assert not telephoned(np.zeros(SAMPLE_RATE, np.float32)).any()


@pytest.mark.parametrize(("name", "seconds"), [("first_3_s", 3.0), ("first_1_5_s", 1.5)])
def test_the_first_seconds_are_the_same_samples_and_a_short_clip_gives_none(name: str, seconds: float) -> None:
    before = voice(140, 900, seed=3)
    after, lowered = BY_NAME[name].applied(before)
    assert after is not None and np.array_equal(after, before[: round(seconds * SAMPLE_RATE)]) and lowered == 0
    assert BY_NAME[name].applied(before[: round(seconds * SAMPLE_RATE)]) == (None, 0.0)


def test_the_same_clip_again_is_the_same_samples_in_another_place() -> None:
    before = voice(140, 900, seed=4)
    after, lowered = AGAIN.applied(before)
    assert after is not None and np.array_equal(after, before) and after is not before and lowered == 0


@settings(max_examples=40, deadline=None)
@given(
    peak=st.floats(0.01, 1.5),
    wanted=st.floats(0.01, 1.5),
    seed=st.integers(0, 2**16),
)
def test_levels_are_kept_without_clipping(peak: float, wanted: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, like = rng.standard_normal(64) ** 3, rng.standard_normal(64)
    clip = (peak * shape / np.abs(shape).max()).astype(np.float32)
    like = (wanted * like / np.abs(like).max()).astype(np.float32)
    made, lowered = levelled(clip, like)
    assert np.abs(made).max() <= max(1.0, float(np.abs(like).max())) * (1 + 1e-6)
    assert level(made) == pytest.approx(level(like) * 10 ** (-lowered / 20), rel=1e-4)
    assert np.allclose(made / np.abs(made).max(), clip / np.abs(clip).max(), atol=1e-5), "scaled, not cut"


@pytest.mark.parametrize("factor", ALTERED, ids=lambda factor: factor.name)
def test_every_factor_is_deterministic_leaves_its_input_unchanged_and_names_its_source(factor) -> None:
    before = voice(140, 900, seed=5, seconds=3.1)
    kept = before.copy()
    one, two = factor.applied(before)[0], factor.applied(before)[0]
    assert one is not None and np.array_equal(one, two) and np.array_equal(before, kept)
    assert one.dtype == np.float32 and np.isfinite(one).all() and np.abs(one).max() <= 1
    assert factor.formula and factor.source
