"""The loop of both stages: seeded step by step, resumable, with the losses on disk."""

from __future__ import annotations

import csv
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from audit.training.plan import Optimiser

Row = tuple[str, int, str, str, float]
"""Stage, step, part, term, value: one row of the losses."""

Progress = Callable[[str, int, int, float], None]
"""Is told the stage, the steps done, of how many, and the loss."""

LOSSES = "losses.csv"
LOSS_COLUMNS = ("stage", "step", "part", "term", "value")


class Task(Protocol):
    """One stage of a training."""

    @property
    def name(self) -> str:
        """What the stage is called."""
        ...

    @property
    def settings(self) -> Optimiser:
        """Steps, batch and schedule."""
        ...

    def modules(self) -> list[nn.Module]:
        """What is trained."""
        ...

    def losses(self) -> dict[str, Tensor]:
        """The terms of one step; ``loss`` is what is minimised."""
        ...

    def validate(self) -> dict[str, float]:
        """The terms on the validation part."""
        ...


def seed_of(*words: object) -> int:
    """A 63-bit seed from words, the same on every machine.

    Examples
    --------
    >>> seed_of(0, "faces", 1) == seed_of(0, "faces", 1), seed_of(0, "faces", 1) == seed_of(0, "faces", 2)
    (True, False)
    """
    text = "\x1f".join(map(str, words)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


class Losses:
    """The losses, on disk as CSV and in memory; rows after a given step are forgotten when a training goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as stream:
                self.rows = [(r[0], int(r[1]), r[2], r[3], float(r[4])) for r in list(csv.reader(stream))[1:]]

    def rewind(self, stage: str, step: int, stages: tuple[str, ...]) -> None:
        """Keep only what lies at or before this step of this stage."""
        order = {name: place for place, name in enumerate(stages)}
        self.rows = [row for row in self.rows if (order[row[0]], row[1]) <= (order[stage], step)]

    def add(self, stage: str, step: int, part: str, terms: dict[str, float]) -> None:
        """Rows of one step."""
        self.rows += [(stage, step, part, term, value) for term, value in terms.items()]

    def write(self) -> None:
        """Write all rows; the file is replaced whole."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with part.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(LOSS_COLUMNS)
            writer.writerows((stage, step, name, term, f"{value:.6g}") for stage, step, name, term, value in self.rows)
        part.replace(self.path)


def adam(task: Task) -> torch.optim.Adam:
    """The optimiser of a stage, over everything that it trains."""
    s = task.settings
    parameters = [parameter for module in task.modules() for parameter in module.parameters()]
    return torch.optim.Adam(parameters, s.rate, (s.beta1, s.beta2), s.eps, s.weight_decay)


def run_stage(
    task: Task,
    optimiser: torch.optim.Adam,
    losses: Losses,
    *,
    start: int,
    seed: int,
    log_every: int,
    save_every: int,
    save: Callable[[int], None],
    device: torch.device,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> int:
    """Take the steps of a stage from ``start`` on; returns the steps done.

    Each step draws from a generator seeded by the plan's seed, the stage and the step's number, so that a training that
    was stopped goes on as if it had not been. On a GPU the forward pass runs in bfloat16 where the GPU has it.

    Parameters
    ----------
    task, optimiser, losses
        What is trained, how, and where the losses go.
    start : int
        Steps done already.
    seed, log_every, save_every
        As the plan says.
    save : callable
        Writes the state after so many steps.
    device : torch.device
        Where it runs.
    progress : callable, optional
        Is told after every logged step.
    stop_at : float, optional
        A moment of ``time.monotonic`` at which the stage stops, its state saved.
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
        torch.manual_seed(seed_of(seed, task.name, step))
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            terms = task.losses()
        optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(parameters, 10.0)
        optimiser.step()
        step += 1
        if step % log_every == 0 or step == settings.steps:
            losses.add(task.name, step, "training", {name: float(value.detach()) for name, value in terms.items()})
            if progress:
                progress(task.name, step, settings.steps, float(terms["loss"].detach()))
        late = stop_at is not None and time.monotonic() >= stop_at
        if step % save_every == 0 or step == settings.steps or late:
            for module in task.modules():
                module.eval()
            with torch.no_grad():
                losses.add(task.name, step, "validation", task.validate())
            losses.write()
            save(step)
        if late:
            break
    return step
