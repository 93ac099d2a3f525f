"""Kacper-Pietkun/Speech-to-face with random weights of the published names, its front end and its ceiling."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import audit
from audit.models.protocol import Decoder, Featured
from audit.models.speech2face.face import VggFace
from audit.models.speech2face_ast.model import DECODER_FILE, ENCODER_FILE, Speech2FaceAst
from audit.models.speech2face_ast.networks import FaceDecoder, VoiceEncoder
from audit.models.speech2face_ast.sizes import Sizes
from audit.models.speech2face_ast.spectrogram import MEAN, SAMPLES, SPREAD, levelled, log_mel, spectrogram

SMALL = Sizes(
    bands=32, frames=128, layers=2, heads=2, width=16, shared=(24, 12), landmark_layers=(8, 6, 4), landmarks=6, base=2,
    channels=(8, 6, 4, 4, 4),
)  # fmt: skip
AST = "audio_spectrogram_transformer"
LAYERS = {
    **{f"{AST}.encoder.layer.{i}.{name}": shape for i in range(12) for name, shape in {
        **{f"attention.attention.{name}": (768, 768) for name in ("query", "key", "value")},
        "attention.output.dense": (768, 768), "intermediate.dense": (3072, 768), "output.dense": (768, 3072),
        "layernorm_before": (768,), "layernorm_after": (768,),
    }.items()},
    f"{AST}.embeddings.patch_embeddings.projection": (768, 1, 16, 16), f"{AST}.layernorm": (768,),
    "classifier.0.layernorm": (768,), "classifier.0.dense": (4096, 768),
}  # fmt: skip
TOKENS = {"cls_token": (1, 1, 768), "distillation_token": (1, 1, 768), "position_embeddings": (1, 1214, 768)}
ENCODER = {
    **{f"{AST}.embeddings.{name}": shape for name, shape in TOKENS.items()},
    **{f"{name}.weight": shape for name, shape in LAYERS.items()},
    **{f"{name}.bias": shape[:1] for name, shape in LAYERS.items()},
}
DENSE = {"pre_layers.0": (3072, 4096), "pre_layers.1": (2048, 3072), "landmark_layers.0": (1024, 2048),
         "landmark_layers.1": (512, 1024), "landmark_layers.2": (256, 512)}  # fmt: skip
LAST = {"landmark_layers.3.0": (144, 256), "texture_layers.0.0": (50176, 2048), "texture_layers.5.0": (3, 32, 1, 1)}
DOUBLED = {"1.1": (256, 128, 5, 5), "2.0": (128, 64, 5, 5), "3.0": (64, 32, 5, 5), "4.0": (32, 32, 5, 5)}
DECODER = {
    **{f"{name}.0.weight": shape for name, shape in DENSE.items()},
    **{f"{name}.{part}": shape[:1] for name, shape in DENSE.items()
       for part in ("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var")},
    **{f"{name}.1.num_batches_tracked": () for name in DENSE},
    **{f"{name}.{part}": shape[:to] for name, shape in LAST.items() for part, to in (("weight", 4), ("bias", 1))},
    **{f"texture_layers.{name}.weight": shape for name, shape in DOUBLED.items()},
    **{f"texture_layers.{name}.bias": shape[1:2] for name, shape in DOUBLED.items()},
}  # fmt: skip


class Small(Speech2FaceAst):
    sizes = SMALL


def random_state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        name: value if value.ndim == 0 else torch.rand(value.shape) - (0 if "var" in name else 0.5)
        for name, value in network.state_dict().items()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two checkpoints with the published keys around their weights."""
    for name, network in ((ENCODER_FILE, VoiceEncoder(SMALL)), (DECODER_FILE, FaceDecoder(SMALL))):
        around = {"best_loss": math.inf, "history": [{"epoch": 0}], "optimizer_state_dict": {"state": {0: {"step": 7}}}}
        torch.save(around | {"model_state_dict": random_state(network)}, tmp_path / name)
    return tmp_path


def voice(seconds: float) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(int(16_000 * seconds))).astype(np.float32)


def test_the_networks_have_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        encoder, decoder = VoiceEncoder(Sizes()), FaceDecoder(Sizes())
    for network, shapes, millions in ((encoder, ENCODER, 89.34), (decoder, DECODER, 125.60)):
        assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == shapes
        assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == millions


def test_it_renders_faces_that_do_not_depend_on_one_another(folder: Path) -> None:
    model = Small(folder, ceiling="none", device="cpu", batch=3)
    assert isinstance(model, Featured)
    waves = [voice(seconds) for seconds in (1.0, 2.5, 6.0, 12.0)]
    batched = model.render(waves, 16_000)
    for one, wave in zip(batched, waves, strict=True):
        (alone,) = model.render([wave], 16_000)
        assert one is not None and one.shape == (32, 32, 3) and one.dtype == np.uint8
        assert (one == alone).all()
    features = model.voice_features(waves, 16_000)
    assert features.shape == (4, 4096) and features.min() >= 0


def test_a_clip_is_levelled_as_a_whole_and_then_cut_or_repeated() -> None:
    short = voice(4.0)
    assert 20 * np.log10(np.sqrt(np.mean(levelled(short) ** 2))) == pytest.approx(-23, abs=1e-3)
    np.testing.assert_allclose(levelled(short / 4), levelled(short), atol=2 / 32768)
    # the silent quarter that is cut away makes the rest louder
    long = np.concatenate([short, short, short, 0 * short])
    louder = levelled(long)[:SAMPLES].std() / levelled(np.resize(short, SAMPLES)).std()
    assert louder == pytest.approx(math.sqrt(4 / 3), rel=1e-3)
    np.testing.assert_array_equal(spectrogram(short)[:398], spectrogram(short)[400:798])  # repeated after 4 s


