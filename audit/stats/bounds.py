"""What a rate could be at the least and at the most, where something about the speakers is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from audit.stats.estimate import Estimate
from audit.stats.rates import estimates
from audit.stats.settings import Settings
from audit.stats.speakers import Floats, Ints, SpeakerIds, checked_values, codes_of, sorted_sums

_ROUNDING = 1e-12


class Bounds(NamedTuple):
    """The least and the most that a rate could be; each has its own sampling interval."""

    least: Estimate
    most: Estimate


@dataclass(frozen=True)
class Tally:
    """How often each speaker was read as is asked, cell by cell; an entry is a speaker in a cell, arrays of (entries,).

    Attributes
    ----------
    cell : int array
        Number of the cell, from 0.
    total : float array
        Sum of the values that were read.
    read, gaps : int arrays
        Clips that were read, and that were not.
    n_cells : int
        How many cells there are.
    """

    cell: Ints
    total: Floats
    read: Ints
    gaps: Ints
    n_cells: int

    @classmethod
    def of(cls, values: Floats, codes: Ints, cells: Ints | None = None, n_cells: int = 1) -> Tally:
        """Collect clips into speakers; NaN marks one that was not read.

        Examples
        --------
        >>> found = Tally.of(np.array([1.0, np.nan, 0.0]), np.array([4, 4, 2]))
        >>> found.total.tolist(), found.read.tolist(), found.gaps.tolist()
        ([0.0, 1.0], [1, 1], [0, 1])
        """
        there = ~np.isnan(values)
        n_codes = int(codes.max()) + 1 if len(codes) else 0
        unit = codes if cells is None else cells * n_codes + codes
        if not np.isin(values[there], (0, 1)).all():  # sums of fractions are subject to their order
            order = np.lexsort((values, unit))
            unit, values, there = unit[order], values[order], there[order]
        heard, read = (np.bincount(u, minlength=n_cells * n_codes) for u in (unit, unit[there]))
        total = np.bincount(unit[there], values[there], minlength=n_cells * n_codes).astype(np.float64)
        entry = np.flatnonzero(heard)
        cell = entry // max(n_codes, 1)
        return cls(cell, total[entry], read[entry], heard[entry] - read[entry], n_cells)

    def of_cell(self, number: int) -> Tally:
        """One cell alone."""
        mine = self.cell == number
        return Tally(np.zeros(int(mine.sum()), np.int64), self.total[mine], self.read[mine], self.gaps[mine], 1)


def bounds(values: ArrayLike, speakers: SpeakerIds, settings: Settings | None = None, *, name: str = "") -> Bounds:
    """What a rate could be at the least and at the most, whatever the missing clips would have shown (Manski 1990).

    Every missing clip is set to 0, then to 1; no assumption is made about why it is missing. Each bound has its own
    sampling interval, so ``(least.low, most.high)`` covers both kinds of ignorance. ``n_missing`` still counts the
    clips that were filled in; a speaker of whom no clip was read takes part here.

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
    """The bounds of :func:`bounds` for every cell at once; ``names`` seed the bootstrap, where there is one."""
    gaps = np.bincount(tally.cell, tally.gaps, minlength=tally.n_cells).astype(int).tolist()
    none_missing, sides = np.zeros(tally.n_cells, np.int64), []
    for filling in (0, 1):
        sums = sorted_sums(tally.cell, tally.total + filling * tally.gaps, tally.read + tally.gaps, none_missing)
        sides.append(
            [
                replace(
                    made,
                    n_clips=made.n_clips - missing,
                    n_missing=missing,
                    method=f"{made.method}; {missing} missing set to {filling}",
                )
                for made, missing in zip(estimates(sums, "rate", settings, names), gaps, strict=True)
            ]
        )
    return [Bounds(*pair) for pair in zip(*sides, strict=True)]


def unknown_bounds(known: Tally, unknown: Tally, settings: Settings, *, name: str = "") -> Bounds:
    """The least and the most that a group's rate could be, whoever of the speakers of unknown group belonged to it.

    Any of them may, or none. The bounds are sharp: speakers are added in the order of their means, lowest first for
    the least, for as long as that lowers the rate; no other choice among them gives a lower one. The sampling interval
    is that of the rate of those chosen, as if they were known to be of the group.

    Parameters
    ----------
    known, unknown : Tally
        Of one cell each, without a speaker in common: the group, and those whose group is not known. Clips that were
        not read are left out, and counted for the group.
    settings : Settings
        Of the statistics.
    name : str
        Seeds the bootstrap, where the settings ask for one.

    Examples
    --------
    >>> group = Tally.of(np.array([1.0, 0.0]), np.array([0, 1]))
    >>> others = Tally.of(np.array([1.0, 1.0, 0.0]), np.array([2, 3, 4]))
    >>> [round(bound.value, 3) for bound in unknown_bounds(group, others, Settings())]  # 1 of 3, and 3 of 4
    [0.333, 0.75]
    """
    group, others = _heard(known), _heard(unknown)
    (total, weight), (more, worth) = _weighing(group, settings), _weighing(others, settings)
    sides = []
    for sign in (1, -1):
        order = np.arange(len(more))[::sign]
        with np.errstate(invalid="ignore"):
            rates = (total.sum() + np.r_[0, np.cumsum(more[order])]) / (
                weight.sum() + np.r_[0, np.cumsum(worth[order])]
            )
        far = np.where(np.isnan(rates), np.inf, sign * rates)
        added = order[: int(np.argmax(far <= far.min() + _ROUNDING))]
        totals, clips = np.r_[group.total, others.total[added]], np.r_[group.read, others.read[added]]
        sums = sorted_sums(np.zeros(len(clips), np.int64), totals, clips, np.array([known.gaps.sum()]))
        made = estimates(sums, "rate", settings, [name])[0]
        sides.append(replace(made, method=f"{made.method}; {len(added)} of {len(more)} of unknown group added"))
    return Bounds(*sides)


def _heard(tally: Tally) -> Tally:
    """The speakers who were read, in the order of their means."""
    heard = np.flatnonzero(tally.read)
    total, read = tally.total[heard], tally.read[heard]
    order = heard[np.lexsort((read, total / read))]
    return Tally(tally.cell[order], tally.total[order], tally.read[order], tally.gaps[order], tally.n_cells)


def _weighing(heard: Tally, settings: Settings) -> tuple[Floats, Floats]:
    """Each speaker's weighted total and weight, as rates weigh them."""
    if settings.estimand == "clip":
        return heard.total, heard.read.astype(np.float64)
    return heard.total / heard.read, np.ones(len(heard.total))
