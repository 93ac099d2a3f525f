"""Derived voices: the old cue is gone, the new one is there, and the voice is changed by as much as asked."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import audit
from audit.cohorts.drawing import timbre
from audit.cohorts.drawing.derived import Derived
from audit.cohorts.drawing.speakers import people
from audit.core.voice_change import changed
from tests.probing_fixture import pitch_of

RATE = timbre.RATE


def vowel(pitch: float, resonances: tuple[float, ...], seconds: float = 2.0) -> np.ndarray:
    """Harmonics under three resonances, each a bell of 150 Hz."""
    time = np.arange(round(seconds * RATE)) / RATE
    numbers = np.arange(1, int(7000 / pitch))
    heights = sum(np.exp(-0.5 * ((numbers * pitch - hertz) / 150) ** 2) for hertz in resonances) + 0.003
    phases = np.random.default_rng(0).uniform(0, 6, len(numbers))
    wave = sum(h * np.cos(2 * np.pi * n * pitch * time + p) for n, h, p in zip(numbers, heights, phases, strict=True))
    return np.asarray(0.1 * wave / np.abs(wave).max(), np.float32)


def resonance(sound: np.ndarray, low: float, high: float) -> float:
    """The centre of power between two frequencies, in Hz."""
    power, hertz = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / RATE)
    inside = (hertz > low) & (hertz < high)
    return float((power * hertz)[inside].sum() / power[inside].sum())


class TestChangedVoice:
    """A vowel with resonances at 700, 1,900 and 3,000 Hz; a tract 1.2 times as long divides them by 1.2.

    The tolerances are those of harmonics 100 to 120 Hz apart, which sample a resonance of 150 Hz at few points.
    """

    @pytest.mark.parametrize("tract", [0.9, 1.0, 1.2])
    def test_the_tract_moves_the_resonances_and_not_the_pitch(self, tract: float) -> None:
        after = changed(vowel(120, (700, 1900, 3000)), tract=tract)
        assert pitch_of(after) == pytest.approx(120, rel=0.01)
        for hertz, reach in ((700, 350), (1900, 500), (3000, 500)):
            wanted = hertz / tract
            assert resonance(after, wanted - reach, wanted + reach) == pytest.approx(wanted, rel=0.035)

    @pytest.mark.parametrize("semitones", [-3, 3])
    def test_all_three_are_changed_at_once(self, semitones: float) -> None:
        before = vowel(100, (700, 1900, 3000))
        after = changed(before, semitones, tract=1.1, duration=1.1)
        assert len(after) == round(1.1 * len(before))
        assert pitch_of(after) == pytest.approx(100 * 2 ** (semitones / 12), rel=0.02)
        assert resonance(after, 1900 / 1.1 - 500, 1900 / 1.1 + 500) == pytest.approx(1900 / 1.1, rel=0.05)

    def test_nothing_asked_is_nothing_done(self) -> None:
        before = vowel(120, (700,))
        assert changed(before) is before


class TestCue:
    def test_the_new_cue_is_heard_and_the_old_one_is_not(self) -> None:
        """Each source clip twice, for opposite new cues: the difference of the two long-term spectra is the cue's.

        Against a flat cue (all three coordinates 0) the coordinate found is the speaker's, for every axis. With the
        source's cue still in it, a flat cue would not be flat: it is the same whatever the source's was.
        """
        table = people("key", 2, Derived().voices, groups=("asian", "black"))
        for row in table.to_dict("records"):
            speaker = {str(name): value for name, value in row.items()}
            speaker |= {"pitch_semitones": 0.0, "tract_length": 1.0, "tempo": source_of(speaker)["tempo"]}
            speaker |= {f"colour_{name}": 0.0 for name in ("tilt", "broad", "fine")}
            flat = speaker | {f"cue_{axis}": 0.0 for axis in timbre.AXES}
            (with_cue,), (without,) = (Derived().clips(who, ("en",), 1, "key") for who in (speaker, flat))
            found = coordinates(spectrum(with_cue.sound) - spectrum(without.sound))
            for axis in timbre.AXES:
                assert found[axis] == pytest.approx(speaker[f"cue_{axis}"], abs=0.25), axis
            clips = Derived().clips(speaker, ("en",), 2, "key")
            (clip,) = [clip for clip in clips if clip.columns["source_clip"].endswith("_en1")]
            source, _ = soundfile.read(
                audit.embedded("synthetic_bilingual") / "audio" / f"{clip.columns['source_clip']}.ogg"
            )
            moved = coordinates(spectrum(clip.sound) - spectrum(source))
            for axis in ("u", "v"):
                wanted = speaker[f"cue_{axis}"] - source_of(speaker)[f"cue_{axis}"]
                assert moved[axis] == pytest.approx(wanted, abs=0.6), f"{axis}: room and noise are new as well"


def source_of(speaker: dict[str, object]) -> dict[str, float]:
    table = audit.Cohort.read(audit.embedded("synthetic_bilingual")).speakers.set_index("speaker_id")
    row = table.loc[str(speaker["source_speaker"])]
    return {name: float(row[name]) for name in ("tempo", "cue_u", "cue_v", "cue_age")}


def spectrum(sound: np.ndarray) -> np.ndarray:
    """The mean spectrum in dB on an even mel axis from 100 Hz to 7 kHz."""
    low, high = timbre.mel(timbre.LOW_HZ), timbre.mel(timbre.HIGH_HZ)
    hertz = 700 * (10 ** (np.linspace(low, high, 64) / 2595) - 1)
    frames = np.lib.stride_tricks.sliding_window_view(sound, 1024)[::256] * np.hanning(1024)
    power = (np.abs(np.fft.rfft(frames)) ** 2).mean(0)
    smooth = np.convolve(power, np.ones(5) / 5, mode="same")
    return np.asarray(10 * np.log10(np.interp(hertz, np.fft.rfftfreq(1024, 1 / RATE), smooth)))


def coordinates(decibels: np.ndarray) -> dict[str, float]:
    """The coordinate on each axis, by least squares with all patterns."""
    low, high = timbre.mel(timbre.LOW_HZ), timbre.mel(timbre.HIGH_HZ)
    hertz = 700 * (10 ** (np.linspace(low, high, 64) / 2595) - 1)
    patterns = np.stack([np.ones(64), *(timbre.pattern(order, hertz) for order in timbre.ORDER.values())], axis=1)
    found = np.linalg.lstsq(patterns, decibels)[0]
    return dict(zip(timbre.ORDER, found[1:], strict=True))
