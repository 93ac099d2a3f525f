"""Instruments by name: the built-in ones, those of installed packages, and ``module:factory``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from audit.core.errors import ModelError
from audit.core.plan import SIMILARITY
from audit.core.registry import installed, load
from audit.instruments.protocol import Instrument

if TYPE_CHECKING:
    from audit.instruments.reader import Source

ENTRY_POINTS: Final = "audit.instruments"
BUILT_IN: Final = {
    "auto": "DeepFace's own weights for each attribute where they are on this machine, else the embedded models",
    "embedded": "the models in this package, registered with DeepFace: no download, the same reads on every machine",
    "deepface": "DeepFace's own weights for race, gender and age; an error where one is missing",
}
DETECTOR: Final = "dlib"


def available() -> dict[str, str]:
    """Every instrument's name with one line about it: the built-in ones, then those of installed packages.

    Examples
    --------
    >>> list(available())[:3]
    ['auto', 'embedded', 'deepface']
    """
    return BUILT_IN | installed(ENTRY_POINTS)


def instrument(
    name: str = "auto",
    *,
    similarity: Sequence[str] = SIMILARITY,
    detector: str = DETECTOR,
    allow_download: bool = False,
    **options: Any,
) -> Instrument:
    """An instrument, ready to read.

    Parameters
    ----------
    name : str
        ``auto``, ``embedded``, ``deepface``, the name of an entry point in the group ``audit.instruments``, or
        ``module:factory``.
    similarity : sequence of str
        The similarity models whose features readings carry, the primary one first; see ``audit list similarity``.
    detector : {"dlib", "opencv"}
        Which of DeepFace's detectors finds the faces.
    allow_download : bool
        Whether DeepFace may download its weights; without it nothing ever reaches the network.
    **options
        Passed on: ``attributes``, ``threads`` and ``remember`` of
        :class:`audit.instruments.reader.DeepFaceInstrument`. A third-party instrument receives every option that was
        given, and ``similarity``, ``detector`` and ``allow_download`` where they are not the default.

    Raises
    ------
    ModelError
        If there is no such instrument, it cannot be built, or it takes no such option.

    Examples
    --------
    >>> import numpy as np
    >>> reader = instrument("embedded", similarity=["FaceRes"])
    >>> reader.read([np.full((64, 64, 3), 255, np.uint8)])[0].status
    'no_face'
    """
    asked = {"similarity": tuple(similarity), "detector": detector, "allow_download": allow_download}
    if name in BUILT_IN:
        from audit.instruments import reader

        factory: Callable[..., object] = partial(reader.DeepFaceInstrument, name, *_sources(name, allow_download))
    else:
        factory = _factory(name)
        defaults = {"similarity": SIMILARITY, "detector": DETECTOR, "allow_download": False}
        asked = {key: value for key, value in asked.items() if value != defaults[key]}
    keywords = asked | options
    _refuse_others(name, factory, keywords)
    built = factory(**keywords)
    if not isinstance(built, Instrument):
        raise ModelError(
            f"Instrument {name!r} made a {type(built).__name__}.",
            "An object with name, similarity_models, read and describe (audit.instruments.protocol.Instrument).",
        )
    return built


def _sources(name: str, allow_download: bool) -> tuple[dict[str, Source], dict[str, str]]:
    """Which models read each attribute, and why."""
    from audit.instruments import offline

    sources: dict[str, Source] = {}
    reasons: dict[str, str] = {}
    for attribute in offline.ATTRIBUTE_WEIGHTS:
        path = offline.attribute_file(attribute)
        if name == "embedded":
            sources[attribute], reasons[attribute] = "embedded", "asked for"
        elif name == "deepface":
            sources[attribute], reasons[attribute] = "deepface", "asked for"
        elif path.is_file():
            sources[attribute], reasons[attribute] = "deepface", f"{path.name} is in the DeepFace home"
        elif allow_download:
            sources[attribute], reasons[attribute] = "deepface", f"{path.name} was downloaded, as allowed"
        else:
            sources[attribute], reasons[attribute] = "embedded", f"{path.name} is not in the DeepFace home"
    return sources, reasons


def _factory(name: str) -> Callable[..., object]:
    loaded = load(name, ENTRY_POINTS, "instrument", available(), ModelError)
    if not callable(loaded):
        raise ModelError(f"Instrument {name!r} is a {type(loaded).__name__}.", "Something that can be called.")
    factory: Callable[..., object] = loaded
    return factory


def _refuse_others(name: str, factory: Callable[..., object], keywords: dict[str, Any]) -> None:
    """Refuse what a factory does not take, or what it lacks."""
    try:
        signature = inspect.signature(factory)
    except ValueError:  # one that is written in C may not tell
        return
    try:
        signature.bind(**keywords)
    except TypeError as error:
        raise ModelError(
            f"The instrument {name!r} cannot be made with {', '.join(keywords) or 'no options'}: {error}.",
            ", ".join(signature.parameters) or "no options",
        ) from error
