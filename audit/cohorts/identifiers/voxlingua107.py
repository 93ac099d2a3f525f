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
    """The classifier in a folder, on the CPU. Its ``hyperparams.yaml`` can run any code: use trusted folders only.

    Raises
    ------
    ModelError
        If the package is missing or the files are not such a classifier.
    """

    name = "voxlingua107"

    def __init__(self, folder: Path) -> None:
        classifiers = imported("speechbrain.inference.classifiers", self.name)
        fetching = imported("speechbrain.utils.fetching", self.name)
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
        return [self._identify(waveform) for waveform in waveforms]

    def _identify(self, waveform: Waveform) -> tuple[str, float]:
        import torch

        with torch.inference_mode():
            _, log_posterior, _, labels = self._classifier.classify_batch(torch.from_numpy(waveform)[None])
        return code_of(labels[0]), float(log_posterior[0].exp())


def code_of(label: str) -> str:
    """The code in a label of the classifier.

    Examples
    --------
    >>> code_of("th: Thai"), code_of("th")
    ('th', 'th')
    """
    return label.partition(":")[0].strip()


def voxlingua107(where: str = "", allow_download: bool = False) -> VoxLingua107:
    """The classifier in a folder or, where downloads are allowed, that of the hub."""

    def fetch(model: str) -> str:
        found: str = imported("huggingface_hub", VoxLingua107.name).snapshot_download(model, allow_patterns=[*NEEDED])
        return found

    return VoxLingua107(
        weights_folder(VoxLingua107.name, where, NEEDED, allow_download=allow_download, default=DEFAULT, fetch=fetch)
    )


IDENTIFIER = Part(name="voxlingua107", summary="ECAPA-TDNN of VoxLingua107 by SpeechBrain", value=voxlingua107)
