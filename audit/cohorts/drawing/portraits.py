"""Fictional portraits, drawn from the appearance model that the package ships.

The model holds statistics of many faces: means, and directions of variation. It was learnt from FairFace (Kärkkäinen &
Joo, WACV 2021; CC BY 4.0) and contains none of its pictures. datasets/synthetic_bilingual/build/FACES.md describes how
it was learnt and what was measured on its portraits. A drawn face has no race; an instrument reads it as something.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from audit.cohorts.drawing.appearance import AppearanceModel, read_appearance
from audit.cohorts.drawing.frame import Frame
from audit.cohorts.drawing.rendering import Regions, render
from audit.cohorts.drawing.speakers import AGES
from audit.core.arrays import Picture
from audit.core.errors import AuditError, did_you_mean

MODEL_FILE: Final = Path(__file__).parent / "appearance.npz"


def portrait(group: str, gender: str, age: float, seed: int) -> Picture:
    """A portrait of a fictional person.

    Parameters
    ----------
    group : {"asian", "indian", "black", "white"}
        The group whose statistics the portrait is drawn from.
    gender : {"woman", "man"}
        Likewise the gender.
    age : float
        Age in years, 18 to 75. The model was learnt from adults of 20 years or more: younger portraits are those of 20.
    seed : int
        Seed of everything that is random, 0 or more: who the person is, the background and the exposure. Portraits of
        one seed and different ages are one person at these ages.

    Returns
    -------
    ndarray
        Shape [224, 224, 3], uint8, RGB. The same arguments give the same bytes on one machine, whatever the number of
        threads; on another machine they may differ by rounding.

    Raises
    ------
    AuditError
        If the group, gender, age or seed is not one of those allowed.

    Examples
    --------
    >>> portrait("white", "woman", age=34, seed=1).shape
    (224, 224, 3)
    """
    model, regions = _model()
    groups, genders = (list(dict.fromkeys(key[place] for key in model.cells)) for place in (0, 1))
    for what, value, names in (("group", group, groups), ("gender", gender, genders)):
        if value not in names:
            hint = did_you_mean(value, names)
            raise AuditError(f"No portraits can be drawn of the {what} {value!r}{hint}.", ", ".join(names))
    if not AGES[0] <= age <= AGES[1]:
        raise AuditError(f"No portraits can be drawn of the age {age}.", f"{AGES[0]} to {AGES[1]} years")
    if seed < 0:
        raise AuditError(f"The seed of a portrait is {seed}.", "an integer of 0 or more")
    return render(model.cells[group, gender], regions, seed, age)


@lru_cache(maxsize=1)
def _model() -> tuple[AppearanceModel, Regions]:
    model = read_appearance(MODEL_FILE)
    return model, Regions(Frame(model.landmarks))
