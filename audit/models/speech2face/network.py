"""The whole network: spectrogram, voice encoder, face encoder, decoder."""

from __future__ import annotations

from torch import nn

from audit.models.speech2face.config import Configuration
from audit.models.speech2face.decoder import FaceDecoder
from audit.models.speech2face.encoder import VoiceEncoder
from audit.models.speech2face.face import FaceEncoder
from audit.models.speech2face.spectrogram import Spectrogram


class Network(nn.Module):
    """Speech2Face in one of its configurations."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.configuration = configuration
        self.spectrogram = Spectrogram(configuration)
        self.voice = VoiceEncoder(configuration)
        self.decoder = FaceDecoder(configuration)
        self.face = FaceEncoder(configuration) if configuration.face == "own" else None
