"""VGG1200-Races: an annotated race of 1,199 identities of VGGFace2."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts.importing.metadata import read_metadata
from audit.cohorts.importing.public_labels import LabelSource, as_groups

GROUPS = {"African": "black", "Asian": "asian", "Caucasian": "white", "Indian": "indian"}


def read(path: Path) -> pd.DataFrame:
    """The file ``VGGFace2_1200_Train_Subjects_Metadata.csv``: one row for each identity."""
    table = read_metadata(path, {"Class_ID": "id", "Race": "group"}, {"Gender": "gender"})
    return as_groups(table, GROUPS, path.name)


SOURCE = LabelSource(
    name="vgg1200",
    summary="VGG1200-Races: race of 1,199 VGGFace2 identities (African, Asian, Caucasian, Indian)",
    ids="vggface2",
    source="annotator",
    maker="annotators of Durham University looked at pictures; their number and agreement are not stated",
    read=read,
)
