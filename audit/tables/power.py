"""What a cohort of this size could show."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from audit.evidence import Evidence, Mask
from audit.stats import Detectable, Settings, smallest_detectable


def power(evidence: Evidence) -> pd.DataFrame:
    """The smallest difference that each comparison could be expected to find, by group."""
    rows = []
    everyone = len(evidence.cells().standing.speaker)
    english = evidence.where(english=True)
    for group in evidence.groups:
        own = evidence.where(group=group)
        n, bilingual = _count(evidence, own), _bilingual(evidence, own, english)
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


def _count(evidence: Evidence, mask: Mask) -> int:
    return len(np.unique(evidence.speakers[mask]))


def _bilingual(evidence: Evidence, mask: Mask, english: Mask) -> int:
    return len(np.intersect1d(evidence.speakers[mask & english], evidence.speakers[mask & ~english]))
