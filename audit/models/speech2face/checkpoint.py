"""Weights on disk: safetensors, with the configuration, the training's coverage and its provenance inside.

Pickles are never opened, since loading one can run any code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from audit.core.errors import ModelError
from audit.models.coverage import Heard
from audit.models.speech2face.config import Configuration
from audit.models.speech2face.network import Network

FORMAT: Final = "speech2face-audit/1"
PICKLE_HEADS: Final = (b"PK\x03\x04", b"\x80")
"""First bytes of torch's own files: a zip archive, or a pickle (protocol 2 and above)."""


class Card(BaseModel):
    """Metadata stored in the weights besides the configuration.

    Attributes
    ----------
    name : str
        The model's name.
    coverage : tuple of Heard
        Training coverage of the voice encoder for every group and language, including zeros.
    training : dict
        The cohort's digest, the seed, the plan, the losses' weights, omitted data, versions: JSON types only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    coverage: tuple[Heard, ...] = ()
    training: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Loaded weights: network in evaluation mode, card, and sha256 of the file."""

    network: Network
    card: Card
    sha256: str = ""
    path: Path | None = field(default=None)


def save_checkpoint(network: Network, card: Card, path: Path, *, half: bool = True) -> None:
    """Write the weights; the file appears whole or not at all.

    Parameters
    ----------
    network, card
        What is written.
    path : Path
        A name that ends in ``.safetensors``.
    half : bool
        Whether weights are stored as float16 (running statistics of batch norm stay float32).
    """
    tensors = {
        name: (tensor.half() if half and _fits_half(name, tensor) else tensor).detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    description = {
        "configuration": network.configuration.model_dump(mode="json"),
        "card": card.model_dump(mode="json"),
    }
    # one entry only: safetensors writes several in random order, and equal weights must give equal files
    metadata = {FORMAT: json.dumps(description)}
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    save_file(tensors, part, metadata)
    part.replace(path)


def load_checkpoint(path: str | Path, configuration: Configuration | None = None) -> Checkpoint:
    """The network of a file that :func:`save_checkpoint` wrote.

    Parameters
    ----------
    path : path
        The file.
    configuration : Configuration, optional
        Required configuration; default: any.

    Raises
    ------
    ModelError
        If the file is missing, is a pickle, is not a safetensors file, was not written by this package, or belongs to
        another configuration: the difference is named.
    """
    path = Path(path)
    refuse_pickle(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping: it has keys() only
    except Exception as error:  # for a damaged file safetensors may raise anything
        raise ModelError(f"{path} is not a safetensors file: {error}.", "weights that this package wrote") from error
    if FORMAT not in metadata:
        raise ModelError(
            f"{path} has weights without the description that this package writes.",
            f"weights of the format {FORMAT}, as audit train writes them",
        )
    try:
        description = json.loads(metadata[FORMAT])
        own = Configuration.model_validate(description["configuration"])
        card = Card.model_validate(description["card"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: its description cannot be read: {error}.", f"the format {FORMAT}") from error
    if configuration is not None and own != configuration:
        raise ModelError(f"{path} belongs to another configuration: {_difference(own, configuration)}.",
                         "weights of the requested configuration, or no configuration")  # fmt: skip
    network = Network(own)
    _fill(network, tensors, path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Checkpoint(network.eval(), card, digest, path)


def refuse_pickle(path: Path) -> None:
    """Raise :class:`ModelError` if the file is missing or looks like a pickle, by content or name."""
    if path.exists() and not path.is_file():
        raise ModelError(f"The weights {path} are not a file.", "a safetensors file")
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.", "a safetensors file") from error
    if head.startswith(PICKLE_HEADS) or path.suffix in {".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt"}:
        raise ModelError(f"{path} is a pickle or has the name of one, and is not opened: that could run any code.",
                         "a safetensors file that this package wrote",
                         "If you trust its author, convert it to safetensors yourself.")  # fmt: skip


def _fits_half(name: str, tensor: Tensor) -> bool:
    return tensor.is_floating_point() and "running_" not in name


def _difference(own: Configuration, wanted: Configuration) -> str:
    one, other = own.model_dump(), wanted.model_dump()
    words = [f"{key} is {one[key]}, not {other[key]}" for key in one if one[key] != other[key]]
    return "; ".join(words)


def _fill(network: Network, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy the tensors into the network; the error names the first that do not fit."""
    expected = network.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is unknown" for name in tensors if name not in expected]
    problems += [
        f"{name} has shape {tuple(tensors[name].shape)}, not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ModelError(
            f"{path} does not match its configuration: {'; '.join(problems[:3])}{more}.", "an undamaged file"
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{path}: {name} has values that are not finite.", "an undamaged file")
        expected[name].copy_(tensor)
