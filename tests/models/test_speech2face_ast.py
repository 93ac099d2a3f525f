"""Kacper-Pietkun/Speech-to-face with random weights of the published names, and its front end and encoder."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import audit
from audit.core.arrays import Picture
from audit.models.protocol import Decoder, Featured
from audit.models.speech2face.face import VggFace
from audit.models.speech2face_ast import Speech2FaceAst
from audit.models.speech2face_ast import model as module
from audit.models.speech2face_ast.model import DECODER_FILE, ENCODER_FILE
from audit.models.speech2face_ast.networks import FaceDecoder, VoiceEncoder
from audit.models.speech2face_ast.sizes import PUBLISHED, Sizes
from audit.models.speech2face_ast.spectrogram import MEAN, SAMPLES, SPREAD, levelled, log_mel, spectrogram

SMALL = Sizes(
    bands=32, frames=128, layers=2, heads=2, width=16, feature=4096, shared=(24, 12), landmark_layers=(8, 6, 4),
    landmarks=6, base=2, channels=(8, 6, 4, 4, 4),
)  # fmt: skip
AST = "audio_spectrogram_transformer"
LAYER_SHAPES = {
    **{f"attention.attention.{name}": (768, 768) for name in ("query", "key", "value")},
    "attention.output.dense": (768, 768), "intermediate.dense": (3072, 768), "output.dense": (768, 3072),
    "layernorm_before": (768,), "layernorm_after": (768,),
}  # fmt: skip
ENCODER_SHAPES = {
    f"{AST}.embeddings.cls_token": (1, 1, 768), f"{AST}.embeddings.distillation_token": (1, 1, 768),
    f"{AST}.embeddings.position_embeddings": (1, 1214, 768),
    f"{AST}.embeddings.patch_embeddings.projection.weight": (768, 1, 16, 16),
    f"{AST}.embeddings.patch_embeddings.projection.bias": (768,),
    **{f"{AST}.encoder.layer.{i}.{name}.{part}": shape if part == "weight" else shape[:1]
       for i in range(12) for name, shape in LAYER_SHAPES.items() for part in ("weight", "bias")},
    f"{AST}.layernorm.weight": (768,), f"{AST}.layernorm.bias": (768,),
    "classifier.0.layernorm.weight": (768,), "classifier.0.layernorm.bias": (768,),
    "classifier.0.dense.weight": (4096, 768), "classifier.0.dense.bias": (4096,),
}  # fmt: skip
DENSE = {"pre_layers.0": (3072, 4096), "pre_layers.1": (2048, 3072), "landmark_layers.0": (1024, 2048),
         "landmark_layers.1": (512, 1024), "landmark_layers.2": (256, 512)}  # fmt: skip
LAST = {"landmark_layers.3.0": (144, 256), "texture_layers.0.0": (50176, 2048), "texture_layers.1.1": (256, 128, 5, 5),
        "texture_layers.2.0": (128, 64, 5, 5), "texture_layers.3.0": (64, 32, 5, 5),
        "texture_layers.4.0": (32, 32, 5, 5), "texture_layers.5.0": (3, 32, 1, 1)}  # fmt: skip
DECODER_SHAPES = {
    **{f"{name}.0.weight": shape for name, shape in DENSE.items()},
    **{f"{name}.{part}": shape[:1] for name, shape in DENSE.items()
       for part in ("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var")},
    **{f"{name}.1.num_batches_tracked": () for name in DENSE},
    **{f"{name}.weight": shape for name, shape in LAST.items()},
    # a transposed convolution has its outputs second
    **{f"{name}.bias": shape[1:2] if name[:16] in {f"texture_layers.{i}" for i in range(1, 5)} else shape[:1]
       for name, shape in LAST.items()},
}  # fmt: skip


def random_state(network: torch.nn.Module, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: value if value.ndim == 0 else torch.rand(value.shape, generator=generator) - (0 if "var" in name else 0.5)
        for name, value in network.state_dict().items()
    }


def written(folder: Path, *, optimizer: object = None) -> Path:
    """Two checkpoints with the published keys around their weights."""
    for number, (name, network) in enumerate(
        {ENCODER_FILE: VoiceEncoder(SMALL), DECODER_FILE: FaceDecoder(SMALL)}.items()
    ):
        saved = {
            "epoch": 3, "loss": 0.5, "best_loss": math.inf, "history": [{"epoch": 0, "train_sum_loss": 1.5}],
            "model_state_dict": random_state(network, number), "optimizer_state_dict": {"state": {0: {"step": 7}}},
            "fine_tune_epoch_start": -1,
        }  # fmt: skip
        torch.save(saved, folder / name)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("speech2face-ast"))


def voices(*seconds: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(int(16_000 * length))).astype(np.float32) for length in seconds]


class FakeVggClient:
    """Stands in for DeepFace's client: keeps the pixels, and gives activations that are not of unit length."""

    input_shape = (224, 224)

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        self.seen.append(pixels)
        return np.tile(pixels.mean((1, 2)) * 10, (1, 1366))[:, :4096].astype(np.float32)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeVggClient:
    fake = FakeVggClient()
    monkeypatch.setattr(VggFace, "__init__", lambda self: setattr(self, "_client", fake))
    return fake


