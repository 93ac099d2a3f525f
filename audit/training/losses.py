"""The losses of both stages."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from audit.training.plan import VoiceStage


def decoder_distance(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of the decoder's first layers (Oh et al. 2019, equation 1, first term)."""
    return (one - other).abs().mean()


def feature_distance(one: Tensor, other: Tensor) -> Tensor:
    """Squared distance of the normalized features (equation 1, second term): 0 to 4."""
    return (functional.normalize(one) - functional.normalize(other)).square().sum(1).mean()


def distillation(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Cross-entropy between softened classes minus its minimum (equation 1, third term; Hinton et al. 2015)."""
    found, wanted = (functional.log_softmax(some / temperature, 1) for some in (logits, targets))
    return functional.kl_div(found, wanted, log_target=True, reduction="batchmean")


def voice_losses(made: Mapping[str, Tensor], wanted: Mapping[str, Tensor], settings: VoiceStage) -> dict[str, Tensor]:
    """The three terms and their weighted sum, ``loss``.

    ``made`` and ``wanted`` have ``first``, ``feature`` and, with an identity layer, ``logits`` of voice and portrait.
    """
    terms = {
        "first": decoder_distance(made["first"], wanted["first"]),
        "feature": feature_distance(made["feature"], wanted["feature"]),
    }
    total = settings.first * terms["first"] + settings.feature * terms["feature"]
    if "logits" in wanted and settings.distillation:
        terms["distillation"] = distillation(made["logits"], wanted["logits"], settings.temperature)
        total = total + settings.distillation * terms["distillation"]
    return terms | {"loss": total}


def losses_by_clip(made: Mapping[str, Tensor], wanted: Mapping[str, Tensor], settings: VoiceStage) -> dict[str, Tensor]:
    """:func:`voice_losses` of every clip, [B] each."""
    clips = []
    for row in range(len(made["feature"])):
        one, other = ({name: value[row : row + 1] for name, value in some.items()} for some in (made, wanted))
        clips.append(voice_losses(one, other, settings))
    return {name: torch.stack([terms[name] for terms in clips]) for name in clips[0]}


def weighted_l1(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference of pictures, with pixel weights [B or 1, 1, H, W]."""
    return ((one - other).abs() * weight).mean() / weight.mean()


def tone_l1(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference of light and of both opponent colours, averaged over squares of 8 x 8 pixels.

    Light is the mean of red, green and blue; the opponent colours are red minus green, and blue minus the mean of both.
    Squares are weighted by their mean pixel weight. Regression loses small differences of colour, such as redness.
    """
    red, green, blue = (one - other).unbind(1)
    planes = torch.stack(((red + green + blue) / 3, red - green, blue - (red + green) / 2), 1)
    means, weights = functional.avg_pool2d(planes, 8), functional.avg_pool2d(weight, 8)
    return (means.abs() * weights).mean() / weights.mean()


def edges_l1(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference of the gradients (neighbouring pixels), at three scales, with pixel weights."""
    total = one.new_zeros(())
    for _ in range(3):
        for axis in (-1, -2):
            differences = torch.diff(one - other, dim=axis).abs()
            total = total + (differences * weight.narrow(axis, 0, weight.shape[axis] - 1)).mean() / weight.mean()
        one, other, weight = (functional.avg_pool2d(picture, 2) for picture in (one, other, weight))
    return total
