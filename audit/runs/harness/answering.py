"""Calls to third-party models and instruments, with validation and isolation of failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from audit.core.arrays import Picture
from audit.core.errors import ModelError, RunError
from audit.core.pictures import PictureFile
from audit.instruments.protocol import Instrument, Reading, attributes_of

_OUT_OF_GPU_MEMORY: Final = "OutOfMemoryError"
"""The name of torch's error; torch itself may not be installed."""
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Failure(str):
    """The error message of a failed call."""


class Made(NamedTuple):
    """What a model made of one clip.

    Attributes
    ----------
    picture : ndarray or None
        The picture; ``None`` if there is none.
    error : str
        The error if the model failed, else empty.
    file : PictureFile or None
        The file of a picture that was made elsewhere.
    """

    picture: Picture | None
    error: str = ""
    file: PictureFile | None = None


AT_ONCE: Final = 64
"""How many clips a model is given at once on a CPU, whatever the size of a part."""
AT_ONCE_ON_GPU: Final = 256
"""How many on a GPU, which small batches do not keep busy."""


def pictures_of(
    make: Callable[[list[Question]], Sequence[Picture | PictureFile | None]],
    todo: list[Question],
    at_once: int = AT_ONCE,
) -> list[Made]:
    """The pictures that a model makes from some clips, in order; it is given at most ``at_once`` of them in a call.

    Raises
    ------
    ModelError
        If the number of pictures differs from the number of clips.
    """
    message, allowed = "The model returned {} pictures for {} clips.", "one picture or None for each, in order"
    batches = (todo[start : start + at_once] for start in range(0, len(todo), at_once))
    answers = [answer for batch in batches for answer in _each(make, batch, message, allowed)]
    return [Made(None, str(answer)) if isinstance(answer, Failure) else _checked(answer) for answer in answers]


def readings_of(instrument: Instrument, pictures: Sequence[Picture]) -> list[Reading | str]:
    """The reading of each picture, or the error.

    Raises
    ------
    ModelError
        If the number of readings differs from the number of pictures.
    """
    message = f"The instrument {instrument.name!r} returned {{}} readings for {{}} pictures."
    answers = _each(instrument.read, list(pictures), message, "one reading for each, in order")
    return [str(answer) if isinstance(answer, Failure) else _error(instrument, answer) or answer for answer in answers]


def _each(
    ask: Callable[[list[Question]], Sequence[Answer]], questions: list[Question], message: str, allowed: str
) -> list[Answer | Failure]:
    """The answers to a batch; if the batch fails, each question is tried alone, so that only bad ones fail."""
    if not questions:
        return []
    try:
        answers = list(ask(questions))
    except MemoryError as error:
        if len(questions) > 1:
            return [_each(ask, [question], message, allowed)[0] for question in questions]
        raise _out_of_memory(error) from error
    except Exception as error:  # third-party code may raise anything; the caller records it
        if len(questions) == 1:
            if type(error).__name__ == _OUT_OF_GPU_MEMORY:
                raise _out_of_memory(error) from error
            return [Failure(f"{type(error).__name__}: {error}")]
        return [_each(ask, [question], message, allowed)[0] for question in questions]
    if len(answers) != len(questions):
        raise ModelError(message.format(len(answers), len(questions)), allowed)
    return [*answers]


def _out_of_memory(error: Exception) -> RunError:
    """Lack of memory stops a run: it must not count as a failure of the model on a clip."""
    return RunError(
        f"A model or an instrument ran out of memory on a single clip: {' '.join(str(error).split())[:200]}.",
        "a machine with more memory",
        "Repeat the command there, or with fewer --workers; the run continues where it stopped.",
    )


def _error(instrument: Instrument, reading: object) -> str:
    """The reason why a reading is invalid; empty if it is valid."""
    if not isinstance(reading, Reading):
        return f"the instrument returned {type(reading).__name__}, not a Reading"
    try:
        return _invalid_value(instrument, reading)
    except Exception as error:  # noqa: BLE001  # third-party values may raise anything
        return f"the instrument returned a reading that cannot be checked: {type(error).__name__}: {error}"


def _invalid_value(instrument: Instrument, reading: Reading) -> str:
    """The first invalid value of a reading, in words; empty if there is none."""
    if reading.status not in ("ok", "no_face"):
        return f"the instrument returned the status {reading.status!r}, not ok or no_face"
    if fault := _invalid_count(reading):
        return fault
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
            return f"the instrument returned no finite feature of {model}"
    return ""


def _invalid_count(reading: Reading) -> str:
    """What is wrong with the number of faces of a reading; empty if nothing is."""
    if reading.faces is None:
        return ""
    whole = type(reading.faces) is int  # and not a bool
    if whole and (reading.faces >= 1 if reading.status == "ok" else reading.faces == 0):
        return ""
    allowed = "a whole number from 1 on, or None" if reading.status == "ok" else "0 or None"
    return f"the instrument counted {reading.faces!r} faces with the status {reading.status}, not {allowed}"


def _checked(picture: Any) -> Made:
    """The picture if its type and shape are valid, else the error."""
    if picture is None:
        return Made(None)
    if isinstance(picture, PictureFile):
        return Made(picture.pixels, "", picture)
    try:
        pixels = np.asarray(picture)
    except Exception as error:  # noqa: BLE001  # a third-party object may raise anything
        return Made(None, f"the model returned an invalid picture: {type(error).__name__}: {error}")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        return Made(None, f"the model returned {pixels.dtype} of shape {pixels.shape}, not uint8 of shape [H, W, 3]")
    return Made(np.ascontiguousarray(pixels))
