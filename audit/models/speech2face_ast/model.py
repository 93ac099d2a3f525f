"""The published encoder and decoder as a model of the audit, with the decoder's ceiling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
import soxr
import torch
from torch import Tensor, nn

from audit.core.arrays import Picture, Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.errors import ModelError
from audit.models.protocol import VoiceFeatures
from audit.models.pytorch import fill, in_batches, on_device, picture_of, read_saved, state_of, weights_digest
from audit.models.speech2face.face import VggFace
from audit.models.speech2face_ast.networks import FaceDecoder, VoiceEncoder
from audit.models.speech2face_ast.sizes import PUBLISHED, Sizes
from audit.models.speech2face_ast.spectrogram import spectrogram

Item = TypeVar("Item")
Net = TypeVar("Net", bound=nn.Module)

ENCODER_FILE, DECODER_FILE = "ast.pt", "face_decoder.pt"
ALLOWED_WEIGHTS: Final = f"--weights FOLDER with {ENCODER_FILE} and {DECODER_FILE}"
PAGE: Final = "See docs/guide/models/speech2face-ast.md."
STATE: Final = "model_state_dict"
MAX_BYTES: Final = 1 << 31
"""Limit of a file's unpacked size: the checkpoints may hold the optimizer's state, twice the size of the weights."""


class Speech2FaceAst:
    """The published voice encoder and face decoder, 224 x 224 pixels.

    Parameters
    ----------
    weights, ceiling, device, batch
        As for :func:`speech2face_ast`.
    sizes : Sizes
        Sizes of the networks; the published checkpoints fit only the default.
    """

    name = "speech2face-ast"

    def __init__(
        self,
        weights: str | Path,
        *,
        ceiling: Literal["vgg_face", "none"] = "vgg_face",
        device: str | None = None,
        batch: int = 8,
        sizes: Sizes = PUBLISHED,
    ) -> None:
        if ceiling not in ("vgg_face", "none"):
            raise ModelError(f"{self.name} was given the option ceiling = {ceiling!r}.", "vgg_face or none")
        if batch < 1:
            raise ModelError(f"The batch size {batch} is not possible.", "at least 1")
        self._vgg = _vgg_face() if ceiling == "vgg_face" else None
        self.batch, self.sizes = batch, sizes
        folder = Path(weights)
        self._sha256 = {
            name: weights_digest(folder / name, ALLOWED_WEIGHTS, PAGE) for name in (ENCODER_FILE, DECODER_FILE)
        }
        self._encoder, self.device = on_device(_loaded(VoiceEncoder(sizes), folder / ENCODER_FILE), device)
        self._decoder, _ = on_device(_loaded(FaceDecoder(sizes), folder / DECODER_FILE), device)

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face [224, 224, 3] for each clip; a silent clip has one too."""
        return self.from_features(self.voice_features(waveforms, sample_rate))

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """The encoder's feature of each clip: [n, 4096], at least 0.

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
        rows = in_batches(waveforms, self.batch, self._spectrograms, self._features, self.device)
        return np.array(rows, np.float32).reshape(len(rows), self.sizes.feature)

    def from_features(self, features: VoiceFeatures) -> list[Picture | None]:
        """The decoder's face [224, 224, 3] of each feature [n, 4096]."""
        return self._decoded([*features], lambda some: torch.from_numpy(np.array(some, np.float32)))

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        """The face decoded from VGG-Face's feature of each portrait; all ``None`` with ``ceiling = "none"``."""
        if self._vgg is None:
            return [None] * len(portraits)
        return self._decoded(portraits, self._vgg.activations)

    def describe(self) -> dict[str, object]:
        """Digests, device and ceiling."""
        without = 'none, as the option ceiling = "none" asks'
        return {
            "weights_sha256": self._sha256,
            "device": str(self.device),
            "batch": self.batch,
            "ceiling": without if self._vgg is None else "the decoder fed by VGG-Face's activations",
            "source": "Kacper-Pietkun/Speech-to-face",
        }

    def _spectrograms(self, waveforms: Sequence[Waveform]) -> Tensor:
        made = [spectrogram(waveform, self.sizes.bands, self.sizes.frames) for waveform in waveforms]
        return torch.from_numpy(np.stack(made))

    def _features(self, spectrograms: Tensor) -> Tensor:
        features: Tensor = self._encoder(spectrograms.to(self.device))
        return features

    def _decoded(self, items: Sequence[Item], prepare: Callable[[Sequence[Item]], Tensor]) -> list[Picture | None]:
        """The decoder's face of each item, whose features ``prepare`` makes."""
        faces = in_batches(items, self.batch, prepare, lambda rows: self._decoder(rows.to(self.device)), self.device)
        if not all(np.isfinite(face).all() for face in faces):
            raise ModelError("The network gave numbers that are not finite.", "pixels from 0 to 1")
        return [picture_of(face.clip(0, 1) * 255) for face in faces]


def speech2face_ast(
    weights: str | Path | None = None,
    *,
    ceiling: Literal["vgg_face", "none"] = "vgg_face",
    device: str | None = None,
    batch: int = 8,
) -> Speech2FaceAst:
    """The model of the two published checkpoints.

    Parameters
    ----------
    weights : path
        A folder with ``ast.pt`` and ``face_decoder.pt``, the two published checkpoints under these names.
    ceiling : {"vgg_face", "none"}
        ``vgg_face``: the ceiling is the face decoded from VGG-Face's feature of the portrait, with DeepFace's weights,
        which must be on this machine; ``none``: no ceiling.
    device : str, optional
        Default: the first GPU, if any, otherwise the CPU.
    batch : int
        Number of clips per batch.

    Raises
    ------
    ModelError
        If the folder, a file or VGG-Face is missing, a file has more than tensors and plain values, or layers differ.
    """
    if weights is None:
        raise ModelError("The model 'speech2face-ast' needs its two checkpoints.", ALLOWED_WEIGHTS, PAGE)
    return Speech2FaceAst(weights, ceiling=ceiling, device=device, batch=batch)


def _vgg_face() -> VggFace:
    try:
        return VggFace()
    except ModelError as error:
        raise ModelError(
            f"The ceiling needs VGG-Face. {error.found}",
            'the file there, or the option ceiling = "none" in a plan',
            PAGE,
        ) from error


def _loaded(network: Net, path: Path) -> Net:
    """The network with the weights of a published checkpoint: a dictionary whose ``model_state_dict`` has them."""
    saved = read_saved(path, MAX_BYTES)
    state = saved.get(STATE)
    if not isinstance(state, dict):
        raise ModelError(
            f"{path} has no {STATE}; it has {', '.join(sorted(map(str, saved))[:5]) or 'nothing'}.",
            f"a checkpoint as published: a dictionary with {STATE}",
            PAGE,
        )
    fill(network, state_of(state, path), path)
    return network.eval().requires_grad_(False)
