"""SpeechBrain's ECAPA-TDNN of VoxLingua107: 107 languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from audit.cohorts.identifiers.weights import described, imported, weights_folder
from audit.core.arrays import Waveform
from audit.core.errors import ModelError
from audit.core.registry import Part

WEIGHTS: Final = ("embedding_model.ckpt", "classifier.ckpt")
NEEDED: Final = ("hyperparams.yaml", *WEIGHTS, "label_encoder.txt")
DEFAULT: Final = "speechbrain/lang-id-voxlingua107-ecapa"


class VoxLingua107:
    """The classifier in a folder, on the CPU. Its ``hyperparams.yaml`` can run any code: use trusted folders only."""

    name = "voxlingua107"

    def __init__(self, folder: Path) -> None:
        classifiers, fetching = map(imported, ("speechbrain.inference.classifiers", "speechbrain.utils.fetching"))
        self._described = described("speechbrain", folder, WEIGHTS)
        try:
            self._classifier: Any = classifiers.EncoderClassifier.from_hparams(
                source=str(folder),
                overrides={"pretrained_path": str(folder)},  # the file names the hub
                overrides_must_match=False,
                fetch_config=fetching.FetchConfig(allow_network=False),
                run_opts={"device": "cpu"},
            )
        except Exception as error:  # the file may build, and so raise, anything
            raise ModelError(f"{folder} is not a classifier of SpeechBrain: {error}.") from error
        self._classifier.hparams.label_encoder.ignore_len()

    def describe(self) -> dict[str, str]:
        """The package's version and the sha256 of the weights."""
        return self._described

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[tuple[str, float]]:
        """The most probable language of each clip; one by one, since padding would change the result."""
        import torch

        found = []
        for waveform in waveforms:
            with torch.inference_mode():
                _, log_posterior, _, labels = self._classifier.classify_batch(torch.from_numpy(waveform)[None])
            code, _, _ = labels[0].partition(":")  # such as "th: Thai"
            found.append((code.strip(), float(log_posterior[0].exp())))
        return found


def voxlingua107(where: str = "", allow_download: bool = False) -> VoxLingua107:
    """The classifier in a folder or, where downloads are allowed, that of the hub."""

    def fetch(model: str) -> str:
        found: str = imported("huggingface_hub").snapshot_download(model, allow_patterns=[*NEEDED])
        return found

    return VoxLingua107(weights_folder(VoxLingua107.name, where, NEEDED, fetch, DEFAULT, allow_download=allow_download))


IDENTIFIER = Part(name="voxlingua107", summary="ECAPA-TDNN of VoxLingua107 by SpeechBrain", value=voxlingua107)
