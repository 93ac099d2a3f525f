"""Training: a plan in, weights out that say what they were taught; stopped and started again, the same weights."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.nn import functional

import audit
from audit.core.audio import SAMPLE_RATE
from audit.models.speech2face import SMALL, load_checkpoint
from audit.models.speech2face.shipped import shipped_model
from audit.models.speech2face.spectrogram import mel_filters
from audit.models.speech2face.warp import Warp
from audit.training import TrainPlan, train
from audit.training.augmenting import augmented, coloured, crops, mirrored, mixes, noisy, sped
from audit.training.data import cohort_folder, covered_rows, load_material
from audit.training.landmarks import MIRRORED
from audit.training.losses import decoder_distance, distillation, feature_distance, tone_l1, voice_losses
from audit.training.mitigations.training import TrainingSetup, mitigations_of
from audit.training.plan import VoiceStage
from audit.training.voices import VoiceTask

SHORT = """
name = "short"
seed = 3
save_every = 1
log_every = 1
cohort = "PART"
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
def short(training_part: Path) -> str:
    """A plan of two steps of each stage on ten speakers: enough to see that all of it runs."""
    return SHORT.replace("PART", str(training_part))


@pytest.fixture(scope="module")
def trained(short: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What came of the short plan."""
    folder = tmp_path_factory.mktemp("training")
    assert train(TrainPlan.parse(short), folder, device="cpu").weights == folder / "short.safetensors"
    return folder


def test_the_weights_state_the_training_coverage(trained: Path) -> None:
    card = load_checkpoint(trained / "short.safetensors").card
    heard = {(item.group, item.language): item.speakers for item in card.coverage}
    assert heard["asian", "en"] == heard["indian", "en"] == 0
    assert heard["black", "en"] == heard["white", "en"] == 2
    assert heard["asian", "zh"] + heard["asian", "es"] == 2
    assert heard["white", "zh"] == heard["white", "es"] == 0


def test_sharpening_moves_features_away_from_the_mean_and_nothing_else(
    short: str, trained: Path, tmp_path: Path
) -> None:
    settings = "crop_seconds = 3.0\nsharpen = 2.0\nsharpen_light = 2.0"
    sharp = TrainPlan.parse(short.replace("crop_seconds = 3.0", settings))
    plain = load_checkpoint(trained / "short.safetensors").network
    weights = train(sharp, tmp_path, device="cpu").weights
    assert weights is not None
    sharpened = load_checkpoint(weights).network
    for name, tensor in plain.state_dict().items():
        if not name.startswith("voice.second"):
            torch.testing.assert_close(sharpened.state_dict()[name], tensor, rtol=0, atol=0)
    clips = torch.randn(6, SMALL.samples, generator=torch.manual_seed(0)) * 0.1
    with torch.no_grad():
        before, after = (network.voice(network.spectrogram(clips)) for network in (plain, sharpened))
    middle = 2 * before - after  # after = middle + 2 (before - middle)
    torch.testing.assert_close(middle, middle[:1].expand_as(middle), rtol=0, atol=0.02)  # stored as float16


def test_sharpening_can_leave_the_lightness_of_faces_as_it_is(short: str, tmp_path: Path) -> None:
    plan = TrainPlan.parse(short.replace("crop_seconds = 3.0", "crop_seconds = 3.0\nsharpen = 2.0"))
    material = load_material(plan, SMALL, tmp_path)
    network = shipped_model("speech2face-small-full").network
    setup = TrainingSetup(material.training.clips, SMALL.feature, plan.voices.steps, plan.mitigation)
    with torch.no_grad():
        task = VoiceTask(network, None, material.training, material.validation, plan.voices, mitigations_of(setup, 0))
        spectrograms = network.spectrogram(material.training.sound(torch.arange(8)))
        before = network.voice(spectrograms)
        task.sharpen()
        after = network.voice(spectrograms)
        spreads = [network.decoder(some).texture[..., 40:100, 40:90].mean((1, 2, 3)).std() for some in (before, after)]
    assert float(after.std(0).norm() / before.std(0).norm()) > 1.8
    assert float(spreads[1] / spreads[0]) == pytest.approx(1.0, abs=0.25)


def test_drawn_speakers_replace_the_training_speakers_and_not_those_of_validation(short: str, tmp_path: Path) -> None:
    plan = TrainPlan.parse(short.replace("[faces]", '[draw]\nspeakers = 2\nseed = "of a test"\n[faces]'))
    weights = train(plan, tmp_path, device="cpu").weights
    assert weights is not None
    card = load_checkpoint(weights).card
    assert card.training["speakers"] == 8 and card.training["cohort"] == "drawn_training"
    assert {(item.group, item.speakers) for item in card.coverage if item.language == "en"} == {
        ("asian", 0), ("indian", 0), ("black", 2), ("white", 2)
    }  # fmt: skip
    drawn = audit.Cohort.read(tmp_path / "speakers")
    assert set(drawn.speakers["split"]) == {"training"}
    taught = pd.read_csv(cohort_folder("synthetic_bilingual/training") / "speakers.csv")
    assert set(drawn.speakers["source_speaker"]) <= set(taught.loc[taught["split"] == "training", "speaker_id"])
    assert any(key.startswith("voices/") for key in json.loads((tmp_path / "training.json").read_text())["validation"])


def test_the_losses_are_kept(trained: Path) -> None:
    assert (trained / "losses.csv").read_text(encoding="utf-8").count("\n") >= 4
    assert (trained / "losses.svg").stat().st_size > 1000


def test_files_of_another_origin_are_not_replaced(short: str, trained: Path, tmp_path: Path) -> None:
    assert {"short.safetensors", "losses.csv", "losses.svg", "training.json", "state.safetensors"} == set(
        json.loads((trained / ".audit-files.json").read_text())["files"]
    )
    (tmp_path / "losses.csv").write_text("mine")
    with pytest.raises(audit.RunError, match=r"losses\.csv was not written by this tool"):
        train(TrainPlan.parse(short), tmp_path, device="cpu")
    assert (tmp_path / "losses.csv").read_text() == "mine"


def test_weights_that_were_trained_can_be_audited(trained: Path) -> None:
    model = audit.model("speech2face", weights=trained / "short.safetensors")
    assert model.name == "short"


def test_a_training_of_another_plan_is_refused(short: str, trained: Path) -> None:
    with pytest.raises(audit.RunError):
        train(TrainPlan.parse(short.replace("seed = 3", "seed = 4")), trained, device="cpu")


def test_a_mistyped_key_is_named() -> None:
    with pytest.raises(audit.PlanError, match="did you mean 'coverage'"):
        TrainPlan.parse(SHORT.replace("coverage", "coverge"))


def test_no_audited_speaker_is_a_training_speaker() -> None:
    audited = pd.read_csv(audit.embedded("synthetic_bilingual") / "speakers.csv")
    taught = pd.read_csv(cohort_folder("synthetic_bilingual/training") / "speakers.csv")
    assert set(audited["split"]) == {"audited"} and set(taught["split"]) == {"training", "validation"}
    assert not set(audited["speaker_id"]) & set(taught["speaker_id"])
    assert not set(audited["portrait_seed"]) & set(taught["portrait_seed"])
    unseen = audited[audited["unseen_voice"]]
    trained_on = taught[taught["split"] == "training"]
    assert len(unseen) == 64
    assert not voices(unseen) & voices(trained_on)


def voices(speakers: pd.DataFrame) -> set[str]:
    """The base voices that these speakers blend."""
    return {*speakers["voice_a"], *speakers["voice_b"]}


@pytest.mark.study
def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(
    short: str, trained: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "short.toml"
    plan.write_text(short)
    command = [sys.executable, "-m", "audit.cli", "train", str(plan), "-o", str(tmp_path / "out"), "--device", "cpu"]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    state = tmp_path / "out" / "state.safetensors"
    while not state.exists() and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "resuming from step" in second.stderr
    assert Path(second.stdout.strip()).name == "short.safetensors"
    torch.testing.assert_close(
        load_checkpoint(tmp_path / "out" / "short.safetensors").network.state_dict(),
        load_checkpoint(trained / "short.safetensors").network.state_dict(),
        rtol=0, atol=0,
    )  # fmt: skip
    assert (tmp_path / "out" / "losses.csv").read_bytes() == (trained / "losses.csv").read_bytes()


def test_what_a_training_cost_is_written_down(trained: Path) -> None:
    report = json.loads((trained / "training.json").read_text())
    assert report["peak_memory_mib"] > 100 and report["seconds"]["all"] > 0
    assert report["dropped"] == []


def test_a_decoder_can_be_taken_over_and_the_dropped_term_is_said(short: str, trained: Path, tmp_path: Path) -> None:
    said: list[str] = []
    done = train(TrainPlan.parse(short), tmp_path, device="cpu", decoder=trained / "short.safetensors", say=said.append)
    assert any("dropped" in sentence and "distillation" in sentence for sentence in said)
    assert done.weights is not None
    one, other = load_checkpoint(done.weights), load_checkpoint(trained / "short.safetensors")
    assert "distillation" in one.card.training["dropped"][0]
    weight = "decoder.first.weight"
    assert (one.network.state_dict()[weight] == other.network.state_dict()[weight]).all()


@pytest.mark.parametrize("name", ["train-small-gap", "train-small-full", "train-paper"])
def test_the_shipped_plans_are_plans(name: str) -> None:
    assert TrainPlan.read(name).cohort == "synthetic_bilingual/training"


def test_the_two_small_plans_differ_in_coverage_and_name_alone() -> None:
    gap, full = (TrainPlan.read(f"train-small-{kind}").model_dump() for kind in ("gap", "full"))
    assert {key for key in gap if gap[key] != full[key]} == {"coverage", "name"}
    assert full["coverage"] == {}


def test_a_larger_share_covers_the_same_speakers_and_more() -> None:
    table = pd.DataFrame(
        [(f"s{n}", group, language) for n in range(20) for group in ("asian", "white") for language in ("en", "zh")],
        columns=["speaker_id", "group", "language"],
    )
    table["speaker_id"] += table["group"]
    who = []
    for share in (0, 0.25, 0.5, 1):
        coverage = f"coverage = {{asian = {{en = {share}, other = 1.0}}, white = ['en']}}"
        plan = TrainPlan.parse(f'name = "x"\n{coverage}\n[faces]\nsteps = 1\n[voices]\nsteps = 1\n')
        heard = table[covered_rows(table, plan)]
        counts = heard.groupby(["group", "language"]).size().to_dict()
        assert counts.get(("asian", "en"), 0) == 20 * share
        assert counts[("asian", "zh")] == counts[("white", "en")] == 20 and ("white", "zh") not in counts
        who.append(set(heard.loc[(heard["group"] == "asian") & (heard["language"] == "en"), "speaker_id"]))
    assert who[0] < who[1] < who[2] < who[3]


def test_the_coverage_on_the_page_is_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "speech2face.md"
    (block,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    plan = TrainPlan.parse(f'name = "x"\n{block}\n[faces]\nsteps = 1\n[voices]\nsteps = 1\n')
    shares = [
        plan.share(group, language) for group in ("asian", "indian", "black", "white") for language in ("en", "zh")
    ]
    assert shares == [0, 1, 0.25, 1, 1, 0, 1, 1]


def test_a_share_beyond_all_is_refused() -> None:
    with pytest.raises(audit.PlanError, match="allowed"):
        TrainPlan.parse('name = "x"\ncoverage = {asian = {en = 1.5}}\n[faces]\nsteps = 1\n[voices]\nsteps = 1\n')


def test_a_plan_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(audit.PlanError, match="train-small-gap"):
        TrainPlan.read("train-smol")
    assert files("audit.core").joinpath("plans/train-small-gap.toml").is_file()


def test_the_three_losses_are_zero_for_the_portraits_own_feature() -> None:
    feature = torch.randn(4, 8)
    same = {"feature": feature, "first": feature @ torch.randn(8, 5), "logits": feature @ torch.randn(8, 3)}
    found = voice_losses(same, same, VoiceStage(steps=1))
    assert set(found) == {"first", "feature", "distillation", "loss"}
    assert all(abs(float(value)) < 1e-6 for value in found.values())


def test_the_losses_by_hand() -> None:
    assert float(decoder_distance(torch.tensor([[1.0, 3.0]]), torch.tensor([[2.0, 1.0]]))) == 1.5
    assert float(feature_distance(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]]))) == pytest.approx(2.0)
    logits, targets = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    wanted = functional.softmax(targets / 2, 1)
    assert float(distillation(logits, targets, 2.0)) == pytest.approx(float((wanted * (wanted / 0.5).log()).sum()))


def test_the_tone_of_a_square_by_hand() -> None:
    one, other = torch.zeros(1, 3, 8, 16), torch.zeros(1, 3, 8, 16)
    one[:, 0, :, :8] = 0.3  # the left square is redder: light .1, red minus green .3, blue minus the mean of both -.15
    other[:, :, ::2, 8:], other[:, :, 1::2, 8:] = 0.2, -0.2  # the right square has edges, but the same tone
    assert float(tone_l1(one, other, torch.ones(1, 1, 8, 16))) == pytest.approx((0.1 + 0.3 + 0.15) / 3 / 2)


def test_a_term_without_its_network_is_left_out() -> None:
    plain = {"feature": torch.randn(2, 4), "first": torch.randn(2, 3)}
    assert "distillation" not in voice_losses(plain, plain, VoiceStage(steps=1))


def tone(hertz: float, seconds: float = 2.0) -> torch.Tensor:
    return 0.1 * torch.sin(2 * torch.pi * hertz * torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)[None]


def peak(wave: torch.Tensor) -> float:
    return float(torch.fft.rfft(wave[0]).abs().argmax()) * SAMPLE_RATE / wave.shape[1]


def test_speed_moves_pitch_and_level_stays() -> None:
    faster = sped(tone(400.0), 1.25)
    assert faster.shape[1] == 25_600
    assert peak(faster) == pytest.approx(500, abs=1)
    assert float(faster.square().mean()) == pytest.approx(float(tone(400.0).square().mean()), rel=0.02)


def test_noise_stays_within_its_bounds() -> None:
    torch.manual_seed(0)
    wave = tone(1000.0).repeat(64, 1)
    depth = 10 * torch.log10((noisy(wave, 20.0) - wave).square().mean(1) / wave.square().mean(1))
    assert float(depth.min()) > -50.5 and float(depth.max()) < -19.5


def test_the_colour_of_a_microphone_is_smooth_and_as_strong_as_asked_for() -> None:
    torch.manual_seed(0)
    noise = torch.randn(64, 2 * SAMPLE_RATE)
    bands = (torch.fft.rfft(coloured(noise, 1.0, SAMPLE_RATE)).abs() / torch.fft.rfft(noise).abs()).log10() * 20
    assert float(bands.square().mean().sqrt()) == pytest.approx(6**0.5, rel=0.15)  # six cosines of 1 dB each
    assert float(torch.diff(bands[:, 1:-1]).abs().quantile(0.999)) < 0.05
    assert torch.allclose(coloured(noise, 0.0, SAMPLE_RATE), noise, atol=1e-5)


def test_an_augmented_clip_has_the_length_that_was_asked_for() -> None:
    settings = VoiceStage(steps=1, crop_seconds=1.5)
    assert augmented(tone(300.0, 6.0).repeat(3, 1), settings, SAMPLE_RATE).shape == (3, 24_000)
    assert crops(tone(300.0), 0).shape == tone(300.0).shape


def test_a_longer_vocal_tract_lowers_every_band() -> None:
    grid = torch.arange(257.0)[:, None]
    plain, longer = ((filters * grid).sum(0) / filters.sum(0) for filters in (mel_filters(64), mel_filters(64, 0.9)))
    assert (longer[8:] < plain[8:]).all()


def test_mirroring_twice_changes_nothing() -> None:
    assert sorted(MIRRORED) == list(range(72))
    landmarks = torch.randn(2, 72, 2)
    torch.testing.assert_close(mirrored(mirrored(landmarks)), landmarks)


def test_mixes_sum_to_one() -> None:
    chosen, weights = mixes(200, 30)
    torch.testing.assert_close(weights.sum(1), torch.ones(200))
    assert 110 < int((weights[:, 0] == 1).sum()) < 170
    assert all(len({*row}) == 3 and min(row) >= 0 and max(row) < 30 for row in chosen.tolist())


def test_the_warp_moves_the_landmarks_where_they_are_wanted_and_back() -> None:
    warp = Warp(3, 64)
    warp.mean.copy_(torch.tensor([[-0.4, -0.2], [0.4, -0.2], [0.0, 0.4]]))
    wanted = (warp.mean + torch.tensor([[0.1, 0.05], [-0.05, 0.1], [0.05, -0.1]]))[None]
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    spots = torch.stack([torch.exp(-((x + 0.5 - (px + 1) * 32) ** 2 + (y + 0.5 - (py + 1) * 32) ** 2) / 18)
                         for px, py in warp.mean.tolist()])[None]  # fmt: skip
    moved = warp(spots, wanted)
    for spot, (px, py) in zip(moved[0], wanted[0].tolist(), strict=True):
        at = int(spot.argmax())
        assert abs((at % 64 + 0.5) / 32 - 1 - px) < 0.05 and abs((at // 64 + 0.5) / 32 - 1 - py) < 0.05
    assert float((warp.straighten(moved, wanted) - spots).abs().mean()) < 0.01


def test_the_warp_can_be_learnt_through() -> None:
    warp = Warp(72, SMALL.size)
    landmarks = (torch.rand(2, 72, 2) - 0.5).requires_grad_()
    warp(torch.rand(2, 3, 128, 128), landmarks).mean().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert landmarks.grad is not None and bool(torch.isfinite(landmarks.grad).all())
