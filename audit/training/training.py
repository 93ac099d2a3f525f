"""Training: from a plan to weights."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from audit.core.addresses import local_path
from audit.core.lock import claim
from audit.core.written_files import refuse_foreign_files, remove_temporary_files, write_files
from audit.models.fitted import FITTED_ON, FittedOn
from audit.models.pytorch import on_device
from audit.models.speech2face.checkpoint import Card, checkpoint_bytes, load_checkpoint
from audit.models.speech2face.config import CONFIGURATIONS, Configuration
from audit.models.speech2face.model import untrained
from audit.models.speech2face.network import Network
from audit.training.data import DRAWN, Material, load_material
from audit.training.faces import FaceTask
from audit.training.history import CHART, LOSSES, Losses
from audit.training.loop import Progress, Task, adam, run_stage
from audit.training.mitigations.training import TrainingSetup, mitigations_of
from audit.training.plan import TrainPlan
from audit.training.state import STATE, State, read_state, restore_modules, restore_optimiser, save_state
from audit.training.voices import VoiceTask

STAGES: Final = ("faces", "voices")
REPORT: Final = "training.json"


@dataclass(frozen=True)
class Trained:
    """The result of a training: the path of the weights (``None`` if it is unfinished), and its report."""

    weights: Path | None
    report: dict[str, Any]


def train(
    plan: TrainPlan,
    out: str | Path,
    *,
    device: str | None = None,
    decoder: str | Path | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
    max_seconds: float | None = None,
) -> Trained:
    """Train the network of a plan; the same call again resumes an unfinished training.

    Parameters
    ----------
    plan : TrainPlan
        The plan.
    out : path
        The folder for ``NAME.safetensors``, ``losses.csv``, ``losses.svg``, ``training.json``, the saved state, and
        drawn speakers.
    device : str, optional
        By default the first GPU, or the CPU if there is none.
    decoder : path, optional
        Weights of the same configuration, whose face encoder and decoder are used instead of the first stage. The
        distillation is dropped, since weights have no identity layer.
    progress : callable, optional
        Called with stage, step, number of steps and loss; while speakers are drawn, with ``speakers``, the numbers of
        finished speakers and of all, and 0.
    say : callable, optional
        Called with notices, such as about a dropped term of the loss.
    max_seconds : float, optional
        Stop after this time and save the state.

    Raises
    ------
    CohortError, PlanError
        If there are no training data.
    ModelError
        If the device, the weights or the saved state cannot be used.
    RunError
        If the folder contains another training or files of another origin, or is in use by another process.
    """
    began = time.monotonic()
    tell = say or (lambda sentence: None)
    folder = local_path(out, "The folder of a training")
    refuse_foreign_files(folder, (weights_name(plan), LOSSES, CHART, REPORT, STATE), (DRAWN,))
    folder.mkdir(parents=True, exist_ok=True)
    with claim(folder):
        remove_temporary_files(folder, ())
        configuration = configuration_of(plan)
        network, where = on_device(untrained(configuration, plan.seed).network, device)
        material = load_material(
            plan, configuration, folder, None if progress is None else lambda done, of: progress(DRAWN, done, of, 0.0)
        )
        tell(f"training: {len(material.training.speakers)} speakers, {len(material.training.clips)} clips; "
             f"validation: {len(material.validation.speakers)} speakers")  # fmt: skip
        course = _Course(plan, folder, network, material, where, tell, progress)
        if max_seconds is not None:
            course.stop_at = began + max_seconds
        finished = course.run(decoder)
        report = course.report(time.monotonic() - began)
        write_files(folder, {REPORT: json.dumps(report, indent=1) + "\n"})
        if not finished:
            tell(f"stopped; repeat the same command to resume: {folder}")
            return Trained(None, report)
        course.losses.draw()
        write_files(folder, {weights_name(plan): checkpoint_bytes(network.eval(), course.card())})
        return Trained(folder / weights_name(plan), report)


def weights_name(plan: TrainPlan) -> str:
    """The name of the file of weights in a training's folder."""
    return f"{plan.name}.safetensors"


def configuration_of(plan: TrainPlan) -> Configuration:
    """The configuration that a plan trains."""
    chosen = CONFIGURATIONS[plan.configuration]
    return chosen if plan.face is None else chosen.model_copy(update={"face": plan.face})


