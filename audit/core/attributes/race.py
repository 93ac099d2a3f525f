"""Race, in DeepFace's labels: as read by an instrument, not a property of the face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from audit.core.attributes.attribute import Attribute, Floats, Number, Probed, Reads
from audit.core.metric import Metric
from audit.core.vocabulary import RACES, group_members

_OWN: Final = "read_own_group"


def _score(reads: Reads) -> Mapping[str, Floats]:
    """Whether each race was read, and whether it is one that the speaker's group allows."""
    import pandas as pd

    of_group, names = pd.factorize(reads.truth)
    # one row for each group, one column for each race, and a last column for a read that is none of them
    allowed = np.array([[race in group_members(name) for race in RACES] + [False] for name in names])
    judged = np.asarray(allowed.any(axis=1))[of_group]
    scores = {_OWN: np.where(reads.read & judged, allowed[of_group, reads.label], np.nan)}
    return scores | {f"read_{race}": reads.where_read(reads.label == i) for i, race in enumerate(RACES)}


ATTRIBUTE: Final = Attribute(
    name="race",
    summary="read race: six probabilities, in DeepFace's labels",
    labels=RACES,
    numbers=tuple(Number(race, low=0, high=1) for race in RACES),
    sums_to_one=True,
    truth="group",
    metrics=(
        Metric(_OWN, "rate", "read as the speaker's own group", worse="low", label="read as the own group"),
        *(Metric(f"read_{race}", "rate", f"read as {race.replace('_', ' ')}") for race in RACES),
    ),
    score=_score,
    probed=Probed(
        title="the read race",
        sentence="the face is read as another race in {}",
        margin=0.10,
        metrics=(
            Metric("read_white", "rate", "read as white"),
            Metric(_OWN, "rate", "read as the own group"),
        ),
        score=_score,
    ),
)
