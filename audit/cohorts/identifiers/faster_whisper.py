"""Whisper by faster-whisper: about 100 languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from audit.cohorts.identifiers.weights import described, imported, weights_folder
from audit.core.arrays import Waveform
from audit.core.errors import ModelError
from audit.core.onnx import turn_off_telemetry
from audit.core.registry import Part

NEEDED: Final = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""Without tokenizer.json, the package would download one."""


class FasterWhisper:
    """A multilingual Whisper model in a folder, in 8-bit integers on the CPU; raises ModelError for other ones."""

    name = "faster_whisper"

    def __init__(self, folder: Path) -> None:
        turn_off_telemetry()  # the package imports ONNX Runtime
        module = imported("faster_whisper")
        self._described = described("faster-whisper", folder, ["model.bin"])
        try:
            self._model: Any = module.WhisperModel(str(folder), device="cpu", compute_type="int8")
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(f"{folder} is not a Whisper model for CTranslate2: {error}.") from error
        if not self._model.model.is_multilingual:
            raise ModelError(f"The Whisper model in {folder} knows English only.", "one whose name has no .en")

    def describe(self) -> dict[str, str]:
        """The package's version and the sha256 of the weights."""
        return self._described

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[tuple[str, float]]:
        """The most probable language of each clip; one by one, so that no clip depends on the others."""
        return [self._model.detect_language(audio=waveform)[:2] for waveform in waveforms]


def faster_whisper(where: str = "", allow_download: bool = False) -> FasterWhisper:
    """The model in a folder or, where downloads are allowed, of a name such as ``large-v3``."""

    def fetch(model: str) -> str:
        found: str = imported("faster_whisper").download_model(model)
        return found

    return FasterWhisper(
        weights_folder(FasterWhisper.name, where, NEEDED, fetch, "small", allow_download=allow_download)
    )


IDENTIFIER = Part(name="faster_whisper", summary="Whisper by faster-whisper, multilingual models", value=faster_whisper)
