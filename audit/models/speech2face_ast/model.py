"""The published encoder and decoder as a model of the audit, with the decoder's ceiling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError
from audit.models.protocol import VoiceFeatures
from audit.models.pytorch import (
    at_16_khz,
    fill,
    in_batches,
    on_device,
    pictures_of,
    read_saved,
    state_of,
    weights_digest,
)
from audit.models.speech2face.face import VggFace
from audit.models.speech2face_ast.networks import FaceDecoder, VoiceEncoder
from audit.models.speech2face_ast.sizes import Sizes
from audit.models.speech2face_ast.spectrogram import spectrogram

Item = TypeVar("Item")
Net = TypeVar("Net", bound=nn.Module)

ENCODER_FILE, DECODER_FILE = "ast.pt", "face_decoder.pt"
ALLOWED_WEIGHTS: Final = f"--weights FOLDER with {ENCODER_FILE} and {DECODER_FILE}"
WITHOUT: Final = 'the option ceiling = "none" in a plan'
PAGE: Final = "See docs/guide/models/speech2face-ast.md."
STATE: Final = "model_state_dict"
MAX_BYTES: Final = 1 << 31
"""Limit of a file's unpacked size: a checkpoint may hold the optimizer's state, twice the size of the weights."""


class Speech2FaceAst:
    """The published voice encoder and face decoder, 224 x 224 pixels.

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

    name = "speech2face-ast"
    sizes: ClassVar = Sizes()

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        ceiling: Literal["vgg_face", "none"] = "vgg_face",
        device: str | None = None,
        batch: int = 8,
    ) -> None:
        if weights is None:
            raise ModelError(f"The model {self.name!r} needs its two checkpoints.", ALLOWED_WEIGHTS, PAGE)
        if ceiling not in ("vgg_face", "none"):
            raise ModelError(f"{self.name} was given the option ceiling = {ceiling!r}.", "vgg_face or none")
        if batch < 1:
            raise ModelError(f"The batch size {batch} is not possible.", "at least 1")
        self._vgg = VggFace(WITHOUT) if ceiling == "vgg_face" else None
        self.batch, folder, files = batch, Path(weights), (ENCODER_FILE, DECODER_FILE)
        self._sha256 = {name: weights_digest(folder / name, ALLOWED_WEIGHTS, PAGE) for name in files}
        self._encoder, self.device = on_device(_loaded(VoiceEncoder(self.sizes), folder / ENCODER_FILE), device)
        self._decoder, _ = on_device(_loaded(FaceDecoder(self.sizes), folder / DECODER_FILE), device)

    def to(self, device: str) -> Speech2FaceAst:
        """Move the model, in place, to a device."""
        self._encoder, self.device = on_device(self._encoder, device)
        self._decoder, _ = on_device(self._decoder, device)
        return self

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face [224, 224, 3] for each clip; a silent clip has one too."""
        return self.from_features(self.voice_features(waveforms, sample_rate))

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        """The encoder's feature of each clip: [n, 4096], at least 0; ModelError if a clip is empty."""
        heard, device = at_16_khz(waveforms, sample_rate), self.device
        rows = in_batches(heard, self.batch, self._spectrograms, lambda x: self._encoder(x.to(device)), device)
        return np.array(rows, np.float32).reshape(len(rows), self.sizes.feature)

    def from_features(self, features: VoiceFeatures) -> list[Picture | None]:
        """The decoder's face [224, 224, 3] of each feature [n, 4096]."""
        return self._decoded([*features], lambda some: torch.from_numpy(np.array(some, np.float32)))

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        """The face decoded from VGG-Face's feature of each portrait; all ``None`` with ``ceiling = "none"``."""
        return [None] * len(portraits) if self._vgg is None else self._decoded(portraits, self._vgg.activations)

    def describe(self) -> dict[str, object]:
        """Digests, device and ceiling."""
        return {
            "weights_sha256": self._sha256,
            "device": self.device.type,
            "batch": self.batch,
            "ceiling": "none, as asked" if self._vgg is None else "the decoder fed by VGG-Face's activations",
            "source": "Kacper-Pietkun/Speech-to-face",
        }

    def _spectrograms(self, waveforms: Sequence[Waveform]) -> Tensor:
        made = [spectrogram(waveform, self.sizes.bands)[: self.sizes.frames] for waveform in waveforms]
        return torch.from_numpy(np.stack(made))

    def _decoded(self, items: Sequence[Item], features: Callable[[Sequence[Item]], Tensor]) -> list[Picture | None]:
        return pictures_of(
            in_batches(items, self.batch, features, lambda x: self._decoder(x.to(self.device)), self.device)
        )


def _loaded(network: Net, path: Path) -> Net:
    """The network with the weights of a published checkpoint: a dictionary whose ``model_state_dict`` has them."""
    saved = read_saved(path, MAX_BYTES)
    state = saved.get(STATE)
    if not isinstance(state, dict):
        found = ", ".join(sorted(map(str, saved))[:5]) or "nothing"
        raise ModelError(f"{path} has no {STATE}; it has {found}.", f"a dictionary with {STATE}, as published", PAGE)
    fill(network, state_of(state, path), path)
    return network.eval().requires_grad_(False)
