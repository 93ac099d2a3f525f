"""Training: from a plan to weights."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit.core.errors import ModelError
from audit.core.lock import claim
from audit.training.plan import TrainPlan

if TYPE_CHECKING:
    import torch
    from torch import nn

    from audit.models.speech2face.network import Network
    from audit.training.data import Material
    from audit.training.loop import Progress

STAGES: Final = ("faces", "voices")
REPORT: Final = "training.json"
CHART: Final = "losses.svg"


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
        The folder for ``NAME.safetensors``, ``losses.csv``, ``losses.svg``, ``training.json`` and the saved state.
    device : str, optional
        By default the first GPU, or the CPU if there is none.
    decoder : path, optional
        Weights of the same configuration, whose face encoder and decoder are used instead of the first stage. The
        distillation is dropped, since weights have no identity layer.
    progress : callable, optional
        Called with stage, step, number of steps and loss.
    say : callable, optional
        Called with notices, such as about a dropped term of the loss.
    max_seconds : float, optional
        Stop after this time and save the state.

    Raises
    ------
    CohortError, PlanError
        If there are no training data.
    ModelError
        If the device or the weights cannot be used.
    RunError
        If the folder contains another training, or is in use by another process.
    """
    import torch

    from audit.models.speech2face.model import untrained
    from audit.training.data import load_material

    began = time.monotonic()
    tell = say or (lambda sentence: None)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with claim(folder):
        configuration = configuration_of(plan)
        try:
            where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            network = untrained(configuration, plan.seed).network.to(where)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"The device {device!r} cannot be used: {error}", "cpu, or cuda where there is a GPU"
            ) from error
        material = load_material(plan, configuration)
        tell(f"training: {len(material.training.speakers)} speakers, {len(material.training.clips)} clips; "
             f"validation: {len(material.validation.speakers)} speakers")  # fmt: skip
        course = _Course(plan, folder, network, material, where, tell, progress)
        if max_seconds is not None:
            course.stop_at = began + max_seconds
        finished = course.run(decoder)
        report = course.report(time.monotonic() - began)
        _write_json(folder / REPORT, report)
        if not finished:
            tell(f"stopped; repeat the same command to resume: {folder}")
            return Trained(None, report)
        return Trained(course.write(), report)


def configuration_of(plan: TrainPlan) -> Any:
    """The configuration that a plan trains."""
    from audit.models.speech2face.config import CONFIGURATIONS

    chosen = CONFIGURATIONS[plan.configuration]
    return chosen if plan.face is None else chosen.model_copy(update={"face": plan.face})


