"""Wen, Singh & Raj 2019, "Face Reconstruction from Voice using Generative Adversarial Networks", published weights.

The two published checkpoints are pickles of plain tensors. torch opens them with ``weights_only=True``, which runs no
code of the file; files with anything but tensors are refused.
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from audit.core.arrays import Picture, Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.errors import ModelError
from audit.core.registry import Part
from audit.models.pytorch import (
    at_16_khz,
    fill,
    in_batches,
    on_device,
    picture_of,
    read_saved,
    state_of,
    weights_digest,
)

BANDS: Final = 64
LOW_HZ, HIGH_HZ = 20.0, 7200.0
FFT: Final = 1024
WINDOW: Final = 400
HOP: Final = 160
FRAMES: Final = 1000
MAX_BYTES: Final = 1 << 28
"""Limit of the unpacked size; the published files have at most a quarter of it."""
VOICE_FILE, GENERATOR_FILE = "voice_embedding.pth", "generator.pth"
ALLOWED_WEIGHTS: Final = f"--weights FOLDER with {VOICE_FILE} and {GENERATOR_FILE}"
WHERE: Final = (
    "Both are in the folder pretrained_models of the published repository, not in models, which its config.py names; "
    "see docs/guide/models/wen2019.md."
)

VAD_MODE: Final = 2
VAD_SAMPLES: Final = SAMPLE_RATE * 20 // 1000
VAD_PADDING: Final = 2
"""Frames of 20 ms in the detector's 50 ms of padding."""
VAD_SHARE: Final = 0.9


def voice_network() -> nn.Sequential:
    """Log-mel [B, 64, frames] to [B, 64, frames / 32]: the published layers (2.67 M parameters)."""
    widths = (BANDS, 256, 384, 576, 864)
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Conv1d(before, after, 3, 2, 1, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv1d(widths[-1], 64, 3, 2, 1))


def generator_network() -> nn.Sequential:
    """Embeddings [B, 64, 1, 1] to pictures [B, 3, 64, 64], about -1 to 1: the published layers (12.19 M parameters)."""
    widths = (64, 1024, 512, 256, 128, 64)
    layers: list[nn.Module] = []
    for place, (before, after) in enumerate(itertools.pairwise(widths)):
        stride, padding = (1, 0) if place == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(before, after, 4, stride, padding), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], 3, 1))


def mel_filters() -> NDArray[np.float64]:
    """Triangular filters [513, 64] between 20 and 7200 Hz on the mel scale 2595 log10(1 + f / 700)."""
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (LOW_HZ, HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    grid = np.arange(FFT // 2 + 1)[:, None] * SAMPLE_RATE / FFT
    rising = (grid - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - grid) / (edges[2:] - edges[1:-1])
    height = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None) * height)


