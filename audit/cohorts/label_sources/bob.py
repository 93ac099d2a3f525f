"""The protocol files of bob.bio.face for VGGFace2, with a race of every identity in the categories of the FBI."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts.importing.public_labels import LabelSource, as_groups
from audit.cohorts.texts import read_texts
from audit.core.errors import CohortError

GROUPS = {"A": "asian", "B": "black", "I": "indian", "W": "white|latino_hispanic", "U": "unknown", "N": "unknown"}
"""A includes Pacific Islanders, I includes American Indians, W includes Hispanic people; U and N are no race."""
ID = r"\b(n\d{6})\b"


def read(path: Path) -> pd.DataFrame:
    """A protocol file such as ``train_world.csv``: one row for each picture, with the columns gender and race.

    The identity (``n000012``) is taken from the columns whose values have the form of one, also as a part of a path.
    """
    table = read_texts(path)
    table = table.set_axis([str(name).strip().lower() for name in table], axis=1)
    if "race" not in table:
        raise CohortError([f"{path.name} has no column 'race'."], "a protocol file of bob.bio.face's VGG2 database")
    ids = pd.Series(pd.NA, index=table.index, dtype="string")
    for column in table.columns.drop("race"):
        ids = ids.fillna(table[column].str.extract(ID, expand=False).astype("string"))
    if ids.isna().all():
        raise CohortError([f"{path.name} names no identity of VGGFace2."], "a column with ids or paths such as n000012")
    of = table.reindex(columns=["race", "gender"], fill_value="").assign(id=ids.fillna("").astype(object))
    of = of.rename(columns={"race": "group"})
    return as_groups(of[of["id"] != ""].drop_duplicates(), GROUPS, path.name)


SOURCE = LabelSource(
    name="bob",
    summary="bob.bio.face: race of all 9,131 VGGFace2 identities (A, B, I, W, U, N); may be repeated",
    ids="vggface2",
    source="annotator",
    maker="Idiap, in the categories of the FBI's EBTS standard; who labelled is not stated",
    read=read,
)
