"""The network of Speech2Face: sizes layer by layer, its input against scipy's, and weights that are what they say."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import signal

import audit
from audit.models.coverage import Heard, coverage_of
from audit.models.protocol import Decoder, Reconstructor
from audit.models.pytorch import read_tensors
from audit.models.speech2face import PAPER, SMALL, Configuration, load_checkpoint, save_checkpoint
from audit.models.speech2face.checkpoint import (
    PACKED,
    Base,
    Card,
    checkpoint_bytes,
    described_bytes,
    packed,
    read_checkpoint,
    unpacked,
)
from audit.models.speech2face.encoder import VoiceEncoder
from audit.models.speech2face.model import Speech2Face, untrained
from audit.models.speech2face.shipped import SHIPPED, weights_of
from audit.models.speech2face.spectrogram import Spectrogram, batch_of
from scripts.share_weights import share

SHARED = "speech2face-small-shared.safetensors"
TINY = SMALL.model_copy(update={"seconds": 3.0})


@pytest.fixture(scope="module")
def model() -> Speech2Face:
    return Speech2Face(untrained(TINY), device="cpu", batch=4)


def voices(count: int, seconds: float = 2.0) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(int(seconds * 16_000))).astype(np.float32) for _ in range(count)]


def test_the_papers_input_is_598_frames_of_257_complex_bins() -> None:
    assert (PAPER.frames, PAPER.input_bins, PAPER.input_channels) == (598, 257, 2)
    assert Spectrogram(PAPER)(torch.zeros(2, PAPER.samples)).shape == (2, 2, 598, 257)


@pytest.mark.parametrize("configuration", [PAPER, SMALL], ids=["paper", "small"])
def test_every_layer_of_the_encoder_has_the_size_that_is_stated(configuration: Configuration) -> None:
    with torch.device("meta"):
        encoder = VoiceEncoder(configuration).eval()
    assert tuple(norm.num_features for norm in encoder.norms) == configuration.channels
    seen: list[torch.Size] = []
    for norm in encoder.norms:
        norm.register_forward_hook(lambda _module, _inputs, output: seen.append(output.shape))
    shape = (1, configuration.input_channels, configuration.frames, configuration.input_bins)
    assert encoder(torch.zeros(shape, device="meta")).shape == (1, configuration.feature)
    stated = configuration.encoder_shapes()
    assert [tuple(size)[1] for size in seen] == [channels for channels, _, _ in stated]
    assert [tuple(size)[3] for size in seen] == [bins for _, _, bins in stated]
    assert seen[-1][2] == 1  # all of time is averaged


def test_the_average_spectrum_is_free_of_level_and_hears_the_colour_of_a_voice() -> None:
    encoder = VoiceEncoder(SMALL).eval()
    assert encoder.spectrum is not None
    inputs: list[torch.Tensor] = []
    encoder.spectrum.register_forward_pre_hook(lambda _module, given: inputs.append(given[0]))
    clip = torch.randn(1, 1, SMALL.frames, SMALL.mel_bands)
    tilt = torch.linspace(-1, 1, SMALL.mel_bands)
    with torch.no_grad():
        for some in (clip, clip + 3.0, clip + tilt):
            encoder(some)
    plain, louder, tilted = inputs
    torch.testing.assert_close(plain, clip.mean((0, 1, 2))[None] - clip.mean())
    torch.testing.assert_close(louder, plain, atol=1e-5, rtol=0)
    torch.testing.assert_close(tilted - plain, tilt[None], atol=1e-5, rtol=0)


def test_the_average_spectrum_is_that_of_mel_bands() -> None:
    with torch.device("meta"):
        assert VoiceEncoder(PAPER).spectrum is None
    with pytest.raises(ValueError, match="average_spectrum"):
        Configuration.model_validate(PAPER.model_dump() | {"average_spectrum": True})


def test_the_papers_feature_has_4096_numbers_and_its_picture_224_pixels_a_side() -> None:
    assert (PAPER.feature, PAPER.hidden, PAPER.first, PAPER.size) == (4096, 4096, 1000, 224)


def test_the_spectrogram_is_scipys_compressed_as_in_the_paper() -> None:
    (wave,) = voices(1, 6.0)
    window = signal.windows.hann(400, sym=False)
    _, _, expected = signal.stft(wave, nperseg=400, noverlap=240, nfft=512, window=window, boundary=None, padded=False)
    expected = expected.T * window.sum()
    found = Spectrogram(PAPER)(batch_of([wave], PAPER.samples))[0].numpy()
    for plane, part in zip(found, (expected.real, expected.imag), strict=True):
        np.testing.assert_allclose(plane, np.sign(part) * np.abs(part) ** 0.3, atol=0.02)


def test_a_face_does_not_depend_on_the_others_in_its_batch(model: Speech2Face) -> None:
    waves = voices(7)
    batched = model.render(waves, 16_000)
    alone = [model.render([wave], 16_000)[0] for wave in waves]
    backwards = model.render(waves[::-1], 16_000)[::-1]
    for one, other, third in zip(batched, alone, backwards, strict=True):
        assert one is not None and other is not None and third is not None
        assert one.shape == (128, 128, 3) and one.dtype == np.uint8
        assert (one == other).all() and (one == third).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_faces_do_not_depend_on_the_number_of_threads(model: Speech2Face, threads: int) -> None:
    before, expected = torch.get_num_threads(), model.render(voices(9), 16_000)
    torch.set_num_threads(threads)
    try:
        found = model.render(voices(9), 16_000)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all((one == other).all() for one, other in zip(found, expected, strict=True))  # type: ignore[union-attr]


def test_a_short_clip_is_repeated_and_a_long_one_cut(model: Speech2Face) -> None:
    (wave,) = voices(1, 1.5)
    doubled = np.concatenate([wave, wave])
    longer = np.concatenate([doubled, voices(1, 4.0)[0]])
    faces = model.render([wave, doubled, longer], 16_000)
    assert faces[0] is not None and faces[1] is not None and faces[2] is not None
    assert (faces[0] == faces[1]).all() and (faces[1] == faces[2]).all()


def test_three_seconds_can_be_used_instead_of_six() -> None:
    shorter = Speech2Face(untrained(SMALL), device="cpu", batch=1, seconds=3.0)
    wave, other = voices(2, 6.0)
    changed = np.concatenate([wave[:48_000], other[48_000:]])
    one, two = shorter.render([wave], 16_000)[0], shorter.render([changed], 16_000)[0]
    assert one is not None and two is not None and (one == two).all()
    with pytest.raises(audit.ModelError, match=r"cannot use 1\.01 s of a clip"):
        Speech2Face(untrained(SMALL), seconds=1.01)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_checkpoints_are_small_and_state_their_coverage(name: str) -> None:
    assert weights_of(name).stat().st_size <= 800_000
    card = load_checkpoint(weights_of(name), SMALL).card
    covered = {(row.group, row.language == "en"): row.clips for row in card.coverage}
    assert set(covered) == {(group, english) for group in ("asian", "indian", "black", "white") for english in (0, 1)}
    uncovered = {key for key, clips in covered.items() if not clips}
    assert uncovered == ({("asian", True), ("indian", True), ("black", False), ("white", False)}
                       if name.endswith("gap") else set())  # fmt: skip
    assert card.name == name and card.training["dropped"] == []


STATES = {
    "speech2face-small-gap": "ed862174c47fe856082cfcabea92c27fa9122877a66fdf2fbb5b2ee95803ed5f",
    "speech2face-small-full": "0df1348a32426368c3b600aa1f0abed845862472c3e00622da32d3247c9ff22c",
}
"""Digests of the networks' tensors as they were in files that shared nothing: what `audit train` writes."""


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_checkpoints_hold_the_tensors_that_training_wrote(name: str) -> None:
    digest = hashlib.sha256()
    for key, tensor in sorted(load_checkpoint(weights_of(name)).network.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode() + tensor.contiguous().numpy().tobytes())
    assert digest.hexdigest() == STATES[name]


