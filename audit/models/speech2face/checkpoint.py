"""Weights on disk: safetensors, with the configuration, the training's coverage and its provenance inside.

Tensors that several checkpoints share can be in a file of their own, which each of them names.

Pickles are never opened, since loading one can run any code.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import load, save
from torch import Tensor

from audit.core.errors import ModelError
from audit.core.files import write_whole
from audit.models.coverage import Heard
from audit.models.pytorch import fill, read_tensors, weights_digest
from audit.models.speech2face.config import Configuration
from audit.models.speech2face.network import Network

FORMAT: Final = "speech2face-audit/1"
PACKED: Final = ".xz"
"""The end of the name of a base file on disk, which is compressed."""
MOST_BYTES: Final = 2_000_000_000
"""The largest content of a base file."""
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


class Base(BaseModel):
    """A second file of weights that holds tensors which several checkpoints share.

    Attributes
    ----------
    file : str
        The file's name; it is in the folder of the checkpoint, compressed, with ``.xz`` after its name.
    sha256 : str
        The digest of its content. The checkpoint's own digest covers it, and so identifies all weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(pattern=r"^\w[\w.-]*\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Description(BaseModel):
    """Metadata of a checkpoint.

    Attributes
    ----------
    configuration : Configuration
        The network's sizes.
    card : Card
        Name, coverage and provenance.
    base : Base, optional
        The file of the tensors that are not in the checkpoint itself; default: all are in it.
    """

    model_config = ConfigDict(frozen=True)

    configuration: Configuration
    card: Card
    base: Base | None = None


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
    return described_bytes(tensors, Description(configuration=network.configuration, card=card))


def described_bytes(tensors: Mapping[str, Tensor], description: Description) -> bytes:
    """The content of a checkpoint with these tensors and this description; equal arguments give equal bytes."""
    without = {"base"} if description.base is None else None
    # one entry only: safetensors writes several in random order
    return save(dict(tensors), {FORMAT: json.dumps(description.model_dump(mode="json", exclude=without))})


def save_checkpoint(network: Network, card: Card, path: Path, *, half: bool = True) -> None:
    """Write :func:`checkpoint_bytes` to a file ``NAME.safetensors``, whole or not at all."""
    write_whole(path, checkpoint_bytes(network, card, half=half))


def load_checkpoint(path: str | Path, configuration: Configuration | None = None) -> Checkpoint:
    """The network of a file that :func:`save_checkpoint` wrote, or of one that shares tensors with others.

    Parameters
    ----------
    path : path
        The file. If its description names a base file, that file is read from the same folder.
    configuration : Configuration, optional
        Required configuration; default: any.

    Raises
    ------
    ModelError
        If the file is missing, is a pickle, is not a safetensors file, was not written by this package, or belongs to
        another configuration: the difference is named. If its base file is missing or has another digest.
    """
    path = Path(path)
    digest = weights_digest(path, "a safetensors file")
    description, tensors = read_checkpoint(path)
    own = description.configuration
    if configuration is not None and own != configuration:
        wanted = configuration.model_dump()
        words = [
            f"{key} is {value}, not {wanted[key]}" for key, value in own.model_dump().items() if value != wanted[key]
        ]
        raise ModelError(f"{path} belongs to another configuration: {'; '.join(words)}.",
                         "weights of the requested configuration, or no configuration")  # fmt: skip
    network = Network(own)
    fill(network, tensors, path)
    return Checkpoint(network.eval(), description.card, digest)


def read_checkpoint(path: Path) -> tuple[Description, dict[str, Tensor]]:
    """The description and all tensors of a checkpoint, those of its base file included, as they are stored.

    Raises
    ------
    ModelError
        As for :func:`load_checkpoint`, except that the tensors are not compared with a network.
    """
    with path.open("rb") as stream:
        head = stream.read(9)
    # safetensors begins with eight bytes of a length, of which the first may be that of a pickle, and a brace
    is_pickle = head.startswith(PICKLE_HEADS) and head[8:] != b"{"
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
        description = Description.model_validate_json(metadata[FORMAT])
    except ValueError as error:
        raise ModelError(f"{path}: its description cannot be read: {error}.", f"the format {FORMAT}") from error
    if description.base is not None:
        tensors |= _base_tensors(path, description.base)
    return description, tensors


def _base_tensors(path: Path, base: Base) -> dict[str, Tensor]:
    """The tensors of a checkpoint's base file; ModelError if it is not the file that the checkpoint names."""
    shared = path.parent / (base.file + PACKED)
    allowed = f"{base.file}{PACKED}, whose content has the sha256 {base.sha256}, in the folder of the checkpoint"
    if not shared.is_file():
        raise ModelError(f"{path} needs the weights in {shared.name}, which is not in its folder.", allowed,
                         "Copy the two files together.")  # fmt: skip
    content = unpacked(shared, allowed)
    found = hashlib.sha256(content).hexdigest()
    if found != base.sha256:
        raise ModelError(f"{shared} is not the file that {path.name} needs: its sha256 is {found}.", allowed,
                         "Replace it by the file that belongs to the checkpoint.")  # fmt: skip
    return load(content)


def packed(content: bytes) -> bytes:
    """The content of a base file, compressed by LZMA with filters for numbers of two bytes (float16).

    Examples
    --------
    >>> len(packed(bytes(1000))) < 200
    True
    """
    return lzma.compress(content, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 1, "pb": 1}])


def unpacked(path: Path, allowed: str) -> bytes:
    """The content of a compressed base file.

    Raises
    ------
    ModelError
        If it cannot be read, is not complete or is larger than :data:`MOST_BYTES`.
    """
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        content = decoder.decompress(path.read_bytes(), MOST_BYTES)
    except (OSError, lzma.LZMAError) as error:
        raise ModelError(f"The weights {path} cannot be read: {error}.", allowed) from error
    if not decoder.eof:
        raise ModelError(f"The weights {path} are not complete, or are larger than {MOST_BYTES:,} bytes.", allowed)
    return content
