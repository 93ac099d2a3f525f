"""The paper's configuration on this machine: rendering, and one training step of each stage, in seconds and memory.

    python benchmarks/paper_step.py [--steps 1]

The network has the paper's sizes, random weights, and a face encoder of its own (VGG-Face's weights are not on most
machines). The steps are those of `audit train train-paper`, on the embedded training part.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from audit.core.audio import SAMPLE_RATE
from audit.models.speech2face.model import Speech2Face, untrained
from audit.training.data import load_material
from audit.training.faces import FaceTask
from audit.training.loop import Task, adam
from audit.training.mitigations.training import Mitigations
from audit.training.plan import TrainPlan
from audit.training.training import configuration_of
from audit.training.voices import VoiceTask


def report(words: str, seconds: float, count: int, what: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(f"{words:44s} {seconds:8.2f} s {count / seconds:8.2f} {what}/s   peak so far {peak:.2f} GiB", flush=True)


def step_seconds(task: Task, steps: int, device: torch.device) -> float:
    """Seconds a step; the first, which also allocates, is among them."""
    optimiser = adam(task)
    for module in task.modules():
        module.train()
    began = time.perf_counter()
    for _ in range(steps):
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = task.losses()["loss"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        float(loss.detach())
    return (time.perf_counter() - began) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1)
    steps = parser.parse_args().steps
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    plan = TrainPlan.read("train-paper")
    configuration = configuration_of(plan)
    checkpoint = untrained(configuration)
    network = checkpoint.network.to(device)
    parts = {name: sum(p.numel() for p in module.parameters()) for name, module in network.named_children()}
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {device}")
    print("parameters: " + ", ".join(f"{name} {count / 1e6:.1f} M" for name, count in parts.items() if count))

    clips = [np.random.default_rng(0).standard_normal(6 * SAMPLE_RATE).astype(np.float32) * 0.1 for _ in range(8)]
    model = Speech2Face(checkpoint, batch=8)
    model.render(clips, SAMPLE_RATE)
    began = time.perf_counter()
    model.render(clips, SAMPLE_RATE)
    report("forward, 8 clips of 6 s to 224 x 224 pictures", time.perf_counter() - began, 8, "clips")

    material = load_material(plan, configuration, Path())  # nothing is drawn
    network.requires_grad_(True)
    with torch.no_grad():
        faces = FaceTask(network, None, material.training, material.validation, plan.faces)
    report(
        f"training step, faces, batch {plan.faces.batch}", step_seconds(faces, steps, device), plan.faces.batch, "faces"
    )
    network.eval()
    identity = nn.Linear(configuration.feature, len(material.training.speakers)).to(device)
    with torch.no_grad():
        voices = VoiceTask(network, identity, material.training, material.validation, plan.voices, Mitigations({}))
    for module in (network.decoder, network.face, identity):
        if module is not None:
            module.requires_grad_(False)
    seconds = step_seconds(voices, steps, device)
    report(f"training step, voices, batch {plan.voices.batch}", seconds, plan.voices.batch, "clips")


if __name__ == "__main__":
    main()