def test_sharing_the_shipped_checkpoints_again_gives_the_shipped_files(tmp_path: Path) -> None:
    share([weights_of(name) for name in SHIPPED], SHARED, tmp_path)
    for file in (SHARED + PACKED, *(f"{name}.safetensors" for name in SHIPPED)):
        assert (tmp_path / file).read_bytes() == (weights_of(SHIPPED[0]).parent / file).read_bytes()


def test_checkpoints_share_what_is_equal_in_all_of_them(tmp_path: Path) -> None:
    one, other = untrained(TINY), untrained(TINY, seed=1)
    other.network.decoder.load_state_dict(one.network.decoder.state_dict())
    for made, file in ((one, "one.safetensors"), (other, "other.safetensors")):
        save_checkpoint(made.network, Card(name=file), tmp_path / file)
    share([tmp_path / "one.safetensors", tmp_path / "other.safetensors"], "both.safetensors", tmp_path / "out")
    (tmp_path / "both").write_bytes(unpacked(tmp_path / "out" / "both.safetensors.xz", ""))
    own, shared = (set(read_tensors(path)[1]) for path in (tmp_path / "out" / "one.safetensors", tmp_path / "both"))
    assert {f"decoder.{key}" for key in one.network.decoder.state_dict()} <= shared
    assert "voice.first.weight" in own and not own & shared
    for file in ("one.safetensors", "other.safetensors"):
        before, after = load_checkpoint(tmp_path / file), load_checkpoint(tmp_path / "out" / file)
        assert after.card == before.card and after.sha256 != before.sha256
        assert checkpoint_bytes(after.network, after.card) == (tmp_path / file).read_bytes()


def test_a_checkpoint_without_its_base_file_is_refused(tmp_path: Path) -> None:
    shutil.copy(weights_of("speech2face-small-gap"), tmp_path)
    with pytest.raises(audit.ModelError, match=rf"needs the weights in {SHARED}\.xz, which is not in its folder"):
        load_checkpoint(tmp_path / "speech2face-small-gap.safetensors")


