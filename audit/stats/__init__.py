"""Statistics with the speaker as sampling unit; knows numbers and ids, no speech and no faces."""

from audit.stats.bounds import Bounds, Tally, bounds, missing_bounds, unknown_bounds
from audit.stats.estimate import Estimate
from audit.stats.misreading import TRANSFER, Corrected, Misreading
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.pairs import PairedTest, difference, mcnemar, paired_difference, permutation
from audit.stats.power import Detectable, smallest_detectable
from audit.stats.rates import ALL, cells, mean, rate
from audit.stats.settings import LARGE, Settings
from audit.stats.verdict import Needed, Verdict, speakers_needed, verdict

__all__ = [
    "ALL",
    "LARGE",
    "TRANSFER",
    "Bounds",
    "Corrected",
    "Detectable",
    "Estimate",
    "Misreading",
    "Needed",
    "PairedTest",
    "Settings",
    "Tally",
    "Verdict",
    "benjamini_hochberg",
    "bounds",
    "cells",
    "difference",
    "holm",
    "mcnemar",
    "mean",
    "missing_bounds",
    "paired_difference",
    "permutation",
    "rate",
    "smallest_detectable",
    "speakers_needed",
    "unknown_bounds",
    "verdict",
]
