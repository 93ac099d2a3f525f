"""What a model is to the audit: something that makes pictures of faces, and never sees a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture, Waveform

VoiceFeatures = NDArray[np.float32]
"""What models know of voices: shape [clips, D]."""


@runtime_checkable
class Reconstructor(Protocol):
    """A model that makes a face from a voice.

    It is given waveforms and nothing else: no clip id, no language, no group. Blindness is its type.
    """

    @property
    def name(self) -> str:
        """What the model is called in every run and report."""
        ...

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> Sequence[Picture | None]:
        """One face for each waveform, in order; ``None`` where the model makes none."""
        ...


@runtime_checkable
class Decoder(Protocol):
    """A model that can also show the best that its decoder can do: the face from the portrait's own feature."""

    def ceiling(self, portraits: Sequence[Picture]) -> Sequence[Picture | None]:
        """One face for each portrait, in order; ``None`` where there is none."""
        ...


@runtime_checkable
class Featured(Protocol):
    """A model whose way from voice to face leads through one vector, which can be changed in between.

    ``render`` is ``from_features`` of ``voice_features``. Neither is told more than ``render`` is.
    """

    @property
    def name(self) -> str:
        """What the model is called in every run and report."""
        ...

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """What is known of each voice, in order: [n, D], float32."""
        ...

    def from_features(self, features: VoiceFeatures) -> Sequence[Picture | None]:
        """One face for each row, in order; ``None`` where the model makes none."""
        ...


@runtime_checkable
class Playback(Protocol):
    """Pictures that do not come from hearing: made elsewhere (``recorded``) or planted as known truth (``planted``).

    A playback is built from a cohort and shows by clip. It is the only kind of model that may know whose clip it is,
    and every run and report says that it was one.
    """

    @property
    def name(self) -> str:
        """What the model is called in every run and report."""
        ...

    def show(self, clip_ids: Sequence[str]) -> Sequence[Picture | None]:
        """The rendered face of each clip, in order; ``None`` where there is none."""
        ...

    def show_ceiling(self, clip_ids: Sequence[str]) -> Sequence[Picture | None]:
        """The ceiling face of each clip, in order; ``None`` where there is none."""
        ...


@runtime_checkable
class Described(Protocol):
    """A model or instrument that can say what it is, for the manifest of the run."""

    def describe(self) -> dict[str, object]:
        """Names, versions, options and sha256 digests; JSON types only."""
        ...
