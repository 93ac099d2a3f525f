"""Mitigations in training: what is drawn, what counts, which way a gradient points; a training runs with each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import audit
from audit.models.speech2face import load_checkpoint, weights_of
from audit.models.speech2face.model import Speech2Face
from audit.training import TrainPlan, train
from audit.training.losses import losses_by_clip, voice_losses
from audit.training.mitigations.balanced import Balanced
from audit.training.mitigations.group_dro import GroupDroWeights
from audit.training.mitigations.language_adversarial import LanguageAdversary, Reversal
from audit.training.mitigations.plan import MitigationPlan
from audit.training.mitigations.registry import in_training
from audit.training.mitigations.reweighted import Reweighted
from audit.training.mitigations.training import Mitigations, TrainingSetup, mitigations_of
from audit.training.plan import VoiceStage
from tests.fakes import ColourInstrument

UNEVEN = pd.DataFrame(
    [("asian", "zh")] * 70 + [("asian", "en")] * 10 + [("white", "en")] * 20, columns=["group", "language"]
)
SHORT = """
name = "short"
seed = 3
save_every = 1
log_every = 1
coverage = { asian = ["other"], indian = ["other"], black = ["en"], white = ["en"] }
[faces]
steps = 1
[voices]
steps = 2
batch = 4
crop_seconds = 3.0
[mitigation]
"""


def setup_of(clips: pd.DataFrame, feature: int = 4, steps: int = 10, **options: Any) -> TrainingSetup:
    """The setup of a training with these options of a mitigation."""
    return TrainingSetup(clips, feature, steps, MitigationPlan(**options))


def in_languages(*languages: str) -> pd.DataFrame:
    return pd.DataFrame({"group": "asian", "language": languages})


def test_balanced_sampling_draws_every_group_in_every_language_alike() -> None:
    torch.manual_seed(0)
    drawn = UNEVEN.iloc[Mitigations({"balanced": Balanced(setup_of(UNEVEN))}).drawn(30_000, len(UNEVEN)).tolist()]
    shares = drawn.groupby(["group", "language"]).size() / len(drawn)
    assert shares.to_numpy() == pytest.approx([1 / 3] * 3, abs=0.01)
    within = drawn[(drawn["group"] == "asian") & (drawn["language"] == "en")].index.value_counts(normalize=True)
    assert within.to_numpy() == pytest.approx([0.1] * 10, abs=0.015)


def test_without_a_mitigation_clips_are_drawn_as_ever() -> None:
    torch.manual_seed(7)
    drawn = Mitigations({}).drawn(16, 100)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.randint(100, (16,)))


def test_reweighted_group_and_language_are_independent() -> None:
    """Four cells 40, 10, 20, 30: weighted, every cell holds what its margins say."""
    clips = pd.DataFrame(
        [("asian", "zh")] * 40 + [("asian", "en")] * 10 + [("white", "zh")] * 20 + [("white", "en")] * 30,
        columns=["group", "language"],
    )
    weights = Reweighted(setup_of(clips)).weights(torch.zeros(100), torch.arange(100)).numpy()
    assert weights.mean() == pytest.approx(1)
    mass = clips.assign(weight=weights).pivot_table(index="group", columns="language", values="weight", aggfunc="sum")
    assert mass.loc["asian", "en"] == pytest.approx(50 * 40 / 100)
    assert mass.loc["white", "zh"] == pytest.approx(50 * 60 / 100)


def test_group_dro_weights_move_to_the_group_with_the_largest_loss() -> None:
    dro = GroupDroWeights(setup_of(UNEVEN, group_dro={"rate": 0.1}))
    rows = torch.tensor([0, 1, 75, 76, 90, 91])
    for _ in range(200):
        weights = dro.weights(torch.tensor([1.0, 1.0, 3.0, 3.0, 1.0, 1.0]), rows)
    shares = dict(zip(dro.known, dro.shares.tolist(), strict=True))
    assert shares["asian", "en"] > 0.99 and sum(shares.values()) == pytest.approx(1)
    assert weights[2] == pytest.approx(3.0, abs=0.05) and weights[0] < 0.01


def test_one_step_of_group_dro_by_hand() -> None:
    dro = GroupDroWeights(setup_of(UNEVEN, group_dro={"rate": 1.0}))  # cells: asian en, asian zh, white en
    weights = dro.weights(torch.tensor([2.0, 4.0, 1.0]), torch.tensor([0, 1, 90]))
    raw = torch.tensor([0.0, 3.0, 1.0]).exp()  # asian en is not in the batch: it keeps its weight before the scaling
    assert torch.allclose(dro.shares.float(), raw / raw.sum())
    q = raw / raw.sum()
    assert weights.tolist() == pytest.approx([float(q[1]) * 3 / 2, float(q[1]) * 3 / 2, float(q[2]) * 3], rel=1e-5)


def test_group_dro_is_uniform_for_equal_losses() -> None:
    dro = GroupDroWeights(setup_of(UNEVEN))
    for _ in range(100):
        dro.weights(torch.ones(3), torch.tensor([0, 75, 90]))
    assert dro.shares.tolist() == pytest.approx([1 / 3] * 3)


def test_the_gradient_comes_back_with_its_sign_changed() -> None:
    feature = torch.tensor([[1.0, -2.0]], requires_grad=True)
    made = Reversal.apply(feature, 0.5)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert torch.equal(made, feature)
    (3 * made).sum().backward()
    assert feature.grad is not None and feature.grad.tolist() == [[-1.5, -1.5]]


def test_the_adversary_learns_the_language_and_the_encoder_unlearns_it() -> None:
    torch.manual_seed(0)
    clips = in_languages(*["en", "zh"] * 50)
    voices = torch.randn(100, 6)
    voices[:, 0] += torch.tensor([3.0, -3.0] * 50)
    found = {}
    for weight in (1e-9, 5.0):
        torch.manual_seed(1)
        encoder = torch.nn.Linear(6, 6)
        adversary = LanguageAdversary(setup_of(clips, 6, 400, language_adversarial={"weight": weight}))
        optimiser = torch.optim.Adam([*encoder.parameters(), *adversary.parameters()], 0.01)
        for _ in range(400):
            optimiser.zero_grad()
            feature = encoder(voices)
            loss = (feature - voices).square().mean() + adversary.penalty(feature, torch.arange(100))
            loss.backward()
            optimiser.step()
        feature = encoder(voices).detach()
        found[weight] = float((feature[::2].mean(0) - feature[1::2].mean(0)).norm())
    assert found[1e-9] > 5 and found[5.0] < 0.5 * found[1e-9]


def test_the_adversarys_strength_grows_from_nothing_to_its_weight() -> None:
    adversary = LanguageAdversary(setup_of(in_languages("en", "zh"), language_adversarial={"weight": 2.0}))
    assert adversary.strength() == 0
    for _ in range(10):
        adversary.penalty(torch.randn(2, 4), torch.arange(2))
    assert adversary.strength() == pytest.approx(2.0, abs=1e-3)


def test_an_adversary_needs_two_languages() -> None:
    with pytest.raises(audit.PlanError, match="only in en"):
        LanguageAdversary(setup_of(in_languages("en", "en")))


def test_coverage_only_adds_clips() -> None:
    base = 'name = "x"\ncoverage = {asian = {en = 0.25, other = 1.0}}\n[faces]\nsteps = 1\n[voices]\nsteps = 1\n'
    plan = TrainPlan.parse(base + '[mitigation]\nnames = ["coverage"]\ncoverage = {languages = ["en"], share = 0.5}\n')
    assert [plan.share("asian", language) for language in ("en", "zh")] == [0.5, 1.0]
    unnamed = TrainPlan.parse(base + '[mitigation]\ncoverage = {languages = ["en"], share = 0.5}\n')
    assert unnamed.share("asian", "en") == 0.25
    little = TrainPlan.parse(base + '[mitigation]\nnames = ["coverage"]\ncoverage = {share = 0.1}\n')
    assert [little.share("asian", language) for language in ("en", "zh")] == [0.25, 1.0]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('names = ["leace"]', "fitted after the training"),
        ('names = ["group_dr"]', "there is no mitigation 'group_dr'"),
        ('names = ["group_dro", "group_dro"]', "named twice"),
        ('names = ["balanced", "reweighted"]', "correct the same thing"),
        ('name = ["balanced"]', "did you mean 'names'"),
        ("group_dro = {rate = 0}", "mitigation.group_dro.rate is 0"),
        ('coverage = {groups = ["martian"]}', "there is no group 'martian'"),
    ],
)
def test_a_mistake_in_the_section_is_named(section: str, words: str) -> None:
    with pytest.raises(audit.PlanError, match=words):
        TrainPlan.parse(SHORT + section + "\n")


def test_a_plan_without_mitigations_is_written_as_before_there_were_any() -> None:
    plan = TrainPlan.read("train-small-gap")
    assert "mitigation" not in plan.model_dump(exclude=plan.left_out())
    assert "mitigation" in (some := TrainPlan.parse(SHORT + 'names = ["balanced"]\n')).model_dump(
        exclude=some.left_out()
    )


def test_the_losses_of_clips_average_to_those_of_the_batch() -> None:
    torch.manual_seed(0)
    heard, wanted = (
        {"feature": torch.randn(6, 8), "first": torch.randn(6, 5), "logits": torch.randn(6, 3)} for _ in range(2)
    )
    settings = VoiceStage(steps=1)
    alone, together = losses_by_clip(heard, wanted, settings), voice_losses(heard, wanted, settings)
    assert alone.keys() == together.keys()
    for name, value in together.items():
        assert alone[name].shape == (6,)
        torch.testing.assert_close(alone[name].mean(), value)


def test_weights_of_one_are_no_weights_and_penalties_are_added() -> None:
    clips = pd.DataFrame({"group": ["asian", "white"], "language": ["en", "zh"]})
    plan = MitigationPlan(names=("reweighted", "language_adversarial"))
    both = mitigations_of(TrainingSetup(clips, feature=3, steps=10, plan=plan), seed=0)
    losses = {"first": torch.tensor([1.0, 3.0]), "loss": torch.tensor([2.0, 4.0])}
    terms = both.applied(losses, torch.randn(2, 3), torch.tensor([0, 1]))
    found = {name: float(value.detach()) for name, value in terms.items()}
    assert found["first"] == 2.0
    assert found["loss"] == pytest.approx(3.0 + found["language_adversarial"])


def trained(names: str, training_part: Path, out: Path, max_seconds: float | None = None) -> Path | None:
    plan = TrainPlan.parse(SHORT + f"names = {names}\n").model_copy(update={"cohort": str(training_part)})
    return train(
        plan, out, device="cpu", decoder=weights_of("speech2face-small-gap"), max_seconds=max_seconds
    ).weights  # fmt: skip


@pytest.mark.parametrize("name", in_training())
def test_a_training_runs_with_each_and_says_so(name: str, training_part: Path, tmp_path: Path) -> None:
    weights = trained(f'["{name}"]', training_part, tmp_path)
    assert weights is not None
    card = load_checkpoint(weights).card
    assert card.training["mitigation"]["names"] == [name]
    assert card.training["plan"]["mitigation"]["names"] == [name]
    never = [(item.group, item.language) for item in card.coverage if not item.clips]
    assert (("asian", "en") in never) is (name != "coverage")


@pytest.mark.study
def test_a_mitigated_training_that_was_stopped_ends_with_the_same_weights(training_part: Path, tmp_path: Path) -> None:
    names = '["balanced", "group_dro", "language_adversarial"]'
    whole = trained(names, training_part, tmp_path / "whole")
    assert trained(names, training_part, tmp_path / "broken", max_seconds=0.0) is None
    broken = trained(names, training_part, tmp_path / "broken")
    assert whole is not None and broken is not None and whole.read_bytes() == broken.read_bytes()


def test_a_speaker_of_a_mitigated_training_is_not_audited(training_part: Path, tmp_path: Path) -> None:
    """Not even where the cohort to audit no longer says that they training_part a model."""
    weights = trained('["balanced"]', training_part, tmp_path / "trained")
    model = audit.model("speech2face", weights=weights)
    assert isinstance(model, Speech2Face) and "fitted_on" not in str(model.describe())
    shutil.copytree(training_part, tmp_path / "again")
    table = pd.read_csv(tmp_path / "again" / "speakers.csv", dtype=str, keep_default_na=False)
    table.drop(columns="split").to_csv(tmp_path / "again" / "speakers.csv", index=False)
    with pytest.raises(audit.AuditError, match="8 audited speakers have ids of those on whom"):
        audit.run(audit.Cohort.read(tmp_path / "again"), model=model, instrument=ColourInstrument(), out=tmp_path / "r")
