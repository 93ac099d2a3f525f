"""Protocols of models, which render faces and never receive labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture, Waveform
from audit.core.pictures import PictureFile

VoiceFeatures = NDArray[np.float32]
"""Voice features of a model: shape [clips, D]."""


@runtime_checkable
class Reconstructor(Protocol):
    """A model that renders a face from a voice.

    It receives waveforms and nothing else: no clip id, no language, no group.
    """

    @property
    def name(self) -> str:
        """Name of the model in runs and reports."""
        ...

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> Sequence[Picture | None]:
        """One face for each waveform, in order; ``None`` if there is none."""
        ...


@runtime_checkable
class Decoder(Protocol):
    """A model that can also render its ceiling: the face decoded from the feature of the portrait."""

    def ceiling(self, portraits: Sequence[Picture]) -> Sequence[Picture | None]:
        """One face for each portrait, in order; ``None`` if there is none."""
        ...


@runtime_checkable
class Featured(Protocol):
    """A model that renders faces from a voice feature vector, which can be modified.

    ``render`` is ``from_features`` of ``voice_features``. Neither receives more than ``render``.
    """

    @property
    def name(self) -> str:
        """Name of the model in runs and reports."""
        ...

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """Feature of each voice, in order: [n, D], float32."""
        ...

    def from_features(self, features: VoiceFeatures) -> Sequence[Picture | None]:
        """One face for each row, in order; ``None`` if there is none."""
        ...


@runtime_checkable
class Placeable(Protocol):
    """A model that can be moved to another device."""

    def to(self, device: str) -> object:
        """Move the model, in place, to a device such as ``cuda:0``; raises ModelError if it is not available."""
        ...


@runtime_checkable
class Playback(Protocol):
    """Pictures that are not rendered from audio: existing ones (``recorded``) or known truth (``planted``).

    A playback is built from a cohort and shows pictures by clip. It is the only kind of model that knows the clip,
    and every run and report says so. A picture from a file may be shown as a
    :class:`~audit.core.pictures.PictureFile`, whose status says whether the file could be read: a file that cannot is
    never counted as a failure of the model.
    """

    @property
    def name(self) -> str:
        """Name of the model in runs and reports."""
        ...

    def show(self, clip_ids: Sequence[str]) -> Sequence[Picture | PictureFile | None]:
        """The rendered face of each clip, in order; ``None`` if there is none."""
        ...

    def show_ceiling(self, clip_ids: Sequence[str]) -> Sequence[Picture | PictureFile | None]:
        """The ceiling face of each clip, in order; ``None`` if there is none."""
        ...


@runtime_checkable
class Described(Protocol):
    """A model or instrument that describes itself for the manifest of the run."""

    def describe(self) -> dict[str, object]:
        """Names, versions, options and sha256 digests; JSON types only."""
        ...
