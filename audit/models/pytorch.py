"""PyTorch models: their device, their files of tensors, and inference in batches of one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.core.files import file_digest

Item = TypeVar("Item")
Net = TypeVar("Net", bound=nn.Module)


def on_device(network: Net, device: str | None) -> tuple[Net, torch.device]:
    """Move a network to a device: by default the first GPU, or the CPU if there is none.

    Raises
    ------
    ModelError
        If the device cannot be used.
    """
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        return network.to(chosen), chosen
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device {device!r} cannot be used: {error}", "cpu, or cuda where there is a GPU"
        ) from error


def in_batches(
    items: Sequence[Item], size: int, prepare: Callable[[Sequence[Item]], Tensor], infer: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """The output for each item, on the CPU.

    Each batch is padded with zeros to ``size`` rows, so that an output does not depend on the number of items.

    Parameters
    ----------
    items : sequence
        The input.
    size : int
        Number of rows of a batch.
    prepare, infer : callable
        Up to ``size`` items to a tensor with one row per item; such a tensor, padded, to one with an output per row.
    """
    outputs: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(items), size):
            rows = prepare(items[start : start + size])
            padded = rows.new_zeros(size, *rows.shape[1:])
            padded[: len(rows)] = rows
            outputs += infer(padded)[: len(rows)].cpu()
    return outputs


def picture_of(pixels: Tensor) -> Picture:
    """The picture of a tensor [3, H, W] with values from 0 to 255."""
    picture: Picture = pixels.round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return picture


def weights_digest(path: Path, allowed: str) -> str:
    """The sha256 of a file of weights.

    Raises
    ------
    ModelError
        If it is not a regular file or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise ModelError(f"The weights {path} are not a file.", allowed)
    try:
        return file_digest(path)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.", allowed) from error


def read_tensors(path: Path, next_step: str = "") -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors of a safetensors file.

    Raises
    ------
    ModelError
        If it is not one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping: it has keys() only
    except Exception as error:  # for a damaged file safetensors may raise anything
        raise ModelError(
            f"{path} is not a safetensors file: {error}.", "a file that this package wrote", next_step
        ) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy the tensors of a file into a network.

    Raises
    ------
    ModelError
        If they are not those of the network, by name and shape, or not finite; the first three problems are named.
    """
    expected = network.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is unknown" for name in tensors if name not in expected]
    for name, wanted in expected.items():
        found = tensors.get(name, wanted)
        if found.shape != wanted.shape:
            problems.append(f"{name} has shape {tuple(found.shape)}, not {tuple(wanted.shape)}")
        elif found.is_floating_point() and not bool(torch.isfinite(found).all()):
            problems.append(f"{name} has values that are not finite")
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ModelError(
            f"{path} does not fit the network: {'; '.join(problems[:3])}{more}.", "undamaged weights of this network"
        )
    network.load_state_dict(tensors)
