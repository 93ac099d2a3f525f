"""The saved state of a training: weights, Adam's moments and the step, in one safetensors file without pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from audit.core.errors import RunError
from audit.core.written_files import write_files
from audit.models.pytorch import read_tensors

STATE = "state.safetensors"


@dataclass(frozen=True)
class State:
    """The state of a stopped training: its stage, the finished steps of the stage, and tensors."""

    stage: str
    step: int
    tensors: dict[str, Tensor]


def save_state(
    folder: Path, identity: str, stage: str, step: int, modules: dict[str, nn.Module], optimiser: torch.optim.Adam
) -> None:
    """Write the state of the training with this identity."""
    tensors = {
        f"{name}/{key}": tensor for name, module in modules.items() for key, tensor in module.state_dict().items()
    }
    for place, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam/{place}/{key}": value for key, value in moments.items()}
    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    write_files(folder, {STATE: save(plain, {"identity": identity, "stage": stage, "step": str(step)})})


def read_state(folder: Path, identity: str) -> State | None:
    """The state in a folder, or ``None``.

    Raises
    ------
    ModelError
        If it cannot be read.
    RunError
        If it belongs to another training, or is damaged.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    metadata, tensors = read_tensors(path, "Choose another folder for -o.")
    if metadata.get("identity") != identity:
        raise RunError(f"{folder} contains a training of another plan or cohort.", "the same plan and cohort",
                       "Choose another folder for -o.")  # fmt: skip
    try:
        return State(metadata["stage"], int(metadata["step"]), tensors)
    except (KeyError, ValueError) as error:
        raise RunError(f"{path} has no valid stage or step.", next_step="Choose another folder.") from error


def restore_modules(state: State, modules: dict[str, nn.Module]) -> None:
    """Copy the weights of a state into the modules."""
    for name, module in modules.items():
        module.load_state_dict(
            {key.removeprefix(f"{name}/"): value for key, value in state.tensors.items() if key.startswith(f"{name}/")}
        )


def restore_optimiser(state: State, optimiser: torch.optim.Adam) -> None:
    """Copy Adam's moments of a state into the optimiser of the same stage."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.tensors.items():
        if name.startswith("adam/"):
            _, place, key = name.split("/")
            moments.setdefault(int(place), {})[key] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
