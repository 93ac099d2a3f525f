"""The first stage: face encoder and decoder, as an autoencoder of the training portraits."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from audit.models.speech2face.face import VggFace
from audit.models.speech2face.network import Network
from audit.training.augmenting import lit, mirrored, mixes, nudged
from audit.training.data import Part
from audit.training.landmarks import find_landmarks
from audit.training.loop import Task
from audit.training.losses import edges_l1, tone_l1, weighted_l1
from audit.training.plan import FaceStage


class FaceTask(Task):
    """One step of the first stage.

    With the own face encoder, portraits are mixed in the space of landmarks and textures, mirrored and relit, so that
    about a hundred portraits suffice. With VGG-Face only the decoder is trained, on the unchanged portraits.
    """

    name = "faces"
    settings: FaceStage

    def __init__(
        self, network: Network, identity: nn.Linear | None, part: Part, validation: Part, settings: FaceStage
    ) -> None:
        self.network, self.identity, self.settings = network, identity, settings
        device = network.decoder.mean_texture.device
        landmarks, validation_landmarks = (
            torch.from_numpy(find_landmarks(some.originals)) for some in (part, validation)
        )
        portraits = torch.cat((part.portraits, part.portraits.flip(-1)))  # then those of the mirrored pictures
        if network.face is None:
            vgg = VggFace()
            self.features, self.validation_features = (
                _vgg_features(vgg, some).to(device) for some in (portraits, validation.portraits)
            )
        self.portraits, self.landmarks = portraits.to(device), torch.cat((landmarks, mirrored(landmarks))).to(device)
        self.validation, self.validation_landmarks = validation.portraits.to(device), validation_landmarks.to(device)
        decoder = network.decoder
        decoder.warp.mean.copy_(self.landmarks.mean(0))
        chunks = zip(torch.split(self.portraits, 32), torch.split(self.landmarks, 32), strict=True)
        self.textures = torch.cat([decoder.warp.straighten(*chunk) for chunk in chunks])
        decoder.mean_texture.copy_(self.textures.mean(0))
        self.weight = face_weight(decoder.warp.mean.cpu(), network.configuration.size, settings.outside).to(device)

    def modules(self) -> list[nn.Module]:
        """The trained modules."""
        return [m for m in (self.network.face, self.network.decoder, self.identity) if m is not None]

    def losses(self) -> dict[str, Tensor]:
        """The terms of one step and their weighted sum, ``loss``."""
        settings, count = self.settings, len(self.textures)
        speakers = None
        if self.network.face is None:
            rows = torch.randint(count, (settings.batch,))
            landmarks, textures, feature = self.landmarks[rows], self.textures[rows], self.features[rows]
            target = self.portraits[rows]
        else:
            people, weights = mixes(settings.batch, count // 2)
            rows = people + count // 2 * torch.randint(2, (settings.batch, 1))  # of the pictures or the mirrored ones
            landmarks = _mixed(self.landmarks, rows, weights)
            textures = lit(_mixed(self.textures, rows, weights).clamp(0, 1))
            target = self.network.decoder.warp(textures, landmarks)
            seen = nudged(target) + 0.01 * torch.randn(target.shape).to(target)
            feature = self.network.face(seen)
            speakers = torch.where(weights[:, 0] > 0.999, people[:, 0], -1).to(feature.device)
        scale = feature.detach().float().std(0, correction=0).mean()
        noise = settings.noise * scale * torch.randn(feature.shape).to(feature)
        made = self.network.decoder(feature + noise)
        moved = self.network.decoder.warp(self.weight.expand(len(landmarks), -1, -1, -1), landmarks)
        terms = {
            "landmark": (made.landmarks - landmarks).square().mean(),
            "texture": weighted_l1(made.texture, textures, self.weight),
            "picture": weighted_l1(made.picture, target, moved),
            "edges": edges_l1(made.picture, target, moved),
            "tone": tone_l1(made.picture, target, moved),
        }
        if self.network.face is not None:
            terms["size"] = feature.float().square().mean()
        if self.identity is not None and speakers is not None and bool((speakers >= 0).any()):
            terms["identity"] = functional.cross_entropy(self.identity(feature).float(), speakers, ignore_index=-1)
        total = sum(
            (getattr(settings, name) * value for name, value in terms.items()), torch.zeros((), device=target.device)
        )
        return terms | {"loss": total}

    def validate(self) -> dict[str, float]:
        """The losses on the portraits of the validation speakers."""
        if not len(self.validation):
            return {}
        face = self.network.face
        made = self.network.decoder(self.validation_features if face is None else face(self.validation))
        weight = self.network.decoder.warp(
            self.weight.expand(len(self.validation), -1, -1, -1), self.validation_landmarks
        )
        return {
            "landmark": float((made.landmarks - self.validation_landmarks).square().mean()),
            "picture": float(weighted_l1(made.picture, self.validation, weight)),
        }


def _mixed(values: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of the rows of ``values``, [B, ...], for rows and weights of shape [B, n]."""
    mixed: Tensor = torch.einsum("bn,bn...->b...", weights.to(values), values[rows.to(values.device)])
    return mixed


def _vgg_features(vgg: VggFace, portraits: Tensor) -> Tensor:
    pictures = (portraits * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return torch.cat([vgg.features(list(pictures[start : start + 16])) for start in range(0, len(pictures), 16)])


def face_weight(landmarks: Tensor, size: int, outside: float) -> Tensor:
    """Pixel weights [1, 1, size, size]: 1 on the mean face, 2 on eyes and mouth, ``outside`` elsewhere; blurred."""
    points = ((landmarks.numpy() + 1) * size / 2).astype(np.float32)
    face = np.zeros((size, size), np.float32)
    cv2.fillConvexPoly(face, cv2.convexHull(points).astype(np.int32), 1.0)
    parts = np.zeros_like(face)
    for chosen in (range(17, 27), range(36, 42), range(42, 48), range(48, 60)):
        cv2.fillConvexPoly(parts, cv2.convexHull(points[list(chosen)]).astype(np.int32), 1.0)
    blur = size / 24
    weight = outside + (1 - outside) * cv2.GaussianBlur(face, (0, 0), blur) + cv2.GaussianBlur(parts, (0, 0), blur / 2)
    return torch.from_numpy(weight)[None, None]