def test_a_checkpoint_with_another_base_file_is_refused(tmp_path: Path) -> None:
    path = shutil.copy(weights_of("speech2face-small-gap"), tmp_path)
    shipped = weights_of("speech2face-small-gap").parent / (SHARED + PACKED)
    content = bytearray(unpacked(shipped, ""))
    content[-1] ^= 1
    (tmp_path / shipped.name).write_bytes(packed(bytes(content)))
    with pytest.raises(
        audit.ModelError, match=rf"{SHARED}\.xz is not the file that .*-gap\.safetensors needs: its sha"
    ):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [(lambda data: data[:-100], "not complete"), (lambda data: b"no" + data, "cannot be read")],
    ids=["cut off", "another format"],
)
def test_a_damaged_base_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], words: str) -> None:
    path = shutil.copy(weights_of("speech2face-small-gap"), tmp_path)
    shipped = weights_of("speech2face-small-gap").parent / (SHARED + PACKED)
    (tmp_path / shipped.name).write_bytes(damage(shipped.read_bytes()))
    with pytest.raises(audit.ModelError, match=words):
        load_checkpoint(path)


@pytest.mark.parametrize("file", ["../other.safetensors", "/other.safetensors", ".other.safetensors", "other.pth"])
def test_a_base_file_is_a_safetensors_file_in_the_same_folder(tmp_path: Path, file: str) -> None:
    description, tensors = read_checkpoint(weights_of("speech2face-small-gap"))
    elsewhere = description.model_copy(update={"base": Base.model_construct(file=file, sha256="0" * 64)})
    (tmp_path / "mine.safetensors").write_bytes(described_bytes(tensors, elsewhere))
    with pytest.raises(audit.ModelError, match="its description cannot be read"):
        load_checkpoint(tmp_path / "mine.safetensors")


def test_a_shipped_checkpoint_takes_no_other_weights() -> None:
    with pytest.raises(audit.ModelError, match="cannot be made with weights"):
        audit.model("speech2face-small-gap", weights="mine.safetensors")
    with pytest.raises(audit.ModelError, match="is shipped"):
        weights_of("speech2face-large")


def test_an_invalid_coverage_is_refused() -> None:
    with pytest.raises(audit.ModelError, match=r"training_coverage, 0\.group: .*asain"):
        coverage_of({"training_coverage": [{"group": "asain", "language": "en", "speakers": 1, "clips": 1,
                                            "seconds": 6.0}]})  # fmt: skip
    assert coverage_of({}) == ()


def test_it_is_a_blind_model_with_a_ceiling(model: Speech2Face) -> None:
    assert isinstance(model, Reconstructor) and isinstance(model, Decoder)
    portrait = np.random.default_rng(1).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    (face,) = model.ceiling([portrait])
    assert face is not None and face.shape == (128, 128, 3)


def test_weights_travel_with_their_configuration_and_coverage(model: Speech2Face, tmp_path: Path) -> None:
    card = Card(name="mine", coverage=(Heard(group="asian", language="zh", speakers=3, clips=6, seconds=36.0),))
    save_checkpoint(model.network, card, tmp_path / "mine.safetensors", half=False)
    again = audit.model("speech2face", weights=tmp_path / "mine.safetensors", options={"batch": 4, "device": "cpu"})
    assert isinstance(again, Speech2Face)
    assert again.name == "mine"
    assert again.describe()["training_coverage"] == [card.coverage[0].model_dump()]
    (wave,) = voices(1)
    one, other = model.render([wave], 16_000)[0], again.render([wave], 16_000)[0]
    assert one is not None and other is not None and (one == other).all()


def test_weights_of_another_configuration_are_refused_with_the_difference(model: Speech2Face, tmp_path: Path) -> None:
    save_checkpoint(model.network, Card(name="mine"), tmp_path / "mine.safetensors")
    with pytest.raises(audit.ModelError, match=r"seconds is 3.0, not 6.0"):
        load_checkpoint(tmp_path / "mine.safetensors", SMALL)


def test_weights_are_not_taken_for_a_pickle_because_of_the_length_of_their_header(tmp_path: Path) -> None:
    network = untrained(SMALL, seed=0).network
    heads = set()
    for letters in range(32):  # headers are padded to 8 bytes: one of 32 lengths ends in the byte 0x80
        path = tmp_path / f"{letters}.safetensors"
        save_checkpoint(network, Card(name="x" * (1 + 8 * letters)), path)
        heads.add(path.read_bytes()[:1])
        load_checkpoint(path)
    assert b"\x80" in heads


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "sprung"),))  # type: ignore[return-value]

    for name, content in (("a.pth", pickle.dumps(Trap())), ("b.safetensors", pickle.dumps(Trap()))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(audit.ModelError, match="is a pickle"):
            audit.model("speech2face", weights=tmp_path / name)
    torch.save({"weight": torch.zeros(1)}, tmp_path / "c.safetensors")
    with pytest.raises(audit.ModelError, match="is a pickle"):
        audit.model("speech2face", weights=tmp_path / "c.safetensors")
    assert not (tmp_path / "sprung").exists()


def test_without_weights_the_error_explains_that_none_were_published() -> None:
    with pytest.raises(audit.ModelError, match="none were published"):
        audit.model("speech2face")
