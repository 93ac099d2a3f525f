"""Wen et al. 2019 with weights of exactly the published names and shapes, and its front end on the published clips."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import audit
from audit.models.wen2019 import GENERATOR_FILE, VOICE_FILE, Wen2019, generator_network, log_mel, voice_network, voiced

VOICE_SHAPES = {
    "model.0.weight": (256, 64, 3), "model.3.weight": (384, 256, 3), "model.6.weight": (576, 384, 3),
    "model.9.weight": (864, 576, 3), "model.12.weight": (64, 864, 3), "model.12.bias": (64,),
    **{f"model.{place}.{part}": (width,) for place, width in ((1, 256), (4, 384), (7, 576), (10, 864))
       for part in ("weight", "bias", "running_mean", "running_var")},
}  # fmt: skip
GENERATOR_SHAPES = {
    "model.0.weight": (64, 1024, 4, 4), "model.2.weight": (1024, 512, 4, 4), "model.4.weight": (512, 256, 4, 4),
    "model.6.weight": (256, 128, 4, 4), "model.8.weight": (128, 64, 4, 4), "model.10.weight": (64, 3, 1, 1),
    **{f"model.{place}.bias": (width,) for place, width in ((0, 1024), (2, 512), (4, 256), (6, 128), (8, 64), (10, 3))},
}  # fmt: skip


def random_state(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(shape, generator=generator) + 0.5
        if "running_var" in name
        else 0.05 * torch.randn(shape, generator=generator)
        for name, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two checkpoints as they are published: pickled tables of tensors, one without num_batches_tracked."""
    path = tmp_path_factory.mktemp("wen2019")
    torch.save(random_state(VOICE_SHAPES, 1), path / VOICE_FILE, _use_new_zipfile_serialization=False)
    torch.save(random_state(GENERATOR_SHAPES, 2), path / GENERATOR_FILE)
    return path


def clips(*seconds: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(int(16_000 * length))).astype(np.float32) for length in seconds]


def test_the_networks_have_the_published_size() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert round(count(voice_network()) / 1e6, 2) == 2.67
    assert round(count(generator_network()) / 1e6, 2) == 12.19


def test_it_renders_64_by_64_faces_that_do_not_depend_on_one_another(folder: Path) -> None:
    model = audit.model("wen2019", weights=folder, options={"vad": "none", "batch": 3, "device": "cpu"})
    assert isinstance(model, Wen2019)
    waves = clips(1.0, 2.5, 6.0, 12.0, 12.0)  # two beyond 1,000 frames, which are kept whole
    batched = model.render(waves, 16_000)
    alone = [model.render([wave], 16_000)[0] for wave in waves]
    for one, other in zip(batched, alone, strict=True):
        assert one is not None and other is not None
        assert one.shape == (64, 64, 3) and one.dtype == np.uint8
        assert (one == other).all()


def test_bands_are_standardised_over_the_clip() -> None:
    bands = log_mel(clips(3.0)[0])
    assert bands.shape == (64, 300)
    np.testing.assert_allclose(bands.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(bands.std(1), 1, atol=1e-4)


def test_a_file_that_asks_for_more_than_tensors_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / VOICE_FILE).write_bytes(pickle.dumps(Trap()))
    (tmp_path / GENERATOR_FILE).write_bytes((folder / GENERATOR_FILE).read_bytes())
    with pytest.raises(audit.ModelError, match="no code in it was run"):
        audit.model("wen2019", weights=tmp_path, options={"vad": "none"})
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_network_name_the_difference(folder: Path, tmp_path: Path) -> None:
    state = random_state(VOICE_SHAPES, 1) | {"model.0.weight": torch.zeros(256, 40, 3)}
    torch.save(state, tmp_path / VOICE_FILE)
    (tmp_path / GENERATOR_FILE).write_bytes((folder / GENERATOR_FILE).read_bytes())
    with pytest.raises(audit.ModelError, match=r"model.0.weight has shape \(256, 40, 3\), not \(256, 64, 3\)"):
        audit.model("wen2019", weights=tmp_path, options={"vad": "none"})


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(audit.ModelError, match="needs its two checkpoints"):
        audit.model("wen2019")
    with pytest.raises(audit.ModelError, match="cannot be read.*folder pretrained_models"):
        audit.model("wen2019", weights=tmp_path, options={"vad": "none"})


def test_the_front_end_on_the_published_clips(folder: Path, shared_data: Path) -> None:
    webrtcvad = pytest.importorskip("webrtcvad", reason="pip install webrtcvad-wheels")
    model = Wen2019(folder, device="cpu")
    paths = sorted((shared_data / "wen2019_example").glob("*.wav"))
    assert len(paths) == 3
    for path in paths:
        wave, rate = soundfile.read(path, dtype="float32")
        assert rate == 16_000
        speech = voiced(wave, webrtcvad.Vad(2))
        assert 0.5 * len(wave) < len(speech) <= len(wave)
        bands = log_mel(speech)
        assert bands.shape[0] == 64 and np.isfinite(bands).all()
        (face,) = model.render([wave], rate)
        assert face is not None
        (published,) = [path.with_suffix(".png")]
        assert published.is_file() and face.shape == (64, 64, 3)


def test_a_clip_without_speech_makes_no_face(folder: Path) -> None:
    pytest.importorskip("webrtcvad", reason="pip install webrtcvad-wheels")
    model = Wen2019(folder, device="cpu")
    assert model.render([np.zeros(48_000, np.float32)], 16_000) == [None]
