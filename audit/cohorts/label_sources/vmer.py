"""VMER: the ethnicity of the identities of VGGFace2, as files that the MIVIA laboratory gives on request."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts.importing.public_labels import LabelSource, as_groups
from audit.cohorts.texts import read_cells

GROUPS = {"1": "black", "2": "asian", "3": "white|latino_hispanic", "4": "indian"}
"""VMER's classes: African American, East Asian, Caucasian Latin, Asian Indian. The order is from memory."""


def read(path: Path) -> pd.DataFrame:
    """A file such as ``train.ethnicity_vmer.csv``: rows of identity and class (1 to 4), with or without a header."""
    table = read_cells(path).iloc[:, :2].set_axis(["id", "group"], axis=1)
    headed = not table["group"].iloc[0].isdigit()
    return as_groups(table.iloc[1:] if headed else table, GROUPS, path.name)


SOURCE = LabelSource(
    name="vmer",
    summary="VMER: ethnicity of 9,129 VGGFace2 identities (classes 1 to 4); may be repeated for train and test",
    ids="vggface2",
    source="annotator",
    maker="majority of annotators of several ethnicities who looked at pictures, as far as we know; not checked",
    read=read,
)