def test_the_networks_have_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        encoder, decoder = VoiceEncoder(PUBLISHED), FaceDecoder(PUBLISHED)
    for network, shapes, millions in ((encoder, ENCODER_SHAPES, 89.34), (decoder, DECODER_SHAPES, 125.60)):
        assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == shapes
        assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == millions
    assert decoder.eval()(torch.zeros(2, 4096, device="meta")).shape == (2, 3, 224, 224)


def test_it_renders_faces_that_do_not_depend_on_one_another(folder: Path) -> None:
    model = Speech2FaceAst(folder, ceiling="none", device="cpu", batch=3, sizes=SMALL)
    assert isinstance(model, Featured)
    waves = voices(1.0, 2.5, 6.0, 12.0)
    batched = model.render(waves, 16_000)
    for one, wave in zip(batched, waves, strict=True):
        (alone,) = model.render([wave], 16_000)
        assert one is not None and one.shape == (32, 32, 3) and one.dtype == np.uint8
        assert (one == alone).all()
    features = model.voice_features(waves, 16_000)
    assert features.shape == (4, 4096) and features.min() >= 0
    assert all((one == other).all() for one, other in zip(model.from_features(features), batched, strict=True))
    assert len(model.render([], 16_000)) == 0


def test_a_clip_is_levelled_and_then_cut_or_repeated() -> None:
    (short,) = voices(4.0)
    level = 20 * np.log10(np.sqrt(np.mean(levelled(short) ** 2)))
    assert level == pytest.approx(-23, abs=1e-3)
    quiet = (short / 4).astype(np.float32)
    np.testing.assert_allclose(levelled(quiet), levelled(short), atol=2 / 32768)  # it hears no loudness
    long = np.concatenate([short, short, short, 0 * short])
    # the level is that of the whole clip: a silent quarter that is cut away makes the rest louder
    louder = levelled(long)[:SAMPLES].std() / levelled(np.resize(short, SAMPLES)).std()
    assert louder == pytest.approx(math.sqrt(4 / 3), rel=1e-3)
    assert (levelled(np.zeros(16_000, np.float32)) == 0).all()
    assert spectrogram(short, 128, 1024).shape == (1024, 128)


def test_the_front_end_is_kaldis() -> None:
    """A tone of 1000 Hz is loudest in the band with the nearest centre; zeros give the floor, log of float32's eps."""
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    bands = log_mel(tone, 128)
    assert bands.shape == (98, 128)
    centres = 700 * np.expm1(np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), 130)[1:-1] / 1127)
    assert (bands.argmax(1) == np.abs(centres - 1000).argmin()).all()
    silent = spectrogram(np.zeros(16_000, np.float32), 128, 1024)
    np.testing.assert_allclose(silent, (math.log(2.0**-23) - MEAN) / (2 * SPREAD), rtol=1e-5)


def test_the_ceiling_is_decoded_from_vgg_faces_activations(folder: Path, client: FakeVggClient) -> None:
    model = Speech2FaceAst(folder, device="cpu", batch=4, sizes=SMALL)
    assert isinstance(model, Decoder)
    red = np.zeros((224, 224, 3), np.uint8)
    red[:, :, 0] = 255
    faces = model.ceiling([red, red[:, :, ::-1].copy()])
    (pixels,) = client.seen
    assert pixels[0, 0, 0].tolist() == [1, 0, 0], "RGB from 0 to 1, not DeepFace's BGR"
    expected = np.tile([10, 0, 0], 1366)[:4096]  # as the client gives it: not of unit length
    (decoded,) = model.from_features(expected[None].astype(np.float32))
    assert faces[0] is not None and decoded is not None and (faces[0] == decoded).all()
    assert "VGG-Face" in str(model.describe()["ceiling"])


