"""The cohorts that ship with the package."""

from __future__ import annotations

from pathlib import Path

from audit.core.errors import CohortError

_HERE = Path(__file__).parent
_PLACES = (_HERE / "data", _HERE.parent.parent / "datasets")
"""The cohorts are inside the package in an installed wheel, and in the root folder of a checkout."""


def embedded_names() -> list[str]:
    """The names of the embedded cohorts.

    Examples
    --------
    >>> "synthetic_bilingual" in embedded_names()
    True
    """
    return sorted({path.parent.name for place in _PLACES for path in place.glob("*/speakers.csv")})


def embedded(name: str) -> Path:
    """The folder of an embedded cohort.

    Raises
    ------
    CohortError
        If there is no such cohort.
    """
    for place in _PLACES:
        if (place / name / "speakers.csv").is_file():
            return place / name
    raise CohortError([f"There is no embedded cohort {name!r}."], ", ".join(embedded_names()) or "none is installed")
