"""What a cohort of this size could show."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from audit.evidence import Evidence
from audit.stats import Detectable, Settings, smallest_detectable


def power(evidence: Evidence) -> pd.DataFrame:
    """The smallest difference that each comparison could be expected to find, by group."""
    rows = []
    first, parts = evidence.parts
    english = evidence.where(english=True)[first]
    everyone = len(np.unique(parts.speaker))
    for group in evidence.groups:
        own = evidence.where(group=group)[first]
        n = len(np.unique(parts.speaker[own]))
        bilingual = len(np.intersect1d(parts.speaker[own & english], parts.speaker[own & ~english]))
        rest = everyone - n
        comparisons: tuple[tuple[str, Literal["paired", "unpaired"], int, int | None], ...] = (
            ("rendered against portrait, same speakers", "paired", n, None),
            ("English against another language, same speakers", "paired", bilingual, None),
            ("the group against all others", "unpaired", n, rest),
        )
        for comparison, design, number, other in comparisons:
            found = _detectable(number, design, other, evidence.settings)
            rows.append((comparison, group, number, found.size, found.method))
    return pd.DataFrame(rows, columns=["comparison", "group", "n_speakers", "smallest_detectable", "note"])


@cache
def _detectable(
    speakers: int, design: Literal["paired", "unpaired"], other: int | None, settings: Settings
) -> Detectable:
    return smallest_detectable(speakers, design=design, other_speakers=other, settings=settings)