class _Course:
    """The stages of one training, in a folder."""

    def __init__(
        self, plan: TrainPlan, folder: Path, network: Network, material: Material, device: torch.device,
        tell: Callable[[str], None], progress: Progress | None,
    ) -> None:  # fmt: skip
        self.plan, self.folder, self.network, self.material = plan, folder, network, material
        self.device, self.tell, self.progress = device, tell, progress
        self.identity_layer: nn.Linear | None = None
        if network.face is not None and plan.voices.distillation:
            torch.manual_seed(plan.seed)
            self.identity_layer = nn.Linear(network.configuration.feature, len(material.training.speakers)).to(device)
        setup = TrainingSetup(
            material.training.clips, network.configuration.feature, plan.voices.steps, plan.mitigation
        )
        self.mitigations = mitigations_of(setup, plan.seed).to(device)
        self.losses = Losses(folder)
        self.stop_at: float | None = None
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.dropped: list[str] = []

    @property
    def identity(self) -> str:
        """A digest of plan, cohort and configuration."""
        plan = self.plan.model_dump_json(exclude=self.plan.left_out("cohort", "save_every", "log_every"))
        words = (plan, self.material.cohort.digest, self.network.configuration.model_dump_json())
        return hashlib.sha256("\n".join(words).encode()).hexdigest()

    def modules(self) -> dict[str, nn.Module]:
        """The modules in the saved state."""
        saved: dict[str, nn.Module] = {"network": self.network, "mitigations": self.mitigations}
        return saved if self.identity_layer is None else saved | {"identity": self.identity_layer}

    def run(self, decoder: str | Path | None) -> bool:
        """Run both stages from the saved state; returns whether they are finished."""
        if decoder is not None:
            self.identity_layer = None
        if self.identity_layer is None and self.plan.voices.distillation:
            self.dropped.append("distillation: there is no identity layer to distil (VGG-Face's fc8 is not available)")
            self.tell(f"dropped from the loss: {self.dropped[-1]}")
        state = read_state(self.folder, self.identity)
        if state is not None:
            restore_modules(state, self.modules())
            self.losses.rewind(state.stage, state.step, STAGES)
            self.tell(f"resuming from step {state.step} of {state.stage}")
        elif decoder is not None:
            taken = load_checkpoint(decoder, self.network.configuration).network
            self.network.load_state_dict(taken.state_dict())
        first = max(0 if decoder is None else 1, 0 if state is None else STAGES.index(state.stage))
        return all(
            self._stage(stage, state if state is not None and state.stage == stage else None)
            for stage in STAGES[first:]
        )

    def _stage(self, stage: str, state: State | None) -> bool:
        began = time.monotonic()
        shared = (self.network, self.identity_layer, self.material.training, self.material.validation)
        task: Task
        if stage == "faces":
            with torch.no_grad():
                task = FaceTask(*shared, self.plan.faces)
        else:
            self.network.eval()
            with torch.no_grad():
                task = VoiceTask(*shared, self.plan.voices, self.mitigations)
            for module in (self.network.decoder, self.identity_layer, self.network.face):
                if module is not None:
                    module.requires_grad_(False)
            if state is None:
                task.start()
        optimiser = adam(task)
        if state is not None:
            restore_optimiser(state, optimiser)
        done = run_stage(
            task, optimiser, self.losses, self.plan, start=0 if state is None else state.step, device=self.device,
            progress=self.progress, stop_at=self.stop_at,
            save=lambda step: save_state(self.folder, self.identity, stage, step, self.modules(), optimiser),
        )  # fmt: skip
        finished = done == task.settings.steps
        if finished and isinstance(task, VoiceTask):
            task.sharpen()
        self.seconds[stage] += time.monotonic() - began
        return finished

    def report(self, seconds: float) -> dict[str, Any]:
        """Time, memory, and the last losses on the validation part."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        last = {f"{stage}/{term}": value for stage, _, part, term, value in self.losses.rows if part == "validation"}
        return {
            "seconds": {"all": round(seconds, 1), **{name: round(value, 1) for name, value in self.seconds.items()}},
            "peak_memory_mib": round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)),
            "device": str(self.device),
            "dropped": self.dropped,
            "validation": {name: round(value, 6) for name, value in last.items()},
        }

    def card(self) -> Card:
        """The card of the weights."""
        training = {
            "cohort": self.material.cohort.name,
            "cohort_digest": self.material.cohort.digest,
            "speakers": len(self.material.training.speakers),
            "seed": self.plan.seed,
            "dropped": self.dropped,
            "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
            "plan": self.plan.model_dump(mode="json", exclude=self.plan.left_out("cohort")),
        }
        if self.plan.mitigation.names:
            clips = self.material.training.clips
            training["mitigation"] = self.plan.mitigation.record()
            training[FITTED_ON] = FittedOn.of(clips["speaker_id"], clips["audio_sha256"]).record()
        return Card(name=self.plan.name, coverage=self.material.coverage, training=training)
