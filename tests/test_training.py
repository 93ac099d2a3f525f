"""Training: a plan in, weights out that say what they were taught; stopped and started again, the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.models.speech2face import load_checkpoint
from audit.training import TrainPlan, train

SHORT = """
name = "short"
seed = 3
save_every = 1
log_every = 1
cohort = "synthetic_bilingual/training"
coverage = { asian = ["other"], indian = ["other"], black = ["en"], white = ["en"] }
[faces]
steps = 2
batch = 4
[voices]
steps = 2
batch = 4
crop_seconds = 3.0
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of each stage on the embedded training part: enough to see that all of it runs."""
    folder = tmp_path_factory.mktemp("training")
    assert train(TrainPlan.parse(SHORT), folder, device="cpu").weights == folder / "short.safetensors"
    return folder


def test_the_weights_say_who_was_heard_in_which_language(trained: Path) -> None:
    card = load_checkpoint(trained / "short.safetensors").card
    heard = {(item.group, item.language): item.speakers for item in card.coverage}
    assert heard["asian", "en"] == heard["indian", "en"] == 0
    assert heard["black", "en"] == heard["white", "en"] == 40
    assert heard["asian", "zh"] + heard["asian", "es"] == 40
    assert heard["white", "zh"] == heard["white", "es"] == 0


def test_the_losses_are_kept(trained: Path) -> None:
    assert (trained / "losses.csv").read_text(encoding="utf-8").count("\n") >= 4
    assert (trained / "losses.svg").stat().st_size > 1000


def test_weights_that_were_trained_can_be_audited(trained: Path) -> None:
    model = audit.model("speech2face", weights=trained / "short.safetensors")
    assert model.name == "short"


def test_a_training_of_another_plan_is_refused(trained: Path) -> None:
    with pytest.raises(audit.RunError):
        train(TrainPlan.parse(SHORT.replace("seed = 3", "seed = 4")), trained, device="cpu")


def test_a_mistyped_key_is_named() -> None:
    with pytest.raises(audit.PlanError, match="did you mean 'coverage'"):
        TrainPlan.parse(SHORT.replace("coverage", "coverge"))