def test_deepfaces_own_network_gives_the_activations() -> None:
    """DeepFace's torch client with a small random network in place of its weights."""
    from deepface.models.facial_recognition.pytorch.VGGFace import VggFaceClient

    client = VggFaceClient.__new__(VggFaceClient)
    client.input_shape, client.device = (224, 224), torch.device("cpu")
    torch.manual_seed(0)
    client.model = torch.nn.Sequential(
        torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(48, 4096), torch.nn.ReLU()
    )
    vgg = VggFace.__new__(VggFace)
    vgg._client = client
    portraits: Sequence[Picture] = [np.full((224, 224, 3), grey, np.uint8) for grey in (50, 200)]
    activations, features = vgg.activations(portraits), vgg.features(portraits)
    lengths = activations.norm(dim=1, keepdim=True)
    assert not torch.allclose(lengths, torch.ones(2, 1), atol=0.01)
    torch.testing.assert_close(activations / lengths, features)  # grey has no order of channels


def test_the_ceiling_is_refused_without_vgg_face(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(audit.ModelError, match=r"not on this machine.*ceiling = \"none\""):
        audit.model("speech2face-ast", weights=folder)
    model = Speech2FaceAst(folder, ceiling="none", device="cpu", sizes=SMALL)
    assert model.ceiling([np.zeros((8, 8, 3), np.uint8)]) == [None]
    assert not list(tmp_path.iterdir()), "nothing was downloaded"


def test_checkpoints_of_another_network_name_what_was_found(folder: Path, tmp_path: Path) -> None:
    (tmp_path / DECODER_FILE).write_bytes((folder / DECODER_FILE).read_bytes())
    state = random_state(VoiceEncoder(SMALL), 0)
    without = {name.replace("classifier.0.", "classifier."): value for name, value in state.items()}
    longer = f"{AST}.embeddings.position_embeddings"
    for saved, message in (
        (
            {"model_state_dict": state | {longer: torch.zeros(1, 1214, 16)}},
            r"position_embeddings has shape \(1, 1214, 16\), not \(1, 26, 16\)",
        ),
        (state, "has no model_state_dict; it has audio_spectrogram_transformer"),
        ({"model_state_dict": without}, r"classifier.0.layernorm.weight is missing"),
        ({"model_state_dict": {"a": 1}}, "not a dictionary of tensors"),
    ):
        torch.save(saved, tmp_path / ENCODER_FILE)
        with pytest.raises(audit.ModelError, match=message):
            Speech2FaceAst(tmp_path, ceiling="none", device="cpu", sizes=SMALL)


def test_a_checkpoint_that_asks_for_more_than_tensors_is_refused_and_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return (Path.touch, (tmp_path / "sprung",))

    written(tmp_path)
    (tmp_path / ENCODER_FILE).write_bytes(pickle.dumps({"model_state_dict": {"weight": Trap()}}))
    with pytest.raises(audit.ModelError, match="no code in it was run"):
        Speech2FaceAst(tmp_path, ceiling="none", device="cpu", sizes=SMALL)
    assert not (tmp_path / "sprung").exists()


def test_missing_files_and_wrong_options_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, message in (
        ({}, "needs its two checkpoints"),
        ({"weights": tmp_path, "options": {"ceiling": "none"}}, r"ast.pt cannot be read.*speech2face-ast.md"),
        ({"weights": tmp_path, "options": {"ceiling": "yes"}}, "vgg_face or none"),
        ({"weights": tmp_path, "options": {"ceiling": "none", "batch": 0}}, "at least 1"),
    ):
        with pytest.raises(audit.ModelError, match=message):
            audit.model("speech2face-ast", **options)  # type: ignore[arg-type]  # a table of calls
    written(tmp_path)
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(audit.ModelError, match="bytes unpacked are more than 1,000"):
        Speech2FaceAst(tmp_path, ceiling="none", device="cpu", sizes=SMALL)


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
    encoder, state = VoiceEncoder(SMALL).eval(), random_state(VoiceEncoder(SMALL), 0)
    encoder.load_state_dict(state)
    reference.eval().load_state_dict(state)
    clips = torch.randn(3, 128, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(encoder(clips), reference(clips).logits)
    (wave,) = voices(4.0)
    extractor = transformers.ASTFeatureExtractor(mean=MEAN, std=SPREAD)
    sound = np.resize(levelled(wave), SAMPLES).astype(np.float32)
    (expected,) = extractor(sound, sampling_rate=16_000, return_tensors="np").input_values
    np.testing.assert_allclose(spectrogram(wave, 128, 1024), expected, atol=1e-5)
