"""Statistics with the speaker as sampling unit. Works on numbers and ids only, not on speech or faces."""

from audit.stats.bounds import Bounds, Tally, bounds, missing_bounds, unknown_group_bounds
from audit.stats.correlation import Correlation, correlation, correlations
from audit.stats.curves import Curve, p_value
from audit.stats.estimate import Estimate
from audit.stats.groups import GroupTest
from audit.stats.independent_groups import difference, difference_curve
from audit.stats.misclassification import TRANSFER, Corrected, Misclassification
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.pairs import PairedTest, Pairs, paired
from audit.stats.power import Detectable, smallest_detectable
from audit.stats.predicted import prediction_powered, prediction_powered_change
from audit.stats.rates import ALL, cells, figure_curve, mean, rate
from audit.stats.settings import LARGE, Settings
from audit.stats.verdict import Needed, Verdict, speakers_needed, verdict

__all__ = [
    "ALL",
    "LARGE",
    "TRANSFER",
    "Bounds",
    "Corrected",
    "Correlation",
    "Curve",
    "Detectable",
    "Estimate",
    "GroupTest",
    "Misclassification",
    "Needed",
    "PairedTest",
    "Pairs",
    "Settings",
    "Tally",
    "Verdict",
    "benjamini_hochberg",
    "bounds",
    "cells",
    "correlation",
    "correlations",
    "difference",
    "difference_curve",
    "figure_curve",
    "holm",
    "mean",
    "missing_bounds",
    "p_value",
    "paired",
    "prediction_powered",
    "prediction_powered_change",
    "rate",
    "smallest_detectable",
    "speakers_needed",
    "unknown_group_bounds",
    "verdict",
]
