"""One waveform from the channels of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Waveform

Channel = Literal["mix", "left", "right"]
"""The channel of a clip that the model hears; ``mix`` is the average of all."""

OPTION: Final = "--channel left or --channel right"
_NUMBERS: Final = {"left": 0, "right": 1}
_CANCELLED_DB: Final = 20.0
_SPEECH_DBFS: Final = -50.0
_UNCORRELATED: Final = 0.3
"""Two microphones at one speaker are more correlated than this at some delay; two telephones are not."""
_MAX_DELAY_S: Final = 0.02
_COMPARED_S: Final = 20.0
_FRAME_S: Final = 0.05
_PAUSES_DB: Final = 10.0
"""Speech has pauses: its louder frames are above its softer ones by more than this. Steady noise has none."""


@dataclass(frozen=True)
class OneChannel:
    """A mono waveform.

    Attributes
    ----------
    waveform : ndarray
        Shape [T], float32.
    channel : str
        ``left`` or ``right`` if one of several channels was taken, else empty.
    note : str
        What was done, and what to consider; empty for a file with one channel.
    are_two_voices : bool
        Whether two channels were averaged that are uncorrelated and have speech each: probably two speakers.
    """

    waveform: Waveform
    channel: str
    note: str
    are_two_voices: bool


def one_channel(samples: NDArray[np.float32], rate: int, channel: Channel = "mix") -> OneChannel:
    """One waveform from samples of shape [T, channels], T > 0: the average, or the left or right channel.

    ``rate`` is in Hz. Left and right are the first two channels of a file.

    Examples
    --------
    >>> found = one_channel(np.array([[0.5, -0.5], [0.2, -0.2]], np.float32), 16_000, "left")
    >>> found.waveform.tolist(), found.note
    ([0.5, 0.20000000298023224], 'the left of 2 channels was used')
    """
    n_channels = samples.shape[1]
    if n_channels == 1:
        return OneChannel(samples[:, 0], "", "", are_two_voices=False)
    if channel != "mix":
        note = f"the {channel} of {n_channels} channels was used"
        return OneChannel(np.ascontiguousarray(samples[:, _NUMBERS[channel]]), channel, note, are_two_voices=False)
    note = f"{n_channels} channels were averaged"
    if n_channels == 2:
        covariance = _covariance(samples)
        lost_db = _db(covariance.diagonal().max()) - _db(covariance.mean())
        are_two = _are_two_voices(samples, covariance, rate)
        if lost_db > _CANCELLED_DB:
            note += f", but cancel each other (opposite phase): use {OPTION}"
        elif are_two:
            note += f", but are uncorrelated and may be two speakers: use {OPTION}"
        mean = (samples[:, 0] + samples[:, 1]) * np.float32(0.5)  # the same numbers as by mean, and faster
        return OneChannel(mean, "", note, are_two)
    return OneChannel(samples.mean(axis=1, dtype=np.float32), "", note, are_two_voices=False)


def level_dbfs(waveform: Waveform) -> float:
    """Level without a constant offset, in dB relative to full scale (a square wave of amplitude 1 has 0)."""
    exact = waveform.astype(np.float64)
    return _db(float(exact @ exact) / len(exact) - float(exact.mean()) ** 2)


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 0.0) + 1e-20))


def _covariance(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Covariance of two channels, shape [2, 2]."""
    means = (np.ones(len(samples), np.float32) @ samples).astype(np.float64) / len(samples)
    return (samples.T @ samples).astype(np.float64) / len(samples) - np.outer(means, means)


def _are_two_voices(samples: NDArray[np.float32], covariance: NDArray[np.float64], rate: int) -> bool:
    """Whether two channels have speech each, and are uncorrelated at every delay up to 20 ms."""
    left, right = covariance.diagonal()
    if min(_db(left), _db(right)) < _SPEECH_DBFS or abs(covariance[0, 1]) > _UNCORRELATED * np.sqrt(left * right):
        return False
    compared = samples[: int(_COMPARED_S * rate)].T
    if not all(_has_pauses(channel, rate) for channel in compared):
        return False
    compared = compared - compared.mean(axis=1, keepdims=True)
    size = 1 << int(compared.shape[1] + _MAX_DELAY_S * rate).bit_length()
    spectra = np.fft.rfft(compared, size, axis=1)
    correlation = np.fft.irfft(spectra[0] * spectra[1].conj(), size)
    delays = int(_MAX_DELAY_S * rate)
    largest = max(np.abs(correlation[: delays + 1]).max(), np.abs(correlation[-delays:]).max())
    return bool(largest < _UNCORRELATED * np.prod(np.linalg.norm(compared, axis=1)))


def _has_pauses(channel: NDArray[np.float32], rate: int) -> bool:
    """Whether the level changes as that of speech does."""
    length = max(1, int(_FRAME_S * rate))
    frames = channel[: len(channel) // length * length].reshape(-1, length)
    if not len(frames):
        return False
    soft, loud = np.percentile(frames.var(axis=1), (10, 90))
    return _db(loud) - _db(soft) > _PAUSES_DB
