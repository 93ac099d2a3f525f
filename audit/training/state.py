"""The saved state of a training: weights, Adam's moments and the step, in one safetensors file without pickle."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from audit.core.errors import RunError

STATE = "state.safetensors"


@dataclass(frozen=True)
class State:
    """The state of a stopped training: its identity, stage, finished steps of the stage, and tensors."""

    identity: str
    stage: str
    step: int
    tensors: dict[str, Tensor]


def save_state(
    folder: Path, identity: str, stage: str, step: int, modules: dict[str, nn.Module], optimiser: torch.optim.Adam
) -> None:
    """Write the state atomically."""
    tensors = {
        f"{name}/{key}": tensor for name, module in modules.items() for key, tensor in module.state_dict().items()
    }
    for place, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam/{place}/{key}": value for key, value in moments.items()}
    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    part = folder / f".{STATE}.{os.getpid()}.tmp"
    save_file(plain, part, {"identity": identity, "stage": stage, "step": json.dumps(step)})
    part.replace(folder / STATE)


def read_state(folder: Path, identity: str) -> State | None:
    """The state in a folder, or ``None``.

    Raises
    ------
    RunError
        If it cannot be read, or belongs to another training.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping: it has keys() only
    except Exception as error:  # safetensors may raise anything for a damaged file
        raise RunError(f"{path} cannot be read: {error}.", next_step="Choose another folder for -o.") from error
    if metadata.get("identity") != identity:
        raise RunError(f"{folder} contains a training of another plan or cohort.", "the same plan and cohort",
                       "Choose another folder for -o.")  # fmt: skip
    try:
        return State(identity, metadata["stage"], int(metadata["step"]), tensors)
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
