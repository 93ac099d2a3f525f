"""The second stage: the voice encoder against the frozen decoder (Oh et al. 2019, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from audit.core.audio import SAMPLE_RATE
from audit.models.speech2face.face import VggFace
from audit.models.speech2face.network import Network
from audit.models.speech2face.spectrogram import mel_filters
from audit.training.augmenting import augmented, symmetric
from audit.training.data import Part
from audit.training.exchanging import Exchange
from audit.training.faces import face_weight
from audit.training.loop import Task
from audit.training.losses import losses_by_clip, voice_losses
from audit.training.mitigations.training import Mitigations
from audit.training.plan import VoiceStage


class VoiceTask(Task):
    """One step of the second stage, with frozen decoder and face encoder."""

    name = "voices"
    settings: VoiceStage

    def __init__(
        self, network: Network, identity: nn.Linear | None, part: Part, validation: Part, settings: VoiceStage,
        mitigations: Mitigations,
    ) -> None:  # fmt: skip
        self.network, self.identity, self.settings, self.mitigations = network, identity, settings, mitigations
        self.part, self.validation = part, validation
        self.device = network.decoder.mean_texture.device
        self.targets, self.validation_targets = (self._targets(some) for some in (part, validation))
        self.exchange = Exchange(part) if settings.exchange else None
        if network.spectrogram.front == "mel":
            self._standardise()

    def start(self) -> None:
        """Initialise the voice encoder at the average face: its last bias is the mean of the features."""
        with torch.no_grad():
            self.network.voice.second.bias.copy_(self.targets["feature"].mean(0))

    @torch.no_grad()
    def sharpen(self) -> None:
        """Multiply the distance of the encoder's features from the mean target by the plan's factors.

        The last layer is linear, so its weights take up the factors.
        """
        settings, last, middle = self.settings, self.network.voice.second, self.targets["feature"].mean(0)
        lighter = self._lighter(middle)
        factors = settings.sharpen * torch.eye(len(middle), device=middle.device)
        factors += (settings.sharpen_light - settings.sharpen) * torch.outer(lighter, lighter)
        last.weight.copy_(factors @ last.weight)
        last.bias.copy_(middle + factors @ (last.bias - middle))

    def _lighter(self, feature: Tensor) -> Tensor:
        """The unit vector along which the face that the decoder makes of a feature becomes lighter fastest.

        Light is the mean of red, green and blue over the face of the texture.
        """
        decoder, size = self.network.decoder, self.network.configuration.size
        weight = face_weight(decoder.warp.mean.cpu(), size, 0.0).to(self.device)
        with torch.enable_grad():
            start = feature.clone().requires_grad_()
            light = (decoder(start[None]).texture * weight).mean()
            return functional.normalize(torch.autograd.grad(light, start)[0], dim=0)

    def modules(self) -> list[nn.Module]:
        """The trained modules."""
        return [self.network.voice, self.mitigations]

    def losses(self) -> dict[str, Tensor]:
        """The terms of one step and their weighted sum, ``loss``, after mitigations."""
        rows = self.mitigations.drawn(self.settings.batch, len(self.part.clips))
        waveforms, speakers = self.part.sound(rows).to(self.device), self.part.speaker_rows[rows]
        if self.exchange is not None:
            speakers = self.exchange.drawn(rows)
            waveforms = self.exchange.applied(waveforms, rows, speakers)
        waveforms = augmented(waveforms, self.settings, SAMPLE_RATE)
        filters = None
        if self.network.spectrogram.front == "mel" and self.settings.tract:
            warp = 1.0 + float(symmetric(self.settings.tract, 1))
            filters = mel_filters(self.network.configuration.mel_bands, warp).to(self.device)
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            spectrogram = self.network.spectrogram(waveforms, filters)
        made = self._made(self.network.voice(spectrogram))
        wanted = self._of(self.targets, speakers)
        if not self.mitigations.parts:
            return voice_losses(made, wanted, self.settings)
        return self.mitigations.applied(losses_by_clip(made, wanted, self.settings), made["feature"], rows)

    def validate(self) -> dict[str, float]:
        """The losses on all clips of the validation speakers, without augmentation."""
        count = len(self.validation.clips)
        if not count:
            return {}
        features = []
        for rows in torch.split(torch.arange(count), 16):
            features.append(self.network.voice(self.network.spectrogram(self.validation.sound(rows).to(self.device))))
        wanted = self._of(self.validation_targets, self.validation.speaker_rows)
        found = voice_losses(self._made(torch.cat(features)), wanted, self.settings)
        return {name: float(value) for name, value in found.items()}

    def _made(self, feature: Tensor) -> dict[str, Tensor]:
        made = {"feature": feature.float(), "first": self.network.decoder.first(feature).float()}
        return made if self.identity is None else made | {"logits": self.identity(feature).float()}

    def _targets(self, part: Part) -> dict[str, Tensor]:
        """Feature, first layer and identity of every speaker's portrait."""
        if not len(part.portraits):
            return {}
        with torch.no_grad():
            if self.network.face is None:
                feature = VggFace().features(part.originals).to(self.device)
            else:
                face = self.network.face.eval()
                feature = torch.cat([face(some.to(self.device)) for some in torch.split(part.portraits, 16)])
            return {name: value.detach() for name, value in self._made(feature).items()}

    @staticmethod
    def _of(targets: dict[str, Tensor], speakers: Tensor) -> dict[str, Tensor]:
        return {name: value[speakers.to(value.device)] for name, value in targets.items()}

    def _standardise(self) -> None:
        """Set the mean and standard deviation of each mel band from the training clips."""
        front = self.network.spectrogram
        front.mean.zero_()
        front.spread.fill_(1.0)
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for rows in torch.split(torch.arange(len(self.part.clips)), 16):
            bands = front(self.part.sound(rows).to(self.device))[:, 0].double().cpu()
            count += bands.shape[0] * bands.shape[1]
            total, squares = total + bands.sum((0, 1)), squares + bands.square().sum((0, 1))
        mean = total / count
        front.mean.copy_(mean)
        front.spread.copy_((squares / count - mean.square()).clamp(min=1e-4).sqrt())
