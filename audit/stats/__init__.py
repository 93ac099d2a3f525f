"""Statistics with the speaker as sampling unit; knows numbers and ids, no speech and no faces."""

from audit.stats.estimate import Estimate
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.pairs import PairedTest, difference, mcnemar, paired_difference, permutation
from audit.stats.power import Detectable, smallest_detectable
from audit.stats.rates import ALL, Bounds, bounds, cells, mean, rate
from audit.stats.resampling import Resamples, resample
from audit.stats.settings import LARGE, Settings
from audit.stats.verdict import Needed, Verdict, speakers_needed, verdict

__all__ = [
    "ALL",
    "LARGE",
    "Bounds",
    "Detectable",
    "Estimate",
    "Needed",
    "PairedTest",
    "Resamples",
    "Settings",
    "Verdict",
    "benjamini_hochberg",
    "bounds",
    "cells",
    "difference",
    "holm",
    "mcnemar",
    "mean",
    "paired_difference",
    "permutation",
    "rate",
    "resample",
    "smallest_detectable",
    "speakers_needed",
    "verdict",
]
