"""Speech2Face as a model of the audit: pictures from waveforms, and the decoder's ceiling from portraits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError
from audit.models.coverage import COVERAGE
from audit.models.fitted import FITTED_ON, FittedOn
from audit.models.protocol import VoiceFeatures
from audit.models.pytorch import at_16_khz, in_batches, on_device, pictures_of
from audit.models.speech2face.checkpoint import Card, Checkpoint, load_checkpoint
from audit.models.speech2face.config import CONFIGURATIONS, Configuration
from audit.models.speech2face.face import VggFace, face_tensor
from audit.models.speech2face.network import Network
from audit.models.speech2face.spectrogram import batch_of

Item = TypeVar("Item")


class Speech2Face:
    """A trained network, ready to render.

    Batches are padded to a fixed size, so that a face does not depend on the number of clips in the batch.

    Parameters
    ----------
    checkpoint : Checkpoint
        Network, card, and digest of the file.
    name : str, optional
        Name of the model; default: the name in the card.
    device : str, optional
        ``cpu``, ``cuda``, ...; default: the first GPU, if any.
    batch : int
        Number of clips per batch.
    seconds : float, optional
        Seconds used of a clip; default: those of the configuration (6; the paper also uses 3).
        The encoder averages over time, so the same weights work for any length.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        name: str = "",
        device: str | None = None,
        batch: int = 8,
        seconds: float | None = None,
    ) -> None:
        if batch < 1:
            raise ModelError(f"The batch size {batch} is not possible.", "at least 1")
        sizes = checkpoint.network.configuration
        self.seconds = sizes.seconds if seconds is None else seconds
        try:
            self._samples = Configuration.model_validate(sizes.model_dump() | {"seconds": self.seconds}).samples
        except ValidationError as error:
            raise ModelError(
                f"The model cannot use {self.seconds:g} s of a clip: {error.errors()[0]['msg']}.",
                "3 or 6 s as in the paper",
            ) from error
        self.network, self.device = on_device(checkpoint.network.eval(), device)
        self.network.requires_grad_(False)
        self.card, self.sha256, self.batch = checkpoint.card, checkpoint.sha256, batch
        self.name = name or checkpoint.card.name
        self._vgg: VggFace | None = None
        self._no_ceiling = ""
        if self.configuration.face == "vgg_face":
            try:
                self._vgg = VggFace()
            except ModelError as error:
                self._no_ceiling = str(error)

    @property
    def configuration(self) -> Configuration:
        """The network's sizes."""
        return self.network.configuration

    def to(self, device: str) -> Speech2Face:
        """Move the model, in place, to a device."""
        self.network, self.device = on_device(self.network, device)
        return self

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face [size, size, 3] for each clip; see :meth:`voice_features`."""
        return self.from_features(self.voice_features(waveforms, sample_rate))

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """The voice encoder's feature of each clip: [n, feature], float32.

        Raises
        ------
        ModelError
            If a clip is empty or not one-dimensional.
        """
        rows = in_batches(
            at_16_khz(waveforms, sample_rate),
            self.batch,
            lambda some: batch_of(some, self._samples),
            lambda clips: self.network.voice(self.network.spectrogram(clips.to(self.device))),
            self.device,
        )
        return np.array(rows, np.float32).reshape(len(rows), self.configuration.feature)

    def from_features(self, features: VoiceFeatures) -> list[Picture | None]:
        """The decoder's face [size, size, 3] of each feature [n, feature]."""
        return self._decoded([*features], lambda some: torch.from_numpy(np.array(some, np.float32)), lambda rows: rows)

    @property
    def fitted_on(self) -> FittedOn:
        """Digests of the training speakers of a mitigated model; empty without mitigation."""
        return FittedOn.from_record(self.card.training.get(FITTED_ON, {}))

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        """Ceiling of the decoder: the face decoded from each portrait's feature.

        All ``None`` if the face encoder is VGG-Face and its weights are absent; :meth:`describe` says so.
        """
        if self._no_ceiling:
            return [None] * len(portraits)
        if self._vgg is not None:
            return self._decoded(portraits, self._vgg.features, lambda rows: rows)
        assert self.network.face is not None
        return self._decoded(portraits, lambda some: face_tensor(some, self.configuration.size), self.network.face)

    def describe(self) -> dict[str, object]:
        """Configuration, digest, training coverage and device."""
        return {
            "configuration": self.configuration.model_dump(mode="json"),
            "weights_sha256": self.sha256,
            COVERAGE: [heard.model_dump() for heard in self.card.coverage],
            "training": {key: value for key, value in self.card.training.items() if key not in ("plan", FITTED_ON)},
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": self.device.type,
            "batch": self.batch,
            "seconds": self.seconds,
            "ceiling": self._no_ceiling or f"the decoder fed by the face encoder {self.configuration.face}",
        }

    def _decoded(
        self, items: Sequence[Item], prepare: Callable[[Sequence[Item]], Tensor], feature: Callable[[Tensor], Tensor]
    ) -> list[Picture | None]:
        """The decoder's face of each item; see :func:`in_batches`."""
        return pictures_of(
            in_batches(
                items,
                self.batch,
                prepare,
                lambda rows: self.network.decoder(feature(rows.to(self.device))).picture,
                self.device,
            )
        )


def speech2face(
    *,
    weights: str | Path | None = None,
    configuration: str | None = None,
    name: str = "",
    device: str | None = None,
    batch: int = 8,
    seconds: float | None = None,
) -> Speech2Face:
    """The model of a file of weights.

    Parameters
    ----------
    weights : path
        Weights that :func:`audit.models.speech2face.save_checkpoint` wrote.
    configuration : {"paper", "small"}, optional
        Required configuration of the weights. Without weights: the untrained network (seed 0), whose faces are
        meaningless; use it to test and time a configuration.
    name, device, batch, seconds
        As for :class:`Speech2Face`.

    Raises
    ------
    ModelError
        If there are neither weights nor a configuration, or they do not match.
    """
    if configuration is not None and configuration not in CONFIGURATIONS:
        raise ModelError(f"There is no configuration {configuration!r}.", ", ".join(CONFIGURATIONS))
    wanted = None if configuration is None else CONFIGURATIONS[configuration]
    if weights is not None:
        checkpoint = load_checkpoint(weights, wanted)
    elif wanted is not None:
        checkpoint, name = untrained(wanted), name or f"speech2face-{configuration}-untrained"
    else:
        raise ModelError(
            "The model 'speech2face' needs weights; none were published.",
            "--weights FILE, or the option configuration (untrained)",
        )
    return Speech2Face(checkpoint, name=name, device=device, batch=batch, seconds=seconds)


def untrained(configuration: Configuration, seed: int = 0) -> Checkpoint:
    """A network with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Checkpoint(Network(configuration).eval(), Card(name="untrained"))