class _Course:
    """The stages of one training, in a folder."""

    def __init__(
        self, plan: TrainPlan, folder: Path, network: Network, material: Material, device: torch.device,
        tell: Callable[[str], None], progress: Progress | None,
    ) -> None:  # fmt: skip
        from torch import nn

        from audit.training.loop import LOSSES, Losses
        from audit.training.mitigations.training import TrainingSetup, mitigations_of

        self.plan, self.folder, self.network, self.material = plan, folder, network, material
        self.device, self.tell, self.progress = device, tell, progress
        self.identity_layer: nn.Linear | None = None
        if network.face is not None and plan.voices.distillation:
            import torch

            torch.manual_seed(plan.seed)
            self.identity_layer = nn.Linear(network.configuration.feature, len(material.training.speakers)).to(device)
        setup = TrainingSetup(
            material.training.clips, network.configuration.feature, plan.voices.steps, plan.mitigation
        )
        self.mitigations = mitigations_of(setup, plan.seed).to(device)
        self.losses = Losses(folder / LOSSES)
        self.stop_at: float | None = None
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.dropped: list[str] = []

    @property
    def identity(self) -> str:
        """A digest of plan, cohort and configuration."""
        plan = self.plan.model_dump_json(exclude=self.plan.left_out("cohort", "save_every", "log_every"))
        words = (plan, self.material.cohort_digest, self.network.configuration.model_dump_json())
        return hashlib.sha256("\n".join(words).encode()).hexdigest()

    def modules(self) -> dict[str, nn.Module]:
        """The modules in the saved state."""
        saved: dict[str, nn.Module] = {"network": self.network, "mitigations": self.mitigations}
        return saved if self.identity_layer is None else saved | {"identity": self.identity_layer}

    def run(self, decoder: str | Path | None) -> bool:
        """Run both stages from the saved state; returns whether they are finished."""
        from audit.models.speech2face.checkpoint import load_checkpoint
        from audit.training.state import read_state, restore_modules

        if decoder is not None:
            self.identity_layer = None
        if self.identity_layer is None and self.plan.voices.distillation:
            self._drop("distillation: there is no identity layer to distil (VGG-Face's fc8 is not available)")
        state = read_state(self.folder, self.identity)
        if state is not None:
            restore_modules(state, self.modules())
            self.losses.rewind(state.stage, state.step, STAGES)
            self.tell(f"resuming from step {state.step} of {state.stage}")
        elif decoder is not None:
            taken = load_checkpoint(decoder, self.network.configuration).network
            self.network.load_state_dict(taken.state_dict())
        for stage in STAGES[0 if decoder is None else 1 :]:
            if state is not None and STAGES.index(state.stage) > STAGES.index(stage):
                continue
            if not self._stage(stage, state if state is not None and state.stage == stage else None):
                return False
        return True

    def _stage(self, stage: str, state: Any) -> bool:
        import torch

        from audit.training.faces import FaceTask
        from audit.training.loop import Task, adam, run_stage
        from audit.training.state import restore_optimiser, save_state
        from audit.training.voices import VoiceTask

        began = time.monotonic()
        parts = (self.material.training, self.material.validation)
        task: Task
        if stage == "faces":
            with torch.no_grad():
                task = FaceTask(self.network, self.identity_layer, *parts, self.plan.faces)
        else:
            self.network.eval()
            with torch.no_grad():
                task = VoiceTask(self.network, self.identity_layer, *parts, self.plan.voices, self.mitigations)
            for module in (self.network.decoder, self.identity_layer, self.network.face):
                if module is not None:
                    module.requires_grad_(False)
            if state is None:
                task.start()
        optimiser = adam(task)
        start = 0
        if state is not None:
            restore_optimiser(state, optimiser)
            start = state.step
        done = run_stage(
            task, optimiser, self.losses, start=start, seed=self.plan.seed, log_every=self.plan.log_every,
            save_every=self.plan.save_every, device=self.device, progress=self.progress, stop_at=self.stop_at,
            save=lambda step: save_state(self.folder, self.identity, stage, step, self.modules(), optimiser),
        )  # fmt: skip
        self.seconds[stage] += time.monotonic() - began
        return done == task.settings.steps

    def _drop(self, sentence: str) -> None:
        self.dropped.append(sentence)
        self.tell(f"dropped from the loss: {sentence}")

    def report(self, seconds: float) -> dict[str, Any]:
        """Time, memory, and the last losses on the validation part."""
        last = {(stage, term): value for stage, _, part, term, value in self.losses.rows if part == "validation"}
        return {
            "seconds": {"all": round(seconds, 1), **{name: round(value, 1) for name, value in self.seconds.items()}},
            "peak_memory_mib": round(_peak_memory_mib()),
            "device": str(self.device),
            "dropped": self.dropped,
            "validation": {f"{stage}/{term}": round(value, 6) for (stage, term), value in last.items()},
        }

    def write(self) -> Path:
        """Write the weights, with their card."""
        import platform

        import torch

        from audit.models.speech2face.checkpoint import Card, save_checkpoint
        from audit.training.figure import losses_chart

        plan = self.plan.model_dump(mode="json", exclude=self.plan.left_out("cohort"))
        card = Card(
            name=self.plan.name,
            coverage=self.material.coverage,
            training={
                "cohort": self.material.cohort_name,
                "cohort_digest": self.material.cohort_digest,
                "speakers": len(self.material.training.speakers),
                "seed": self.plan.seed,
                "dropped": self.dropped,
                "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
                "plan": plan,
                **self._mitigated(),
            },
        )
        path = self.folder / f"{self.plan.name}.safetensors"
        save_checkpoint(self.network.eval(), card, path)
        losses_chart(self.losses.rows, self.folder / CHART)
        return path

    def _mitigated(self) -> dict[str, Any]:
        """The entries of the card about mitigations; empty if there are none."""
        if not self.plan.mitigation.names:
            return {}
        from audit.models.fitted import FITTED_ON, FittedOn

        part = self.material.training
        fitted_on = FittedOn.of(part.clips["speaker_id"], part.clips["audio_sha256"])
        return {"mitigation": self.plan.mitigation.record(), FITTED_ON: fitted_on.record()}


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
