"""Overlap of the covariates of a group with those of all others (positivity)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from audit.stats.regression import Floats, Ints, fitted

MOST_OUTSIDE = 1 / 3
"""Largest share of a group's speakers outside the range of the others."""
FEWEST_EFFECTIVE = 0.1
"""Smallest effective number of a group's speakers, as a share of their number."""


@dataclass(frozen=True)
class Overlap:
    """How much the covariates of a group overlap with those of the others.

    Attributes
    ----------
    outside : float or None
        Share of the group's speakers whose propensity lies outside the range of the others'.
    effective : float or None
        Kish's effective number of the group's speakers if they are weighted to the covariates of all speakers.
    reason : str
        Why the overlap is not enough; empty if it is.
    """

    outside: float | None
    effective: float | None
    reason: str = ""

    @property
    def enough(self) -> bool:
        """Whether a gap can be adjusted without extrapolation."""
        return not self.reason


def overlap(group: Ints, n_groups: int, speakers: Ints, columns: Floats, min_speakers: int) -> list[Overlap]:
    """The overlap of each group, from its propensity: the probability of the group by a speaker's mean covariates.

    The propensity is a logistic regression over speakers (Rosenbaum and Rubin 1983) on standardised columns, with a
    standard normal prior on the slopes: a value that no speaker of the group has does not make them infinite. A group
    has no overlap where more than a third of its speakers lie outside the range of the others (Dehejia and Wahba 1999),
    or where the weights ``1 / propensity`` leave an effective number of fewer than ``min_speakers`` speakers or 10 % of
    them.

    Parameters
    ----------
    group, speakers : int arrays of shape (clips,)
        Group, from 0, and speaker of each clip.
    n_groups : int
        Number of groups.
    columns : float array of shape (clips, columns)
        The covariates.
    min_speakers : int
        Smallest effective number.

    Examples
    --------
    >>> rng, group = np.random.default_rng(0), np.repeat([0, 1], 50)
    >>> same, apart = (rng.normal(shift * group)[:, None] for shift in (0, 20))
    >>> [overlap(group, 2, np.arange(100), x, 5)[1].enough for x in (same, apart)]
    [True, False]
    """
    # a speaker with clips in several groups counts in each
    first, place = np.unique(speakers * n_groups + group, return_index=True, return_inverse=True)[1:]
    of_speaker, n = group[first], np.bincount(place)
    means = np.column_stack([np.bincount(place, column) / n for column in columns.T]) if columns.shape[1] else None
    if means is None:
        return [Overlap(0.0, float((of_speaker == g).sum())) for g in range(n_groups)]
    # speakers with the mean of a category are rare enough to leave the design as it is
    design = np.column_stack([np.ones(len(first)), means[:, np.ptp(means, axis=0) > 0]])
    return [_of_group(of_speaker == g, design, min_speakers) for g in range(n_groups)]


def _of_group(inside: np.ndarray, design: Floats, min_speakers: int) -> Overlap:
    n = int(inside.sum())
    if not 0 < n < len(inside):
        return Overlap(None, None, "no overlap: there are no speakers to compare with")
    linear = design @ fitted(inside.astype(np.float64), design, np.ones(len(inside)), "rate", ridge=1.0)[0]
    low, high = linear[~inside].min(), linear[~inside].max()
    outside = float(np.mean((linear[inside] < low) | (linear[inside] > high)))
    weight = 1 / special.expit(linear[inside])
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    if outside > MOST_OUTSIDE:
        return Overlap(outside, effective, f"no overlap: {outside:.0%} of the speakers are outside the others' range")
    if effective < max(min_speakers, FEWEST_EFFECTIVE * n):
        return Overlap(outside, effective, f"no overlap: {n} speakers are worth {effective:.1f} by their weights")
    return Overlap(outside, effective)
