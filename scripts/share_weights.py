"""Store the tensors that several checkpoints have in common once, in a base file beside them.

    audit train train-small-gap -o GAP && audit train train-small-full -o FULL
    python scripts/share_weights.py GAP/speech2face-small-gap.safetensors FULL/speech2face-small-full.safetensors \\
        --base speech2face-small-shared.safetensors -o audit/models/speech2face/weights

Writes the base file and one file for each checkpoint, under its name, into a directory. Shared are the tensors that are
equal in every checkpoint, byte for byte: of the shipped ones the decoder and the face encoder, trained once with the
seed of both plans. Each checkpoint names the base file and its sha256; `load_checkpoint` reads both. The same input
gives the same bytes, also if the checkpoints have a base file already.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from audit.core.files import write_whole
from audit.models.speech2face.checkpoint import PACKED, Base, described_bytes, packed, read_checkpoint


def main() -> None:
    """Write the base file and the checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    parser.add_argument("--base", required=True, metavar="NAME.safetensors", help="the base file's name")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR")
    chosen = parser.parse_args()
    share(chosen.checkpoints, chosen.base, chosen.out)


def share(checkpoints: Sequence[Path], base: str, out: Path) -> None:
    """Write the checkpoints into a directory, and the tensors that they share into its file ``base``."""
    read = {path.name: read_checkpoint(path) for path in checkpoints}
    _, first = next(iter(read.values()))
    shared = {
        name: tensor
        for name, tensor in first.items()
        if all(name in tensors and is_same(tensor, tensors[name]) for _, tensors in read.values())
    }
    out.mkdir(parents=True, exist_ok=True)
    content = save(shared)
    write_whole(out / (base + PACKED), packed(content))
    named = Base(file=base, sha256=hashlib.sha256(content).hexdigest())
    for file, (description, tensors) in read.items():
        own = {name: tensor for name, tensor in tensors.items() if name not in shared}
        write_whole(out / file, described_bytes(own, description.model_copy(update={"base": named})))


def is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same type, shape and bytes."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.numpy().tobytes() == other.numpy().tobytes()


if __name__ == "__main__":
    main()
