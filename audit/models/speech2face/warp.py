"""Differentiable warp: moves a texture of the mean face so that its landmarks are at given places.

The map from places of the picture to places of the texture is a thin-plate spline through the landmarks and through
fixed points on the border (Bookstein 1989, "Principal warps"). Coordinates run from -1 to 1, x to the right and y down.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SMOOTHING = 1e-3
"""Added to the spline's diagonal: landmarks are noisy, and coinciding ones must not tear the picture."""

ALIGNED = 16
"""Each system is filled up to a multiple of it: LAPACK's rounding depends on where in memory a matrix begins, and so
the solution would otherwise depend, in its last bits, on a picture's place in the batch."""

COARSE = 8
"""The smooth spline is evaluated at every eighth pixel and interpolated."""


def border_points() -> Tensor:
    """Points on the border that no warp moves, clockwise from the top left corner: [16, 2]."""
    steps = torch.linspace(-1, 1, 5)[:-1]
    one = torch.ones_like(steps)
    sides = [(steps, -one), (one, steps), (-steps, one), (-one, -steps)]
    return torch.cat([torch.stack(side, -1) for side in sides])


def pixel_grid(height: int, width: int) -> Tensor:
    """The centres of the pixels: [height * width, 2]."""
    y = (torch.arange(height) * 2 + 1) / height - 1
    x = (torch.arange(width) * 2 + 1) / width - 1
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    """r^2 log r^2 between two sets of points."""
    squared = (one[..., :, None, :] - other[..., None, :, :]).square().sum(-1)
    return squared * torch.log(squared.clamp(min=1e-12))


def spline_map(places: Tensor, sources: Tensor, at: Tensor) -> Tensor:
    """Map the points ``at`` [M, 2] by the splines that map ``places`` to ``sources`` [B, N, 2]: [B, M, 2]."""
    batch, count, _ = places.shape
    used = count + 3
    filled = -(-used // ALIGNED) * ALIGNED
    affine = torch.cat((torch.ones_like(places[..., :1]), places), -1)
    identity = torch.eye(filled, device=places.device)
    upper = torch.cat((_kernel(places, places) + SMOOTHING * identity[:count, :count], affine), -1)
    lower = functional.pad(affine.mT, (0, 3))
    system = functional.pad(torch.cat((upper, lower), 1), (0, filled - used, 0, filled - used))
    system = system + functional.pad(identity[used:, used:], (used, 0, used, 0))
    weights = torch.linalg.solve(system, functional.pad(sources - places, (0, 0, 0, filled - count)))[:, :used]
    points = torch.cat((torch.ones_like(at[:, :1]), at), -1).expand(batch, -1, -1)
    basis = torch.cat((_kernel(at[None], places), points), -1)
    return at + torch.bmm(basis, weights)


class Warp(nn.Module):
    """Moves textures [B, C, size, size] of the mean face so that its landmarks lie at given places [B, N, 2]."""

    mean: Tensor
    border: Tensor
    grid: Tensor

    def __init__(self, landmarks: int, size: int) -> None:
        super().__init__()
        self.side = -(-size // COARSE)
        self.size = size
        self.register_buffer("mean", torch.zeros(landmarks, 2))
        self.register_buffer("border", border_points(), persistent=False)
        self.register_buffer("grid", pixel_grid(self.side, self.side), persistent=False)

    def forward(self, texture: Tensor, landmarks: Tensor) -> Tensor:
        """Pictures in which the texture's mean landmarks are moved to ``landmarks``."""
        return self.between(texture, landmarks, self.mean.expand_as(landmarks))

    def straighten(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
        """Textures of pictures with the given landmarks: the inverse warp."""
        return self.between(pictures, self.mean.expand_as(landmarks), landmarks)

    def between(self, pictures: Tensor, places: Tensor, sources: Tensor) -> Tensor:
        """Pictures in which the points ``sources`` are moved to ``places``."""
        with torch.autocast(pictures.device.type, enabled=False):
            border = self.border.expand(len(places), -1, -1)
            flow = spline_map(
                torch.cat((places.float(), border), 1), torch.cat((sources.float(), border), 1), self.grid
            )
            coarse = (flow - self.grid).reshape(-1, self.side, self.side, 2).permute(0, 3, 1, 2)
            fine = functional.interpolate(coarse, size=(self.size, self.size), mode="bilinear", align_corners=False)
            where = fine.permute(0, 2, 3, 1) + pixel_grid(self.size, self.size).to(fine).reshape(
                1, self.size, self.size, 2
            )
            return functional.grid_sample(pictures.float(), where, padding_mode="border", align_corners=False)
