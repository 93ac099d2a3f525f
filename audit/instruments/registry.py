"""Instruments by name: the built-in ones, those of installed packages, and ``module:factory``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from audit.core.device import with_device
from audit.core.errors import ModelError
from audit.core.plan import SIMILARITY
from audit.core.registry import Registry
from audit.instruments.protocol import Instrument

INSTRUMENTS: Final = Registry(
    "instrument", "audit.instruments", group="audit.instruments", declared_as="INSTRUMENT", error=ModelError
)
"""The factories of instruments."""
_PACKAGE: Final = f"{__package__.partition('.')[0]}."
DETECTOR: Final = "yunet"
"""The default detector."""


def available() -> dict[str, str]:
    """Names of instruments with a one-line summary: the built-in ones, then those of installed packages.

    Examples
    --------
    >>> list(available())[:3]
    ['auto', 'deepface', 'embedded']
    """
    return INSTRUMENTS.available()


def instrument(
    name: str = "auto",
    *,
    similarity: Sequence[str] = SIMILARITY,
    detector: str = DETECTOR,
    allow_download: bool = False,
    device: str | None = None,
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
    detector : str
        Which detector finds the faces; see ``audit list detectors``.
    allow_download : bool
        Whether DeepFace may download its weights; without it nothing ever reaches the network.
    device : str, optional
        Where it computes, passed to a third-party instrument that has the keyword argument ``device``. The shipped
        instruments compute on the CPU and take none.
    **options
        Passed on: ``attributes``, ``mirrored``, ``threads`` and ``remember`` of
        :class:`audit.instruments.reader.DeepFaceInstrument`. A third-party instrument receives every option that was
        given, and ``similarity``, ``detector`` and ``allow_download`` where they are not the default.

    Raises
    ------
    ModelError
        If there is no such instrument, it cannot be built, or it takes no such option or no device.
    PlanError
        If ``device`` is not the name of a device.

    Examples
    --------
    >>> import numpy as np
    >>> reader = instrument("embedded", similarity=["FaceRes"])
    >>> reader.read([np.full((64, 64, 3), 255, np.uint8)])[0].status
    'no_face'
    """
    asked = {"similarity": tuple(similarity), "detector": detector, "allow_download": allow_download}
    defaults = {"similarity": SIMILARITY, "detector": DETECTOR, "allow_download": False}
    given = {key: value for key, value in asked.items() if value != defaults[key]} | options
    built = INSTRUMENTS.create(name, with_device(INSTRUMENTS, name, given, device))
    if not isinstance(built, Instrument):
        raise ModelError(
            f"Instrument {name!r} made a {type(built).__name__}.",
            "An object with name, similarity_models, read and describe (audit.instruments.protocol.Instrument).",
        )
    refuse_borrowed_name(built)
    return built


def refuse_borrowed_name(instrument: Instrument) -> None:
    """Refuse an instrument that has the name of a shipped one and is not of this package.

    A name is what a policy's ``instrument.allowed`` compares. An instrument may still cheat in other ways: only a pin
    of its code and weights says which one it is.

    Raises
    ------
    ModelError
        If the class of the instrument is defined outside of this package.
    """
    kind = type(instrument)
    if {*instrument.name.split("+")} & {*INSTRUMENTS.shipped} and not kind.__module__.startswith(_PACKAGE):
        raise ModelError(
            f"The instrument {kind.__module__}:{kind.__qualname__} calls itself {instrument.name!r}, which is the name "
            "of a shipped instrument.",
            "a name of its own",
            "Change its property name.",
        )
