"""The factors of a probe: each changes one thing about a voice and states its formula and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np

from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.sentences import signed
from audit.core.voice_change import shifted
from audit.probes.channel import telephoned

Role = Literal["yardstick", "factor", "control"]


@dataclass(frozen=True)
class Factor:
    """One thing about a voice that is changed.

    Attributes
    ----------
    family : str
        The question that it belongs to; intervals are simultaneous over the factors of a family.
    role : {"yardstick", "factor", "control"}
        The change between any two clips; a factor under test; a control that must change nothing.
    change : callable or None
        Changes a clip at 16 kHz; returns ``None`` if the clip is too short. Factors that use other clips of the voice
        have no such function.
    level_kept : bool
        Whether the changed clip is restored to the original level.
    """

    name: str
    family: str
    role: Role
    title: str
    formula: str
    source: str
    change: Callable[[Waveform], Waveform | None] | None = None
    level_kept: bool = True

    def applied(self, waveform: Waveform) -> tuple[Waveform | None, float]:
        """The changed clip, and its attenuation in dB that keeps peaks below full scale.

        Examples
        --------
        >>> clip, lowered = AGAIN.applied(np.full(16_000, 0.25, np.float32))
        >>> float(clip[0]), lowered
        (0.25, 0.0)
        """
        assert self.change is not None, f"{self.name} uses the voice's own clips"
        changed = self.change(waveform)
        if changed is None or not self.level_kept:
            return changed, 0.0
        return levelled(changed, waveform)


def levelled(waveform: Waveform, like: Waveform) -> tuple[Waveform, float]:
    """Scale a clip to the level of another (root mean square), as far as its peak allows.

    Returns
    -------
    waveform : ndarray
        No sample exceeds full scale, or the peak of the other clip if that is higher.
    lowered : float
        Its attenuation in dB relative to the other; 0 if the peak fits.

    Examples
    --------
    >>> loud, lowered = levelled(np.array([0.1, -0.1], np.float32), np.array([0.5, -0.5], np.float32))
    >>> loud.tolist(), lowered
    ([0.5, -0.5], 0.0)
    """
    own, wanted = (float(np.sqrt(np.mean(each.astype(np.float64) ** 2))) for each in (waveform, like))
    if own == 0:
        return waveform, 0.0
    gain = wanted / own
    headroom = max(1.0, float(np.abs(like).max())) / float(np.abs(waveform).max())
    lowered = max(0.0, 20 * float(np.log10(gain / headroom)))
    return (waveform * min(gain, headroom)).astype(np.float32), round(lowered, 6)


def first_seconds(waveform: Waveform, seconds: float) -> Waveform | None:
    """The first seconds of a clip; ``None`` if the clip is not longer."""
    samples = round(seconds * SAMPLE_RATE)
    return waveform[:samples].copy() if len(waveform) > samples else None


def _pitch(semitones: int) -> Factor:
    up = semitones > 0
    return Factor(
        f"pitch_{'up' if up else 'down'}_{abs(semitones)}",
        "pitch",
        "factor",
        f"{abs(semitones)} semitones {'higher' if up else 'lower'}",
        f"fundamental times 2^({signed(semitones, 0)}/12) = {2 ** (semitones / 12):.3f}; "
        "duration, spectral envelope and level kept",
        "Laroche and Dolson 1999; Röbel and Rodet 2005",
        partial(shifted, semitones=semitones),
    )


def _first(seconds: float) -> Factor:
    return Factor(
        f"first_{seconds:g}_s".replace(".", "_"),
        "duration",
        "factor",
        f"first {seconds:g} s only",
        f"the samples before {seconds:g} s, as they are",
        "Oh et al. 2019: 3 s against 6 s" if seconds == 3 else "half of the paper's shorter clip",
        partial(first_seconds, seconds=seconds),
        level_kept=False,
    )


BACK: Final = 4
CLIP: Final = Factor(
    "clip",
    "clip",
    "yardstick",
    "another clip",
    "two clips of one voice in one language, averaged over its languages",
    "Gini 1912; Székely and Rizzo 2013",
)
LANGUAGE: Final = Factor(
    "language",
    "language",
    "factor",
    "the other language",
    "two clips of one voice in two languages, averaged over all such pairs",
    "Oh et al. 2019, on language and ethnicity",
)
ACCENT: Final = Factor(
    "accent",
    "accent",
    "factor",
    "another accent",
    "the same English words with the nearest phonemes of another language, spoken by the same voice (accents.csv)",
    "a crude accent: one phoneme for each, rhythm and melody kept; audit.cohorts.drawing.accents",
)
AGAIN: Final = Factor(
    "again",
    "control",
    "control",
    "the same clip again",
    "the same samples, rendered again among other clips",
    "control: nothing is changed",
    np.copy,
    level_kept=False,
)
PITCH_BACK: Final = Factor(
    "pitch_back",
    "control",
    "control",
    "pitch up and back",
    f"{BACK} semitones up, then {BACK} down: the effect of the processing alone",
    "control: the processing alone",
    lambda waveform: shifted(shifted(waveform, BACK), -BACK),
)
TELEPHONE: Final = Factor(
    "telephone",
    "telephone",
    "factor",
    "by telephone",
    "8 kHz, 300 to 3,400 Hz, \N{MINUS SIGN}26 dBov, mu-law, back to 16 kHz; level kept",
    "ITU-T G.712, G.711, P.830",
    telephoned,
)
ALTERED: Final = (
    *map(_pitch, (-4, -2, 2, 4)),
    _first(3),
    _first(1.5),
    TELEPHONE,
    PITCH_BACK,
    AGAIN,
)
"""Factors that alter one English clip of each voice."""
FACTORS: Final = (CLIP, LANGUAGE, ACCENT, *ALTERED)
"""All factors in display order: the yardstick, the factors under test, the controls."""
FAMILIES: Final = ("language", "accent", "pitch", "duration", "telephone")
"""Families of factors, each of which is a question."""
