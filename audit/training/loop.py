"""The training loop of both stages: seeded at every step, resumable, with the losses on disk."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from audit.training.history import Losses
from audit.training.plan import Optimiser, TrainPlan

Progress = Callable[[str, int, int, float], None]
"""Called with the stage, the number of finished steps, the total number of steps, and the loss."""


class Task(ABC):
    """One stage of a training: its name, and the steps, batch and schedule of its optimiser."""

    name: str
    settings: Optimiser

    @abstractmethod
    def modules(self) -> list[nn.Module]:
        """The trained modules."""

    @abstractmethod
    def losses(self) -> dict[str, Tensor]:
        """The terms of one step; ``loss`` is minimised."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """The terms on the validation part, without augmentation; empty if it has no speakers."""


def seed_of(*words: object) -> int:
    """A 63-bit seed from words, the same on every machine."""
    text = "\x1f".join(map(str, words)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def adam(task: Task) -> torch.optim.Adam:
    """The optimiser of a stage, over the parameters of its modules."""
    s = task.settings
    parameters = [parameter for module in task.modules() for parameter in module.parameters()]
    return torch.optim.Adam(parameters, s.rate, (s.beta1, s.beta2), s.eps, s.weight_decay)


def run_stage(
    task: Task,
    optimiser: torch.optim.Adam,
    losses: Losses,
    plan: TrainPlan,
    *,
    start: int,
    save: Callable[[int], None],
    device: torch.device,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> int:
    """Run the steps of a stage from ``start``; returns the number of finished steps.

    Each step is seeded by the plan's seed, the stage and the step's number, so a resumed training gives the same result
    as an uninterrupted one. On a GPU the forward pass uses bfloat16 if supported.

    Parameters
    ----------
    start : int
        The number of steps finished before.
    save : callable
        Writes the state; called with the number of finished steps.
    progress : callable, optional
        Called after every logged step.
    stop_at : float, optional
        The value of ``time.monotonic`` at which the stage stops and saves its state.
    """
    settings = task.settings
    mixed = device.type == "cuda" and torch.cuda.is_bf16_supported()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    step = start
    while step < settings.steps:
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * settings.decay ** (step // settings.decay_every)
        for module in task.modules():
            module.train()
        torch.manual_seed(seed_of(plan.seed, task.name, step))
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            terms = task.losses()
        optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(parameters, 10.0)
        optimiser.step()
        step += 1
        if step % plan.log_every == 0 or step == settings.steps:
            losses.add(task.name, step, "training", {name: float(value.detach()) for name, value in terms.items()})
            if progress:
                progress(task.name, step, settings.steps, float(terms["loss"].detach()))
        late = stop_at is not None and time.monotonic() >= stop_at
        if step % plan.save_every == 0 or step == settings.steps or late:
            for module in task.modules():
                module.eval()
            with torch.no_grad():
                losses.add(task.name, step, "validation", task.validate())
            losses.write()
            save(step)
        if late:
            break
    return step
