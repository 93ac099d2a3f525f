"""One figure at a time, from arrays: what the tests ask of the statistics that the package makes for many cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from audit.stats import Settings, paired
from audit.stats.groups import group_tests, ratios, spreads
from audit.stats.speakers import checked_values, codes_of, speaker_sums


def omnibus(values, speakers, groups, settings=None, *, kind="rate", name=""):
    """The test that no group differs."""
    sums, _ = _by_group(values, speakers, groups, kind)
    return group_tests(sums, sums.n_cells, kind, settings or Settings(), [name])[0]


def between_groups(values, speakers, groups, settings=None, *, kind="rate", name=""):
    """The spread between the groups."""
    sums, _ = _by_group(values, speakers, groups, kind)
    return spreads(sums, sums.n_cells, kind, settings or Settings(), [name])[0]


def group_ratios(values, speakers, groups, settings=None):
    """Each group's rate over the geometric mean, by group."""
    sums, names = _by_group(values, speakers, groups, "rate")
    return dict(zip(names, ratios(sums, sums.n_cells, settings or Settings())[: len(names)], strict=True))


def _by_group(values, speakers, groups, kind):
    array = checked_values(values, kind)
    where, names = pd.factorize(pd.Series(groups, dtype=object), sort=False)
    sums = speaker_sums(array, codes_of(speakers, len(array)), np.asarray(where, np.int64), max(len(names), 1))
    return sums, list(names)


def paired_difference(first, second, speakers, settings=None, **further):
    """The mean difference of speakers seen twice."""
    return paired(first, second, speakers, settings, **further).difference()


def permutation(first, second, speakers, settings=None, **further):
    """The sign-flip test of speakers seen twice."""
    return paired(first, second, speakers, settings, **further).permutation()


def mcnemar(first, second, speakers):
    """The exact test that as many speakers gain as lose (McNemar 1947), by scipy: a reference for the other test."""
    found = permutation(first, second, speakers, Settings(resamples=1))
    changed = found.gained + found.lost
    p = None if not found.n_speakers else binomtest(found.gained, changed).pvalue if changed else 1.0
    return replace(found, p=p, method="exact McNemar on speakers")
