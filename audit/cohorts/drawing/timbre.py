"""The synthetic cue of timbre, and the rest that is done to a voice: loudness, room, microphone, noise, cut.

The cue is a linear-phase equaliser. On a mel axis from 100 Hz to 7 kHz it adds, in dB, a sum of three smooth patterns
that are orthogonal to one another and to a change of level: ``u`` and ``v`` carry the group, ``age`` carries the age.
The cue is fiction. It resembles no accent and no real group of people, and it is the same in every language that a
speaker speaks.

On axis u asian and white speakers lean one way, indian and black speakers the other; on axis v asian and indian
speakers lean one way, black and white speakers the other. A speaker's coordinate on an axis is lean * REACH + JITTER *
(a standard normal draw), so that the groups overlap as much as REACH / JITTER says: nobody can tell the two sides of an
axis apart more often than Phi(REACH / JITTER).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal

RATE: Final = 16_000
SECONDS: Final = 6.0
LOW_HZ, HIGH_HZ = 100.0, 7000.0

# The dial. dB root-mean-square over the mel axis (a pattern's peak is 1.41 times that).
REACH: Final = {"u": 2.4, "v": 1.0}
JITTER: Final = {"u": 1.0, "v": 0.4}
AGE_REACH, AGE_JITTER = 1.2, 0.5
AGE_MIDDLE, AGE_SPREAD = 46.5, 16.7

AXES: Final = ("u", "v", "age")

# Half-periods of the cosine between LOW_HZ and HIGH_HZ.
ORDER: Final = {"tilt": 1, "broad": 2, "age": 3, "v": 4, "u": 5, "fine": 6}

LEVEL_DBFS: Final = -25.0
Sound = NDArray[np.float64]


def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Frequency on the mel scale (O'Shaughnessy 1987, as in HTK): 2595 log10(1 + f / 700)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0))


def pattern(order: int, hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """One pattern in dB at the frequencies given: a cosine over the mel axis with unit root mean square, flat outside.

    >>> grid = 700 * (10 ** (np.linspace(mel(100), mel(7000), 2001) / 2595) - 1)
    >>> bool(abs((pattern(4, grid) * pattern(6, grid)).mean()) < 0.01)
    True
    """
    place = (mel(hertz) - mel(LOW_HZ)) / (mel(HIGH_HZ) - mel(LOW_HZ))
    return np.asarray(np.sqrt(2.0) * np.cos(np.pi * order * np.clip(place, 0.0, 1.0)))


def coordinates(table: pd.DataFrame) -> pd.DataFrame:
    """The cue of every speaker: columns cue_u, cue_v, cue_age in dB, and the rate of speech.

    Older speakers speak a little more slowly (1.06 times the synthesiser's rate at 18, .94 at 75, and a spread of .03).
    """
    old = (table["age"] - AGE_MIDDLE) / AGE_SPREAD
    return pd.DataFrame(
        {
            "cue_u": (REACH["u"] * table["lean_u"] + JITTER["u"] * table["jitter_u"]).round(3),
            "cue_v": (REACH["v"] * table["lean_v"] + JITTER["v"] * table["jitter_v"]).round(3),
            "cue_age": (AGE_REACH * old + AGE_JITTER * table["jitter_age"]).round(3),
            "tempo": (1.0 - 0.035 * old + 0.03 * table["tempo_jitter"]).clip(0.87, 1.13).round(3),
        },
        index=table.index,
    )


def equaliser(gains: dict[str, float], taps: int = 321) -> NDArray[np.float64]:
    """The linear-phase FIR filter whose gain in dB is the sum of the patterns named, each times its gain.

    Examples
    --------
    >>> taps = equaliser({"u": 3.0})
    >>> bool(np.allclose(taps, taps[::-1]))
    True
    """
    grid = np.linspace(0.0, RATE / 2, 1025)
    decibels = sum((gain * pattern(ORDER[name], grid) for name, gain in gains.items()), np.zeros_like(grid))
    return np.asarray(signal.firwin2(taps, grid, 10.0 ** (decibels / 20.0), fs=RATE))


def filtered(sound: Sound, taps: NDArray[np.float64]) -> Sound:
    """The sound through a linear-phase filter, neither delayed nor longer."""
    return np.asarray(signal.fftconvolve(sound, taps, mode="same"))


def frame_levels(sound: Sound, rate: int = RATE, hop: float = 0.01) -> NDArray[np.float64]:
    """Level of each 10 ms frame in dB relative to full scale."""
    size = int(rate * hop)
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    return np.asarray(10.0 * np.log10((frames**2).mean(1) + 1e-12))


def speaking(sound: Sound, rate: int = RATE, below_loud: float = 35.0) -> NDArray[np.bool_]:
    """Whether each 10 ms frame holds speech: within 35 dB of the loud frames (their 95th percentile)."""
    levels = frame_levels(sound, rate)
    return np.asarray(levels > np.percentile(levels, 95) - below_loud)


def trimmed(sound: Sound, rate: int, margin: float = 0.02) -> Sound:
    """The sound without the silence at its two ends, but for a margin in seconds."""
    active = np.flatnonzero(speaking(sound, rate))
    edge, size = int(margin * rate), int(0.01 * rate)
    return sound[max(0, int(active[0]) * size - edge) : (int(active[-1]) + 1) * size + edge]


def shortened(sound: Sound, rate: int, longest: float = 0.28) -> Sound:
    """The sound with every pause that is longer than ``longest`` seconds cut down to it, in the middle of the pause."""
    size = int(0.01 * rate)
    active = speaking(sound, rate)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], active, [True]]).astype(int)))
    keep = np.ones(len(sound), bool)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        spare = int(stop - start) * size - int(longest * rate)
        if spare > 0:
            middle = int(start + stop) * size // 2
            keep[middle - spare // 2 : middle - spare // 2 + spare] = False
    return sound[keep]


def levelled(sound: Sound, level: float = LEVEL_DBFS) -> Sound:
    """The sound with the root mean square of its speech frames at ``level`` dBFS."""
    active = np.repeat(speaking(sound), int(RATE * 0.01))
    loud = np.sqrt((sound[: len(active)][active] ** 2).mean())
    return np.asarray(sound * (10.0 ** (level / 20.0) / loud))


def recorded(sound: Sound, rng: np.random.Generator) -> Sound:
    """The sound as some microphone in some room would give it; nothing here knows the speaker.

    A tilt of the microphone (0.7 dB rms), a room (reverberation time .15 to .35 s, 14 to 24 dB under the voice) and a
    pink noise floor (32 to 46 dB under the voice).
    """
    tilted = filtered(sound, equaliser({"tilt": float(0.7 * rng.standard_normal())}))
    decay, depth = rng.uniform(0.15, 0.35), rng.uniform(14.0, 24.0)
    time = np.arange(int(decay * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10.0 ** (-3.0 * time / decay)
    tail[: int(0.004 * RATE)] = 0.0
    tail *= 10.0 ** (-depth / 20.0) / np.sqrt((tail**2).sum())
    room = signal.fftconvolve(tilted, tail)[: len(tilted)]
    noise = np.fft.irfft(
        np.fft.rfft(rng.standard_normal(len(sound))) / np.sqrt(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 50.0)),
        len(sound),
    )
    floor = rng.uniform(32.0, 46.0)
    noise *= np.sqrt((tilted**2).mean()) / np.sqrt((noise**2).mean()) * 10.0 ** (-floor / 20.0)
    return np.asarray(tilted + room + noise)


def cut(sound: Sound, fade_in: float = 0.01, fade_out: float = 0.05) -> Sound:
    """The first six seconds, faded in and out so that no click is heard.

    Raises
    ------
    ValueError
        If the sound is shorter than six seconds.
    """
    length = int(SECONDS * RATE)
    if len(sound) < length:
        raise ValueError(f"{len(sound) / RATE:.2f} s of sound; a clip needs {SECONDS} s")
    ramp = np.ones(length)
    up, down = int(fade_in * RATE), int(fade_out * RATE)
    ramp[:up] = np.linspace(0.0, 1.0, up)
    ramp[-down:] = np.linspace(1.0, 0.0, down)
    return sound[:length] * ramp


def clip(raw: Sound, gains: dict[str, float], rng: np.random.Generator) -> Sound:
    """A finished clip: the cue of its speaker on ``raw`` (16 kHz), room, microphone, one loudness, six seconds."""
    return levelled(cut(recorded(filtered(raw, equaliser(gains)), rng)))
