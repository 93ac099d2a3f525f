"""Weights on disk: safetensors, with the configuration, the training's coverage and its provenance inside.

Pickles are never opened, since loading one can run any code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save

from audit.core.errors import ModelError
from audit.core.files import write_whole
from audit.models.coverage import Heard
from audit.models.pytorch import fill, read_tensors, weights_digest
from audit.models.speech2face.config import Configuration
from audit.models.speech2face.network import Network

FORMAT: Final = "speech2face-audit/1"
PICKLE_HEADS: Final = (b"PK\x03\x04", b"\x80")
"""First bytes of torch's own files: a zip archive, or a pickle (protocol 2 and above)."""
PICKLE_SUFFIXES: Final = {".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt"}


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


def checkpoint_bytes(network: Network, card: Card, *, half: bool = True) -> bytes:
    """The content of a file of weights; ``half`` stores them as float16, except running statistics of batch norm."""
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() and "running_" not in name else tensor)
        .detach()
        .cpu()
        .contiguous()
        for name, tensor in network.state_dict().items()
    }
    description = {
        "configuration": network.configuration.model_dump(mode="json"),
        "card": card.model_dump(mode="json"),
    }
    # one entry only: safetensors writes several in random order, and equal weights must give equal files
    return save(tensors, {FORMAT: json.dumps(description)})


def save_checkpoint(network: Network, card: Card, path: Path, *, half: bool = True) -> None:
    """Write :func:`checkpoint_bytes` to a file ``NAME.safetensors``, whole or not at all."""
    write_whole(path, checkpoint_bytes(network, card, half=half))


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
    digest = weights_digest(path, "a safetensors file")
    with path.open("rb") as stream:
        is_pickle = stream.read(4).startswith(PICKLE_HEADS)
    if is_pickle or path.suffix in PICKLE_SUFFIXES:
        raise ModelError(f"{path} is a pickle or has the name of one, and is not opened: that could run any code.",
                         "a safetensors file that this package wrote",
                         "If you trust its author, convert it to safetensors yourself.")  # fmt: skip
    metadata, tensors = read_tensors(path)
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
        wanted = configuration.model_dump()
        words = [
            f"{key} is {value}, not {wanted[key]}" for key, value in own.model_dump().items() if value != wanted[key]
        ]
        raise ModelError(f"{path} belongs to another configuration: {'; '.join(words)}.",
                         "weights of the requested configuration, or no configuration")  # fmt: skip
    network = Network(own)
    fill(network, tensors, path)
    return Checkpoint(network.eval(), card, digest)
