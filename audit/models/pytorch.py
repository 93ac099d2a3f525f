"""PyTorch models: their device, their files of tensors, and inference in batches of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from audit.core.arrays import Picture, Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.device import Device
from audit.core.errors import ModelError
from audit.core.files import file_digest
from audit.models.saved_tensors import read_tensors_saved

Item = TypeVar("Item")
Net = TypeVar("Net", bound=nn.Module)
Floats = NDArray[np.float32]

BATCHES_AT_ONCE: Final = 2
"""Batches that are computed at the same time on a CPU; memory grows with it."""


def available_devices() -> list[str]:
    """The names of the devices that torch can use on this machine, the CPU first.

    Examples
    --------
    >>> available_devices()[0]
    'cpu'
    """
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]


def chosen_device(name: str | None) -> torch.device:
    """The device of that name (:class:`audit.core.device.Device`); without a name as for ``auto``.

    Raises
    ------
    PlanError
        If it is not the name of a device.
    ModelError
        If this machine does not have it.
    """
    device, there = Device.parse(name or "auto"), available_devices()
    if device.kind == "auto":
        return torch.device("cuda" if "cuda:0" in there else "cpu")
    wanted = f"cuda:{device.index or 0}" if device.kind == "cuda" else device.kind
    if wanted not in there:
        raise ModelError(
            f"The device {name!r} is not available on this machine, as far as torch {torch.__version__} finds.",
            f"{', '.join(there)} or auto",
        )
    return torch.device(str(device))


def on_device(network: Net, device: str | None) -> tuple[Net, torch.device]:
    """Move a network to a device: by default the first GPU, or the CPU if there is none.

    Raises
    ------
    PlanError, ModelError
        As :func:`chosen_device`; also if the device cannot be used.
    """
    chosen = chosen_device(device)
    try:
        return network.to(chosen), chosen
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device {str(chosen)!r} cannot be used: {error}", "another device, such as cpu"
        ) from error


def in_batches(
    items: Sequence[Item],
    size: int,
    prepare: Callable[[Sequence[Item]], Tensor],
    infer: Callable[[Tensor], Tensor],
    device: torch.device,
) -> list[Floats]:
    """The output for each item, as an array: torch would divide small tensors among its threads.

    Each batch is padded with zeros to ``size`` rows, so that an output does not depend on the number of items. On a CPU
    with several threads, two batches are computed at a time, each with half of the threads: fewer threads that wait for
    each other lose less time, above all if other work runs at the same time.

    Parameters
    ----------
    items : sequence
        The input.
    size : int
        Number of rows of a batch.
    prepare : callable
        Up to ``size`` items to a tensor with one row per item; called by this thread.
    infer : callable
        Such a tensor, padded, to one with an output per row.
    device : torch.device
        Where ``infer`` computes.
    """

    def outputs(rows: Tensor) -> Floats:
        with torch.inference_mode():  # a setting of each thread
            padded = rows.new_zeros(size, *rows.shape[1:])
            padded[: len(rows)] = rows
            found: Floats = infer(padded)[: len(rows)].cpu().numpy()
            return found

    with torch.inference_mode():
        batches = (prepare(items[start : start + size]) for start in range(0, len(items), size))
        if device.type != "cpu" or len(items) <= size or torch.get_num_threads() < BATCHES_AT_ONCE:
            return [row for rows in batches for row in outputs(rows)]
        with _threads(BATCHES_AT_ONCE) as pool:
            return [row for made in pool.map(outputs, batches) for row in made]


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads, and this one, each compute with their share of torch's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads // number)  # also the setting of threads that begin later
    try:
        with ThreadPoolExecutor(number, "audit-torch") as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)


def at_16_khz(waveforms: Sequence[Waveform], sample_rate: int) -> Sequence[Waveform]:
    """The clips at 16 kHz; ModelError if one is empty or not one-dimensional."""
    for place, waveform in enumerate(waveforms):
        if waveform.ndim != 1 or len(waveform) == 0:
            raise ModelError(f"Clip {place} has shape {waveform.shape}.", "one channel with at least one sample")
    if sample_rate == SAMPLE_RATE:
        return waveforms
    return [soxr.resample(waveform, sample_rate, SAMPLE_RATE, quality="HQ") for waveform in waveforms]


def pictures_of(faces: Sequence[Floats]) -> list[Picture | None]:
    """The pictures of arrays [3, H, W], clipped to 0 to 1; ModelError if a value is not finite."""
    if not all(np.isfinite(face).all() for face in faces):
        raise ModelError("The network gave numbers that are not finite.", "pixels from 0 to 1")
    return [picture_of(face.clip(0, 1) * 255) for face in faces]


def picture_of(pixels: Floats) -> Picture:
    """The picture of an array [3, H, W] with values from 0 to 255."""
    return np.ascontiguousarray(np.rint(pixels).astype(np.uint8).transpose(1, 2, 0))


def weights_digest(path: Path, allowed: str, next_step: str = "") -> str:
    """The sha256 of a file of weights.

    Raises
    ------
    ModelError
        If it is not a regular file or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise ModelError(f"The weights {path} are not a file.", allowed, next_step)
    try:
        return file_digest(path)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.", allowed, next_step) from error


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


def read_saved(path: Path, most_bytes: int) -> dict[str, object]:
    """The dictionary in a file that ``torch.save`` wrote, on the CPU: tensors and plain values, no code.

    It is not unpickled; see :mod:`audit.models.saved_tensors`.

    Raises
    ------
    ModelError
        If it is damaged, holds anything that could run code, is not a dictionary, or has more than ``most_bytes``
        unpacked; then it is not unpacked.
    """
    try:
        saved = read_tensors_saved(path, most_bytes)
    except (OSError, ValueError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"{path} has more than tensors, or is not a checkpoint; no code in it was run: {why}",
            "a file that torch.load opens with weights_only=True",
        ) from error
    if not isinstance(saved, dict):
        raise ModelError(f"{path} holds a {type(saved).__name__}.", "a dictionary, as published")
    return saved


def state_of(saved: Mapping[str, object], path: Path) -> dict[str, Tensor]:
    """The tensors of a state_dict; ModelError if it has anything else."""
    state = {str(name): value for name, value in saved.items() if isinstance(value, Tensor)}
    if len(state) != len(saved):
        raise ModelError(f"{path} is not a dictionary of tensors.", "a state_dict, as published")
    return state


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
