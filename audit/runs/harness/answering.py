"""What a foreign model or instrument answers: asked together, alone where that fails, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.instruments.protocol import Instrument, Reading, attributes_of

Made = tuple[Picture | None, str]
"""A picture, or why there is none: empty where the model just made none."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Failure(str):
    """Why a question has no answer, in the words of the error."""


def pictures_of(make: Callable[[list[int]], Sequence[Picture | None]], todo: list[int]) -> list[Made]:
    """What a model makes of some clips, in order.

    Raises
    ------
    ModelError
        If it gives more or fewer pictures than it was given clips.
    """
    answers = _each(make, todo, "The model gave {} pictures for {} clips.", "one picture or None for each, in order")
    return [(None, str(answer)) if isinstance(answer, Failure) else _checked(answer) for answer in answers]


def readings_of(instrument: Instrument, pictures: Sequence[Picture]) -> list[Reading | str]:
    """What is read in each picture, or why nothing could be.

    Raises
    ------
    ModelError
        If the instrument gives more or fewer readings than it was given pictures.
    """
    told = f"The instrument {instrument.name!r} gave {{}} readings for {{}} pictures."
    answers = _each(instrument.read, list(pictures), told, "one reading for each, in order")
    return [str(answer) if isinstance(answer, Failure) else _fault(instrument, answer) or answer for answer in answers]


def _each(
    ask: Callable[[list[Question]], Sequence[Answer]], questions: list[Question], told: str, allowed: str
) -> list[Answer | Failure]:
    """The answer to each question; if all together fail, each is tried alone, so that a bad one costs only itself."""
    if not questions:
        return []
    try:
        answers = list(ask(questions))
    except Exception as error:  # noqa: BLE001  # foreign code may raise anything: recorded where it is asked from
        if len(questions) == 1:
            return [Failure(f"{type(error).__name__}: {error}")]
        return [_each(ask, [question], told, allowed)[0] for question in questions]
    if len(answers) != len(questions):
        raise ModelError(told.format(len(answers), len(questions)), allowed)
    return [*answers]


def _fault(instrument: Instrument, reading: object) -> str:
    """Why a reading cannot be used; empty where it can."""
    if not isinstance(reading, Reading):
        return f"the instrument gave {type(reading).__name__}, not a Reading"
    try:
        return _unfit(instrument, reading)
    except Exception as error:  # noqa: BLE001  # what foreign code put there may raise anything when it is looked at
        return f"the instrument gave a reading that cannot be checked: {type(error).__name__}: {error}"


def _unfit(instrument: Instrument, reading: Reading) -> str:
    """What is wrong with a reading's values; empty where nothing is."""
    if reading.status not in ("ok", "no_face"):
        return f"the instrument gave the status {reading.status!r}, not ok or no_face"
    if reading.status != "ok":
        return ""
    expected = {attribute.name: attribute for attribute in attributes_of(instrument)}
    if unexpected := sorted(reading.attributes.keys() - expected.keys()):
        return f"the instrument read {', '.join(unexpected)}, which is not among its attributes ({', '.join(expected)})"
    for name, attribute in expected.items():
        if fault := attribute.fault(reading.attributes.get(name)):
            return f"the instrument read {fault}"
    for model in instrument.similarity_models:
        if model not in reading.embeddings or not np.isfinite(reading.embeddings[model]).all():
            return f"the instrument gave no finite feature of {model}"
    return ""


def _checked(picture: Any) -> Made:
    """A picture in the right form, else why it is none."""
    if picture is None:
        return None, ""
    try:
        pixels = np.asarray(picture)
    except Exception as error:  # noqa: BLE001  # a foreign object may raise anything
        return None, f"the model gave no picture: {type(error).__name__}: {error}"
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        return None, f"the model gave {pixels.dtype} of shape {pixels.shape}, not uint8 of shape [H, W, 3]"
    return np.ascontiguousarray(pixels), ""
