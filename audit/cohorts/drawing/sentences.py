"""The sentences that fictional speakers say, and which of them each kind of speaker may say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data"
_SPLITS: Final = ("audited", "training", "validation", "training", "audited", "training", "audited", "training")


@cache
def sentences(language: str) -> tuple[str, ...]:
    """All sentences of a language, in order; lines of the file that begin with # are notes.

    Examples
    --------
    >>> len(sentences("en")), sentences("en")[0]
    (128, 'The rain stopped before noon and the path dried quickly.')
    """
    lines = (_DATA / f"sentences.{language}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def sentence_split(number: int) -> str:
    """The split whose speakers may say a sentence: of each eight, three audited, one validation, four training."""
    return _SPLITS[number % len(_SPLITS)]


def sentences_of(split: str, language: str) -> list[int]:
    """The numbers, from 0, of the sentences that speakers of a split may say; drawn speakers are audited."""
    return [number for number in range(len(sentences(language))) if sentence_split(number) == split]


def sentence_names(language: str, numbers: list[int]) -> str:
    """The names of sentences as tables have them: language and line.

    Examples
    --------
    >>> sentence_names("en", [0, 11])
    'en001 en012'
    """
    return " ".join(f"{language}{number + 1:03d}" for number in numbers)
