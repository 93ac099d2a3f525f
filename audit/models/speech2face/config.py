"""Configurations of the network: ``paper``, as published, and ``small``, narrower with the same topology."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit.core.audio import SAMPLE_RATE

WINDOW: Final = 400
HOP: Final = 160
FFT: Final = 512
BINS: Final = FFT // 2 + 1
"""Oh et al. 2019, section 3: Hann window of 25 ms, hop of 10 ms, 512 frequency bins, at 16 kHz."""

KERNEL: Final = 4
STRIDES: Final = (1, 1, 1, 1, 1, 1, 1, 2, 2)
POOLED: Final = (False, False, True, True, True, True, False, False, False)
"""The encoder's nine convolutions (table 1 there): strides, and whether time is halved after each."""


class Configuration(BaseModel):
    """All sizes of the network. It is stored in the weights, which load only into the same configuration.

    Attributes
    ----------
    name : str
        Name of the configuration.
    seconds : float
        Seconds used of a clip: the first 6 (the paper also uses 3); shorter clips are repeated.
    front : {"complex", "mel"}
        ``complex``: the paper's input, real and imaginary part of the spectrogram, each compressed as sgn(S)|S|^0.3.
        ``mel``: the logarithm of mel-band power, standardised by constants of the training clips (not per clip,
        which would remove the timbre).
    mel_bands : int
        Bands of the front end ``mel``.
    levelled : bool
        Whether clips are normalised in loudness (root mean square of -25 dBFS).
    average_spectrum : bool
        Whether the encoder's first fully connected layer also sees the clip's long-term average spectrum; with the
        front end ``mel`` only.
    channels : tuple of int
        Channels of the encoder's nine convolutions.
    hidden : int
        Width of the encoder's first fully connected layer.
    feature : int
        Length of the face feature, the encoder's second fully connected layer.
    first : int
        Width of the decoder's first layer, used in the first training loss.
    landmark_layers : tuple of int
        Hidden layers of the decoder's landmark branch.
    base : int
        Side in pixels of the decoder's first map.
    texture_channels : tuple of int
        Channels of that map and of all transposed convolutions but the last, which has three.
    landmarks : int
        Number of landmarks for the warp.
    face : {"own", "vgg_face"}
        Face encoder: one trained here, or DeepFace's VGG-Face (4096-D).
    face_channels : tuple of int
        Channels of the face encoder's convolutions, each of which halves the side.

    Examples
    --------
    >>> PAPER.size, PAPER.frames, PAPER.input_bins
    (224, 598, 257)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    seconds: float = Field(default=6.0, gt=1.0, le=60.0)
    front: Literal["complex", "mel"] = "complex"
    mel_bands: int = Field(default=64, ge=40, le=BINS)
    levelled: bool = False
    average_spectrum: bool = False
    channels: tuple[int, ...] = (64, 64, 128, 128, 128, 256, 512, 512, 512)
    hidden: int = 4096
    feature: int = 4096
    first: int = 1000
    landmark_layers: tuple[int, ...] = (1024, 512, 256)
    base: int = 14
    texture_channels: tuple[int, ...] = (256, 128, 64, 32)
    landmarks: int = 72
    face: Literal["own", "vgg_face"] = "vgg_face"
    face_channels: tuple[int, ...] = (32, 64, 128, 256, 256)

    @model_validator(mode="after")
    def _sizes(self) -> Configuration:
        if len(self.channels) != len(STRIDES):
            raise ValueError(f"channels: the encoder has {len(STRIDES)} convolutions, not {len(self.channels)}")
        if self.face == "vgg_face" and self.feature != VGG_FACE_FEATURE:
            raise ValueError(f"feature: VGG-Face gives {VGG_FACE_FEATURE} numbers, not {self.feature}")
        if self.average_spectrum and self.front != "mel":
            raise ValueError("average_spectrum: it is that of mel bands; allowed with front = 'mel'")
        if min(self.encoder_shapes()[-1][1:]) < 1:
            raise ValueError("seconds or mel_bands: the clip is too short for the last convolution")
        return self

    @property
    def samples(self) -> int:
        """Number of samples used of a clip."""
        return round(self.seconds * SAMPLE_RATE)

    @property
    def frames(self) -> int:
        """Frames of the spectrogram."""
        return (self.samples - WINDOW) // HOP + 1

    @property
    def input_channels(self) -> int:
        """Planes of the encoder's input: real and imaginary part, or one."""
        return 2 if self.front == "complex" else 1

    @property
    def input_bins(self) -> int:
        """Frequencies of the encoder's input."""
        return BINS if self.front == "complex" else self.mel_bands

    @property
    def size(self) -> int:
        """Height and width of the pictures in pixels."""
        return int(self.base * 2 ** len(self.texture_channels))

    def encoder_shapes(self) -> list[tuple[int, int, int]]:
        """(channels, time, frequency) after each of the nine convolutions and its pooling, if any.

        The paper gives no sizes; convolutions here have no padding, so a kernel of 4 reduces each side by 3.
        """
        time, bins = self.frames, self.input_bins
        shapes = []
        for width, stride, pooled in zip(self.channels, STRIDES, POOLED, strict=True):
            time, bins = (time - KERNEL) // stride + 1, (bins - KERNEL) // stride + 1
            time = time // 2 if pooled else time
            shapes.append((width, time, bins))
        return shapes


VGG_FACE_FEATURE: Final = 4096

PAPER: Final = Configuration(name="paper")
SMALL: Final = Configuration(
    name="small",
    front="mel",
    mel_bands=64,
    levelled=True,
    average_spectrum=True,
    channels=(8, 8, 16, 16, 16, 32, 48, 64, 64),
    hidden=256,
    feature=256,
    first=256,
    landmark_layers=(128,),
    base=8,
    texture_channels=(96, 64, 48, 32),
    face="own",
    face_channels=(24, 48, 96, 128, 160),
)
CONFIGURATIONS: Final = {"paper": PAPER, "small": SMALL}
