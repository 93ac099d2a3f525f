"""Worst-case (Manski) bounds of a rate, for missing clips and for speakers of unknown group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from audit.stats.estimate import Estimate
from audit.stats.rates import estimates, weighing
from audit.stats.settings import Settings
from audit.stats.speakers import (
    Floats,
    Ints,
    Reads,
    SpeakerIds,
    SpeakerSums,
    Standing,
    checked_values,
    codes_of,
    sorted_sums,
)

_ROUNDING = 1e-12


class Bounds(NamedTuple):
    """Lower and upper bound of a rate, each with its sampling interval."""

    least: Estimate
    most: Estimate


@dataclass(frozen=True)
class Tally:
    """Sums and counts per speaker and cell; arrays of shape (entries,), one entry per speaker in a cell.

    Attributes
    ----------
    cell : int array
        Index of the cell, from 0.
    total : float array
        Sum of the values that were read.
    read, missing : int arrays
        Number of clips that were read, and that were not.
    n_cells : int
        Number of cells.
    """

    cell: Ints
    total: Floats
    read: Ints
    missing: Ints
    n_cells: int

    @classmethod
    def of(cls, values: Floats, codes: Ints, cells: Ints | None = None, n_cells: int = 1) -> Tally:
        """Sum clips per speaker; NaN marks a clip that was not read.

        Examples
        --------
        >>> found = Tally.of(np.array([1.0, np.nan, 0.0]), np.array([4, 4, 2]))
        >>> found.total.tolist(), found.read.tolist(), found.missing.tolist()
        ([0.0, 1.0], [1, 1], [0, 1])
        """
        standing = Standing.of(codes, cells, n_cells)
        reads = standing.gathered(Reads.of(values))
        return cls(standing.cell, reads.total, reads.clips, reads.missing, n_cells)

    def of_cell(self, number: int) -> Tally:
        """The tally of one cell."""
        return self._chosen(np.flatnonzero(self.cell == number))

    def _chosen(self, rows: Ints) -> Tally:
        """Some entries of one cell."""
        return Tally(np.zeros(len(rows), np.int64), self.total[rows], self.read[rows], self.missing[rows], 1)


def bounds(values: ArrayLike, speakers: SpeakerIds, settings: Settings | None = None, *, name: str = "") -> Bounds:
    """Worst-case bounds of a rate over all values that its missing clips could have (Manski 1990).

    Every missing clip is set to 0, then to 1; no assumption is made about why it is missing. Each bound has a sampling
    interval, so ``(least.low, most.high)`` covers both sources of uncertainty. ``n_missing`` still counts the clips
    that were filled in. A speaker without a readable clip is included.

    Examples
    --------
    >>> found = bounds([1, 0, None, 1, 1], ["a", "b", "c", "d", "e"])
    >>> found.least.value, found.most.value, found.most.n_missing
    (0.6, 0.8, 1)
    """
    array = checked_values(values, "rate")
    tally = Tally.of(array, codes_of(speakers, len(array)))
    return missing_bounds(tally, settings or Settings(), [name])[0]


def missing_bounds(tally: Tally, settings: Settings, names: Sequence[str]) -> list[Bounds]:
    """:func:`bounds` for every cell at once; ``names`` seed the bootstrap, if the settings ask for one."""
    n_missing = np.bincount(tally.cell, tally.missing, minlength=tally.n_cells).astype(int).tolist()
    none_missing, sides = np.zeros(tally.n_cells, np.int64), []
    for filling in (0, 1):
        total = tally.total + filling * tally.missing
        sums = sorted_sums(tally.cell, total, tally.read + tally.missing, none_missing)
        found = []
        for made, missing in zip(estimates(sums, "rate", settings, names), n_missing, strict=True):
            method = f"{made.method}; {missing} missing set to {filling}"
            found.append(replace(made, n_clips=made.n_clips - missing, n_missing=missing, method=method))
        sides.append(found)
    return [Bounds(*pair) for pair in zip(*sides, strict=True)]


def unknown_group_bounds(
    known: Tally, unknown: Tally, settings: Settings, *, name: str = "", whose: str = "of unknown group"
) -> Bounds:
    """Worst-case bounds of a group's rate over all ways to assign the speakers of unknown group.

    Any of these speakers may belong to the group. The bounds are sharp: for the lower bound speakers are added in
    increasing order of their means as long as that lowers the rate, and no other subset gives a lower rate. The
    sampling interval is that of the group with the added speakers, as if their group were known.

    Parameters
    ----------
    known, unknown : Tally
        One cell each, of different speakers: the group, and the speakers of unknown group. Clips that were not read
        are left out; those of the group count as missing.
    settings, name
        As :func:`rate`.
    whose : str
        Describes the speakers who may belong to the group, for the method.

    Examples
    --------
    >>> group = Tally.of(np.array([1.0, 0.0]), np.array([0, 1]))
    >>> others = Tally.of(np.array([1.0, 1.0, 0.0]), np.array([2, 3, 4]))
    >>> [round(bound.value, 3) for bound in unknown_group_bounds(group, others, Settings())]  # 1 of 3, and 3 of 4
    [0.333, 0.75]
    """
    group, others = _readable(known), _readable(unknown)
    (total, weight), (other_total, other_weight) = (
        weighing(SpeakerSums(of.cell, of.total, of.read, np.zeros(1, np.int64)), settings) for of in (group, others)
    )
    sides = []
    for sign in (1, -1):
        order = np.arange(len(other_total))[::sign]
        with np.errstate(invalid="ignore"):
            rates = (total.sum() + np.r_[0, np.cumsum(other_total[order])]) / (
                weight.sum() + np.r_[0, np.cumsum(other_weight[order])]
            )
        signed = np.where(np.isnan(rates), np.inf, sign * rates)
        added = order[: int(np.argmax(signed <= signed.min() + _ROUNDING))]
        totals, clips = np.r_[group.total, others.total[added]], np.r_[group.read, others.read[added]]
        sums = sorted_sums(np.zeros(len(clips), np.int64), totals, clips, np.array([known.missing.sum()]))
        made = estimates(sums, "rate", settings, [name])[0]
        method = f"{made.method}; {len(added)} of {len(others.total)} speakers {whose} added"
        sides.append(replace(made, method=method))
    return Bounds(*sides)


def _readable(tally: Tally) -> Tally:
    """The speakers with at least one clip that was read, sorted by mean."""
    rows = np.flatnonzero(tally.read)
    total, read = tally.total[rows], tally.read[rows]
    return tally._chosen(rows[np.lexsort((read, total / read))])
