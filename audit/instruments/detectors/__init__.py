"""Face detectors. Each is declared once, in a file of its own.

A third-party detector is a :class:`Detector` under an entry point in the group ``audit.detectors``, or named as
``module:name``.
"""

from __future__ import annotations

from typing import Final

from audit.core.errors import ModelError
from audit.core.registry import Registry
from audit.instruments.detectors.detector import Detector, Face, Find, Geometry, Pass

REGISTRY: Final = Registry(
    "detector", "audit.instruments.detectors", "audit.detectors", declared_as="DETECTOR", error=ModelError
)

__all__ = ["REGISTRY", "Detector", "Face", "Find", "Geometry", "Pass", "detector"]


def detector(name: str) -> Detector:
    """The detector of that name: of ``audit list detectors``, or ``module:name``.

    Raises
    ------
    ModelError
        If there is no such detector, or what is named is not one.

    Examples
    --------
    >>> detector("yunet").reads
    'the face with the largest product of box area and detection score'
    """
    if not isinstance(name, str):  # a plan may hold a list here
        raise ModelError(f"Detector {name!r}.", f"one name of {', '.join(REGISTRY.available())}")
    found = REGISTRY.get(name)
    if not isinstance(found, Detector):
        raise ModelError(
            f"The detector {name!r} is a {type(found).__name__}.", "an audit.instruments.detectors.Detector"
        )
    return found
