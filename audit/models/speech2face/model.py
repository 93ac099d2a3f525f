"""Speech2Face as a model of the audit: pictures from waveforms, and the decoder's ceiling from portraits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from pydantic import ValidationError
from torch import Tensor

from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError
from audit.models.fitted import FITTED_ON, FittedOn
from audit.models.protocol import VoiceFeatures
from audit.models.speech2face.checkpoint import Card, Checkpoint, load_checkpoint
from audit.models.speech2face.config import CONFIGURATIONS, SAMPLE_RATE, Configuration
from audit.models.speech2face.face import VggFace, face_tensor
from audit.models.speech2face.network import Network
from audit.models.speech2face.spectrogram import batch_of


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
        batch: int = 16,
        seconds: float | None = None,
    ) -> None:
        if batch < 1:
            raise ModelError(f"The batch size {batch} is not possible.", "at least 1")
        self.seconds = checkpoint.network.configuration.seconds if seconds is None else seconds
        self._samples = _samples(checkpoint.network.configuration, self.seconds)
        try:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self.network: Network = checkpoint.network.eval().to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"The device {device!r} cannot be used: {error}", "cpu, or cuda where there is a GPU"
            ) from error
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

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face [size, size, 3] for each clip.

        Raises
        ------
        ModelError
            If a clip is empty or not one-dimensional.
        """
        return self.from_features(self.voice_features(waveforms, sample_rate))

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """The voice encoder's feature of each clip: [n, feature], float32.

        Raises
        ------
        ModelError
            If a clip is empty or not one-dimensional.
        """
        for place, waveform in enumerate(waveforms):
            if waveform.ndim != 1 or len(waveform) == 0:
                raise ModelError(f"Clip {place} has shape {waveform.shape}.", "one channel with at least one sample")
        if sample_rate != SAMPLE_RATE:
            waveforms = [soxr.resample(waveform, sample_rate, SAMPLE_RATE, quality="HQ") for waveform in waveforms]
        features = np.zeros((len(waveforms), self.configuration.feature), np.float32)
        for start in range(0, len(waveforms), self.batch):
            some = waveforms[start : start + self.batch]
            clips = batch_of(some, self._samples, self.batch).to(self.device)
            with torch.inference_mode():
                heard = self.network.voice(self.network.spectrogram(clips))
            features[start : start + len(some)] = heard[: len(some)].cpu().numpy()
        return features

    def from_features(self, features: VoiceFeatures) -> list[Picture | None]:
        """The decoder's face [size, size, 3] of each feature [n, feature]."""
        made: list[Picture | None] = []
        for start in range(0, len(features), self.batch):
            some = features[start : start + self.batch]
            padded = torch.zeros(self.batch, self.configuration.feature)
            padded[: len(some)] = torch.from_numpy(np.ascontiguousarray(some, np.float32))
            with torch.inference_mode():
                pictures = self.network.decoder(padded.to(self.device)).picture
            made += self._pictures(pictures, len(some))
        return made

    @property
    def fitted_on(self) -> FittedOn:
        """Digests of the training speakers of a mitigated model; empty without mitigation."""
        return FittedOn.from_record(self.card.training.get(FITTED_ON, {}))

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        """Ceiling of the decoder: the face decoded from each portrait's feature.

        All ``None`` if the face encoder is VGG-Face and its weights are absent;
        :meth:`describe` says so.
        """
        if self._no_ceiling:
            return [None] * len(portraits)
        made: list[Picture | None] = []
        for start in range(0, len(portraits), self.batch):
            some = portraits[start : start + self.batch]
            made += self._pictures(self._from_faces(some), len(some))
        return made

    def describe(self) -> dict[str, object]:
        """Configuration, digest, training coverage and device."""
        return {
            "configuration": self.configuration.model_dump(mode="json"),
            "weights_sha256": self.sha256,
            "training_coverage": [heard.model_dump() for heard in self.card.coverage],
            "training": {key: value for key, value in self.card.training.items() if key not in ("plan", FITTED_ON)},
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": str(self.device),
            "batch": self.batch,
            "seconds": self.seconds,
            "ceiling": self._no_ceiling or f"the decoder fed by the face encoder {self.configuration.face}",
        }

    def _from_faces(self, portraits: Sequence[Picture]) -> Tensor:
        with torch.inference_mode():
            if self.network.face is None:
                assert self._vgg is not None
                features = self._vgg.features(portraits)
                padded = features.new_zeros(self.batch, features.shape[1])
                padded[: len(features)] = features
                return self.network.decoder(padded.to(self.device)).picture  # type: ignore[no-any-return]  # a module's call is Any
            pixels = face_tensor(portraits, self.configuration.size)
            padded = pixels.new_zeros(self.batch, *pixels.shape[1:])
            padded[: len(pixels)] = pixels
            return self.network.decoder(self.network.face(padded.to(self.device))).picture  # type: ignore[no-any-return]  # a module's call is Any

    @staticmethod
    def _pictures(pictures: Tensor, count: int) -> list[Picture | None]:
        if not bool(torch.isfinite(pictures[:count]).all()):
            raise ModelError("The network gave numbers that are not finite.", "pixels from 0 to 1")
        pixels = (
            (pictures[:count].clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        )
        return [np.ascontiguousarray(picture) for picture in pixels]


def _samples(configuration: Configuration, seconds: float) -> int:
    """Number of samples used of a clip; ModelError if the encoder cannot use that many."""
    try:
        return Configuration.model_validate(configuration.model_dump() | {"seconds": seconds}).samples
    except ValidationError as error:
        raise ModelError(
            f"The model cannot use {seconds:g} s of a clip: {error.errors()[0]['msg']}.", "3 or 6 s as in the paper"
        ) from error


def speech2face(
    *, weights: str | Path | None = None, configuration: str | None = None, name: str = "", **options: Any
) -> Speech2Face:
    """The model of a file of weights.

    Parameters
    ----------
    weights : path
        Weights that :func:`audit.models.speech2face.save_checkpoint` wrote.
    configuration : {"paper", "small"}, optional
        Required configuration of the weights. Without weights: the untrained network (seed 0), whose faces are
        meaningless; use it to test and time a configuration.
    name : str, optional
        Name of the model.
    **options
        ``device``, ``batch`` and ``seconds`` of :class:`Speech2Face`.

    Raises
    ------
    ModelError
        If there are neither weights nor a configuration, or they do not match.
    """
    if configuration is not None and configuration not in CONFIGURATIONS:
        raise ModelError(f"There is no configuration {configuration!r}.", ", ".join(CONFIGURATIONS))
    wanted = None if configuration is None else CONFIGURATIONS[configuration]
    if unknown := options.keys() - {"device", "batch", "seconds"}:
        raise ModelError(
            f"Speech2Face has no option {', '.join(sorted(unknown))}.", "configuration, device, batch, seconds"
        )
    if weights is not None:
        return Speech2Face(load_checkpoint(weights, wanted), name=name, **options)
    if wanted is None:
        raise ModelError(
            "The model 'speech2face' needs weights; none were published.",
            "--weights FILE, or the option configuration (untrained)",
        )
    return Speech2Face(untrained(wanted), name=name or f"speech2face-{configuration}-untrained", **options)


def untrained(configuration: Configuration, seed: int = 0) -> Checkpoint:
    """A network with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Checkpoint(Network(configuration).eval(), Card(name="untrained"))