def log_mel(waveform: Waveform) -> NDArray[np.float32]:
    """The front end: [T] at 16 kHz in [-1, 1] to log-mel [64, frames], bands with mean 0 and variance 1.

    Frames of 25 ms every 10 ms, pre-emphasis .97, Hamming window, on samples scaled to 16-bit integers.
    """
    sound = np.asarray(waveform, np.float64) * 32767
    emphasised = np.append(sound[:1], sound[1:] - 0.97 * sound[:-1])
    count = max(1, -(-len(sound) // HOP))
    padded = np.pad(emphasised, (0, max(0, (count - 1) * HOP + WINDOW - len(emphasised))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count] * np.hamming(WINDOW)
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2
    bands = np.log(np.clip(power @ mel_filters(), 1e-5, None)).T
    spread = bands.std(1, keepdims=True)
    standard = (bands - bands.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1)
    return np.asarray(standard, np.float32)


def voiced(waveform: Waveform, detector: Any) -> Waveform:
    """Speech of a clip, concatenated, by WebRTC's detector; empty if it detects none.

    Speech begins if more than 90 % of the frames in the padding are speech, and ends if as many are not.
    """
    pcm = (np.clip(waveform, -1, 1) * 32767).astype("<i2")
    frames = [pcm[at : at + VAD_SAMPLES] for at in range(0, len(pcm) - VAD_SAMPLES + 1, VAD_SAMPLES)]
    kept: list[NDArray[np.int16]] = []
    ring: list[tuple[NDArray[np.int16], bool]] = []
    speaking = False
    for frame in frames:
        speech = bool(detector.is_speech(frame.tobytes(), SAMPLE_RATE))
        ring = [*ring, (frame, speech)][-VAD_PADDING:]
        if speaking:
            kept.append(frame)
        if sum(was != speaking for _, was in ring) > VAD_SHARE * VAD_PADDING:
            if not speaking:
                kept += [earlier for earlier, _ in ring]
            speaking = not speaking
            ring = []
    joined = np.concatenate(kept) if kept else np.zeros(0, np.int16)
    return joined.astype(np.float32) / np.float32(32767)


class Wen2019:
    """The published voice network and generator, 64 x 64 pixels.

    Parameters
    ----------
    weights : path
        A folder with ``voice_embedding.pth`` and ``generator.pth``.
    vad : {"webrtc", "none"}
        ``webrtc``: silence is removed as published (needs the package webrtcvad-wheels); ``none``: the whole clip.
    device : str, optional
        Default: the first GPU, if any, otherwise the CPU.
    batch : int
        Number of clips per batch.

    Raises
    ------
    ModelError
        If the folder, a file or webrtcvad is missing, a file has more than tensors, or layers differ.
    """

    name = "wen2019"

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        vad: Literal["webrtc", "none"] = "webrtc",
        device: str | None = None,
        batch: int = 16,
    ) -> None:
        if weights is None:
            raise ModelError("The model 'wen2019' needs its two checkpoints.", ALLOWED_WEIGHTS, WHERE)
        if vad not in ("webrtc", "none"):
            raise ModelError(f"wen2019 was given the option vad = {vad!r}.", "webrtc or none")
        self.batch, self.vad = batch, vad
        self._detector = _detector() if vad == "webrtc" else None
        folder = Path(weights)
        files = VOICE_FILE, GENERATOR_FILE
        self._sha256 = {name: weights_digest(folder / name, ALLOWED_WEIGHTS, WHERE) for name in files}
        self._voice, self.device = on_device(_loaded(voice_network(), folder / VOICE_FILE), device)
        self._generator, _ = on_device(_loaded(generator_network(), folder / GENERATOR_FILE), device)

    def to(self, device: str) -> Wen2019:
        """Move the model, in place, to a device."""
        self._voice, self.device = on_device(self._voice, device)
        self._generator, _ = on_device(self._generator, device)
        return self

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face [64, 64, 3] for each clip; ``None`` if no speech is detected."""
        spectra = [self._spectrum(waveform, sample_rate) for waveform in waveforms]
        made: list[Picture | None] = [None] * len(waveforms)
        for length in dict.fromkeys(spectrum.shape[1] for spectrum in spectra if spectrum is not None):
            same = {i: some for i, some in enumerate(spectra) if some is not None and some.shape[1] == length}
            faces = in_batches(
                [*same.values()], self.batch, lambda some: torch.from_numpy(np.stack(some)), self._faces, self.device
            )
            for place, face in zip(same, faces, strict=True):
                made[place] = picture_of((face + 1) * 127.5)
        return made

    def describe(self) -> dict[str, object]:
        """Digests, front end and device."""
        return {
            "weights_sha256": self._sha256,
            "vad": self.vad,
            "device": self.device.type,
            "source": "Wen, Singh & Raj 2019",
        }

    def _spectrum(self, waveform: Waveform, sample_rate: int) -> NDArray[np.float32] | None:
        (sound,) = at_16_khz([waveform], sample_rate)
        if self._detector is not None:
            sound = voiced(sound, self._detector)
        if len(sound) < WINDOW:
            return None
        bands = log_mel(sound)
        repeats = -(-FRAMES // bands.shape[1])
        return np.tile(bands, repeats)[:, :FRAMES] if bands.shape[1] < FRAMES else bands

    def _faces(self, clips: Tensor) -> Tensor:
        """Faces from -1 to 1 of log-mel spectrograms."""
        embedding = nn.functional.normalize(self._voice(clips.to(self.device)).mean(2))
        faces: Tensor = self._generator(embedding[:, :, None, None]).clamp(-1, 1)
        return faces


def _detector() -> Any:
    try:
        webrtcvad: Any = importlib.import_module("webrtcvad")
    except ImportError as error:
        raise ModelError(f"wen2019 cuts silence with WebRTC's detector, which is not installed: {error}.",
                         'the option vad = "none", which differs from the published front end',
                         "pip install webrtcvad-wheels") from error  # fmt: skip
    return webrtcvad.Vad(VAD_MODE)


def _loaded(network: nn.Sequential, path: Path) -> nn.Sequential:
    """The network with a published state: keys ``model.0.weight``, ``model.1.running_mean`` and so on."""
    state = state_of(read_saved(path, MAX_BYTES), path)
    named = nn.ModuleDict({"model": network})
    counters = {name: value for name, value in named.state_dict().items() if name.endswith("num_batches_tracked")}
    given = {f"model.{name.removeprefix('module.').removeprefix('model.')}": value for name, value in state.items()}
    fill(named, counters | given, path)  # one published file has no counters of batch norm
    return network.eval().requires_grad_(False)


MODEL = Part(
    name="wen2019",
    summary="Wen et al. 2019 with their two published checkpoints (--weights FOLDER)",
    value=Wen2019,
)
