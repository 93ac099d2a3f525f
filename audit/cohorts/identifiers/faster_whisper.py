"""Whisper by faster-whisper: about 100 languages, at most 30 s of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from audit.cohorts.identifiers.weights import described, imported, weights_folder
from audit.core.arrays import Waveform
from audit.core.errors import ModelError
from audit.core.registry import Part

NEEDED: Final = ("config.json", "model.bin", "tokenizer.json", "vocabulary.json|vocabulary.txt")
"""The files of a model that was converted for CTranslate2. Without tokenizer.json the package would download one;
models with 128 mel bands also need preprocessor_config.json."""
DEFAULT: Final = "small"


class FasterWhisper:
    """A multilingual Whisper model, in 8-bit integers on the CPU.

    Raises
    ------
    ModelError
        If the package is missing, the files are not such a model, or it knows English only.
    """

    name = "faster_whisper"

    def __init__(self, folder: Path) -> None:
        module = imported("faster_whisper", self.name)
        self._described = described("faster-whisper", folder, ["model.bin"])
        try:
            self._model: Any = module.WhisperModel(
                str(folder), device="cpu", compute_type="int8", local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(f"{folder} is not a Whisper model for CTranslate2: {error}.") from error
        if not self._model.model.is_multilingual:
            raise ModelError(
                f"The Whisper model in {folder} knows English only.",
                "a multilingual model, whose name does not end with .en",
            )

    def describe(self) -> dict[str, str]:
        """The package's version and the sha256 of the weights."""
        return self._described

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[tuple[str, float]]:
        """The most probable language of each clip; one by one, so that no clip depends on the others."""
        return [self._model.detect_language(audio=waveform)[:2] for waveform in waveforms]


def faster_whisper(where: str = "", allow_download: bool = False) -> FasterWhisper:
    """The model in a folder or, where downloads are allowed, of a name such as ``small`` or ``large-v3``."""

    def fetch(model: str) -> str:
        found: str = imported("faster_whisper", FasterWhisper.name).download_model(model)
        return found

    return FasterWhisper(
        weights_folder(FasterWhisper.name, where, NEEDED, allow_download=allow_download, default=DEFAULT, fetch=fetch)
    )


IDENTIFIER = Part(
    name="faster_whisper", summary="Whisper by faster-whisper, multilingual models only", value=faster_whisper
)
