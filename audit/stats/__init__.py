"""Statistics with the speaker as sampling unit; knows numbers and ids, no speech and no faces."""

from audit.stats.correlation import Correlation, correlation, correlations
from audit.stats.estimate import Estimate
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.pairs import PairedTest, difference, mcnemar, paired_difference, permutation
from audit.stats.power import Detectable, smallest_detectable
from audit.stats.rates import ALL, Bounds, bounds, cells, mean, rate
from audit.stats.settings import LARGE, Settings
from audit.stats.verdict import Needed, Verdict, speakers_needed, verdict

__all__ = [
    "ALL",
    "LARGE",
    "Bounds",
    "Correlation",
    "Detectable",
    "Estimate",
    "Needed",
    "PairedTest",
    "Settings",
    "Verdict",
    "benjamini_hochberg",
    "bounds",
    "cells",
    "correlation",
    "correlations",
    "difference",
    "holm",
    "mcnemar",
    "mean",
    "paired_difference",
    "permutation",
    "rate",
    "smallest_detectable",
    "speakers_needed",
    "verdict",
]