def test_the_front_end_is_kaldis() -> None:
    """A tone of 1000 Hz is loudest in the band with the nearest centre; zeros give the floor, log of float32's eps."""
    bands = log_mel(0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000), 128)
    assert bands.shape == (98, 128)
    centres = 700 * np.expm1(np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), 130)[1:-1] / 1127)
    assert (bands.argmax(1) == np.abs(centres - 1000).argmin()).all()
    silent = spectrogram(np.zeros(16_000, np.float32))
    assert silent.shape == (1024, 128)
    np.testing.assert_allclose(silent, (math.log(2.0**-23) - MEAN) / (2 * SPREAD), rtol=1e-5)


def test_the_ceiling_is_decoded_from_vgg_faces_activations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DeepFace's client with a small random network: RGB from 0 to 1 goes in, and no unit length comes out."""
    from deepface.models.facial_recognition.pytorch.VGGFace import VggFaceClient

    client, device = VggFaceClient.__new__(VggFaceClient), torch.device("cpu")
    client.input_shape, client.device = (224, 224), device
    client.model = torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(48, 4096))
    monkeypatch.setattr(VggFace, "__init__", lambda self, *_: setattr(self, "_client", client))
    model = Small(folder, device="cpu")
    assert isinstance(model, Decoder)
    red = np.full((224, 224, 3), (255, 0, 0), np.uint8)
    with torch.inference_mode():
        feature = client.model(torch.tensor([1.0, 0, 0])[None, :, None, None].expand(1, 3, 224, 224))
    (face,), (decoded,) = model.ceiling([red]), model.from_features(feature.numpy())
    assert face is not None and decoded is not None and (face == decoded).all()
    grey = [np.full((224, 224, 3), 90, np.uint8)]  # the same as RGB and BGR
    activation = VggFace().activations(grey)
    assert activation.norm() > 2
    torch.testing.assert_close(activation / activation.norm(), VggFace().features(grey))


def test_the_ceiling_is_refused_without_vgg_face(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(folder))
    with pytest.raises(audit.ModelError, match=r"not on this machine.*ceiling = \"none\""):
        audit.model("speech2face-ast", weights=folder)
    assert Small(folder, ceiling="none", device="cpu").ceiling([np.zeros((8, 8, 3), np.uint8)]) == [None]
    assert not (folder / ".deepface").exists(), "nothing was downloaded"


def test_checkpoints_of_another_network_name_what_was_found(folder: Path) -> None:
    state = random_state(VoiceEncoder(SMALL))
    without = {name.replace("classifier.0.", "classifier."): value for name, value in state.items()}
    longer = state | {f"{AST}.embeddings.position_embeddings": torch.zeros(1, 1214, 16)}
    for saved, message in (
        ({"model_state_dict": longer}, r"position_embeddings has shape \(1, 1214, 16\), not \(1, 26, 16\)"),
        ({"model_state_dict": without}, r"classifier.0.layernorm.weight is missing"),
        ({"model_state_dict": {"a": 1}}, "not a dictionary of tensors"),
        (state, "has no model_state_dict; it has audio_spectrogram_transformer"),
    ):
        torch.save(saved, folder / ENCODER_FILE)
        with pytest.raises(audit.ModelError, match=message):
            Small(folder, ceiling="none", device="cpu")


def test_missing_files_and_wrong_options_are_named(tmp_path: Path) -> None:
    for weights, options, message in (
        (None, {}, "needs its two checkpoints"),
        (tmp_path, {"ceiling": "none"}, r"ast.pt cannot be read.*speech2face-ast.md"),
        (tmp_path, {"ceiling": "yes"}, "vgg_face or none"),
        (tmp_path, {"ceiling": "none", "batch": 0}, "at least 1"),
    ):
        with pytest.raises(audit.ModelError, match=message):
            audit.model("speech2face-ast", weights=weights, options=options)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of transformers
def test_encoder_and_front_end_are_those_of_the_library_transformers() -> None:
    transformers = pytest.importorskip("transformers", reason="a comparison: pip install 'transformers<5'")
    if int(transformers.__version__.split(".")[0]) >= 5:
        pytest.skip("transformers renamed the tensors in version 5")
    config = transformers.ASTConfig(
        num_labels=SMALL.feature, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_length=128, num_mel_bins=32,
    )  # fmt: skip
    reference = transformers.ASTForAudioClassification(config)
    reference.classifier = torch.nn.Sequential(reference.classifier, torch.nn.ReLU())
    encoder, state = VoiceEncoder(SMALL).eval(), random_state(VoiceEncoder(SMALL))
    encoder.load_state_dict(state)
    reference.eval().load_state_dict(state)
    clips = torch.randn(3, 128, 32)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(clips), reference(clips).logits)
    extractor = transformers.ASTFeatureExtractor(mean=MEAN, std=SPREAD)
    sound = np.resize(levelled(voice(4.0)), SAMPLES).astype(np.float32)
    (expected,) = extractor(sound, sampling_rate=16_000, return_tensors="np").input_values
    np.testing.assert_allclose(spectrogram(voice(4.0)), expected, atol=1e-5)
