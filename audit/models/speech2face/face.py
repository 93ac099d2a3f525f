"""Face encoders: feature of a portrait, which the decoder uses and the voice encoder learns to predict."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.models.speech2face.config import VGG_FACE_FEATURE, Configuration


def face_tensor(portraits: Sequence[Picture], size: int) -> Tensor:
    """Portraits as one tensor [B, 3, size, size], RGB, 0 to 1: the largest square in the middle, resized by areas."""
    batch = torch.zeros(len(portraits), 3, size, size)
    for row, picture in enumerate(portraits):
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = np.ascontiguousarray(picture[top : top + side, left : left + side])
        method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        resized = square if side == size else cv2.resize(square, (size, size), interpolation=method)
        batch[row] = torch.from_numpy(np.asarray(resized, np.float32) / 255).permute(2, 0, 1)
    return batch


class FaceEncoder(nn.Module):
    """Portraits [B, 3, size, size], RGB, 0 to 1, to features [B, feature].

    Trained from scratch with the decoder on the training portraits only; it shares no weights with any
    instrument. Convolutions of kernel 3 and stride 2, each with batch norm and ReLU, then one fully connected layer.
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        widths = (3, *configuration.face_channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False) for before, after in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in configuration.face_channels)
        side = configuration.size
        for _ in configuration.face_channels:
            side = (side + 1) // 2
        self.last = nn.Linear(widths[-1] * side**2, configuration.feature)

    def forward(self, portraits: Tensor) -> Tensor:
        """The features of the portraits."""
        x = portraits * 2 - 1
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.relu(norm(convolution(x)))
        feature: Tensor = self.last(x.flatten(1))
        return feature


class VggFace:
    """DeepFace's VGG-Face as the paper's face encoder (4096-D), by DeepFace's own API; never trained here.

    DeepFace's race, age and gender models are based on VGG-Face, so evaluate this configuration's ceiling with the
    embedded instrument, which is not.

    Raises
    ------
    ModelError
        If its weights are not on this machine; it names what can be done ``otherwise``.
    """

    def __init__(self, otherwise: str = 'the configuration\'s face = "own"') -> None:
        from deepface.commons.backend_utils import get_backend_engine
        from deepface.modules import modeling

        home = Path(os.environ.get("DEEPFACE_HOME") or Path.home()) / ".deepface" / "weights"
        suffix = {"tensorflow": ".h5", "pytorch": ".pth", "onnx": ".onnx"}[str(get_backend_engine())]
        path = home / f"vgg_face_weights{suffix}"
        if not path.is_file():
            raise ModelError(f"DeepFace's VGG-Face weights are not on this machine: {path}.",
                             f"the file there, or {otherwise}")  # fmt: skip
        self._client = modeling.build_model("facial_recognition", "VGG-Face")

    def features(self, portraits: Sequence[Picture]) -> Tensor:
        """The features [B, 4096] of portraits, of unit length, as DeepFace gives them."""
        client: Any = self._client
        return _checked(client.forward(self._pixels(portraits).flip(-1).numpy()), len(portraits))

    def activations(self, portraits: Sequence[Picture]) -> Tensor:
        """The same layer's activations [B, 4096], not scaled, if the network is given RGB; DeepFace gives it BGR.

        Raises
        ------
        ModelError
            If DeepFace runs on TensorFlow, where it gives scaled features only.
        """
        client: Any = self._client
        if not hasattr(client, "predict"):
            raise ModelError("DeepFace gives no activations on TensorFlow.", "DEEPFACE_BACKEND_ENGINE=pytorch or onnx")
        return _checked(client.predict(self._pixels(portraits).numpy()), len(portraits))

    def _pixels(self, portraits: Sequence[Picture]) -> Tensor:
        """Portraits [B, H, W, 3], RGB, 0 to 1."""
        client: Any = self._client
        return face_tensor(portraits, client.input_shape[0]).permute(0, 2, 3, 1).contiguous()


def _checked(found: object, count: int) -> Tensor:
    features = np.atleast_2d(np.asarray(found, np.float32))
    if features.shape != (count, VGG_FACE_FEATURE):
        raise ModelError(f"VGG-Face gave features of shape {features.shape}.", f"({count}, {VGG_FACE_FEATURE})")
    return torch.from_numpy(features)
