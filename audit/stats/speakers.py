"""From clips to speakers: the one place where rows become sampling units."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.stats.settings import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SpeakerIds = Sequence[Hashable] | NDArray[Any] | pd.Series | pd.Categorical | pd.Index


@dataclass(frozen=True)
class SpeakerSums:
    """What each speaker contributes to each cell, for all cells at once.

    One entry is one speaker in one cell with at least one clip that was read. Entries are sorted by cell, then by their
    numbers, never by name or row: whatever is computed from them depends only on what was observed.

    Attributes
    ----------
    cell : int array of shape (entries,)
        Number of the cell, from 0.
    total : float array of shape (entries,)
        Sum of the values over the speaker's clips.
    clips : int array of shape (entries,)
        How many clips that sum has, at least 1.
    missing : int array of shape (cells,)
        Clips of each cell that could not be read.
    weight : float array of shape (entries,), optional
        How much each entry weighs, where a sampling plan says so; without it the settings' estimand does.
    """

    cell: Ints
    total: Floats
    clips: Ints
    missing: Ints
    weight: Floats | None = None

    @property
    def n_cells(self) -> int:
        """Number of cells, those without any speaker included."""
        return len(self.missing)

    @property
    def mean(self) -> Floats:
        """Each entry's mean over its clips."""
        return self.total / self.clips

    def sum(self, weights: Floats | Ints | None = None) -> Floats:
        """Sum of ``weights`` (ones if None) over the entries of each cell, as floats of shape (cells,)."""
        # bincount adds one entry after the other, in the entries' order: the same bits on every machine
        return np.bincount(self.cell, weights, minlength=self.n_cells).astype(np.float64)


def ids_of(speakers: SpeakerIds) -> NDArray[Any]:
    """Speakers' ids as one row of objects, tuples kept whole."""
    if isinstance(speakers, np.ndarray | pd.Series | pd.Categorical | pd.Index):
        return np.asarray(speakers, dtype=object)
    ids = np.empty(len(speakers), dtype=object)
    ids[:] = list(speakers)
    return ids


def codes_of(speakers: SpeakerIds, length: int) -> Ints:
    """Number the speakers from 0; raises ValueError for a missing id or a wrong length."""
    codes = np.asarray(pd.factorize(ids_of(speakers))[0], dtype=np.int64)
    if len(codes) != length:
        raise ValueError(f"{length} values but {len(codes)} speakers")
    if (codes < 0).any():
        raise ValueError("a speaker id is missing")
    return codes


def checked_values(values: ArrayLike, kind: Kind) -> Floats:
    """Values as floats, NaN where missing; raises ValueError for infinities, and for rates outside [0, 1]."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        array = values.astype(np.float64)
    else:  # lists and nullable columns, where None and pd.NA stand for missing
        array = np.asarray(pd.Series(values, dtype=object).to_numpy(dtype=np.float64, na_value=np.nan), np.float64)
    if array.ndim != 1:
        raise ValueError(f"values have {array.ndim} dimensions, one is allowed")
    if np.isinf(array).any():
        raise ValueError("a value is infinite")
    if kind == "rate" and ((array < 0) | (array > 1)).any():
        raise ValueError("a rate's value lies outside [0, 1]")
    return array


def speaker_sums(values: Floats, codes: Ints, cells: Ints | None = None, n_cells: int = 1) -> SpeakerSums:
    """Collect clips into speakers, cell by cell.

    Parameters
    ----------
    values : float array of shape (clips,)
        NaN marks a clip that was not read: it is counted as missing and contributes nothing else.
    codes : int array of shape (clips,)
        Number of each clip's speaker.
    cells : int array of shape (clips,), optional
        Number of each clip's cell; all 0 if left out.
    n_cells : int
        How many cells there are.

    Examples
    --------
    >>> sums = speaker_sums(np.array([1.0, 0.0, np.nan, 1.0]), np.array([7, 7, 7, 3]))
    >>> sums.mean.tolist(), sums.clips.tolist(), sums.missing.tolist()
    ([0.5, 1.0], [2, 1], [1])
    """
    where = np.zeros(len(values), dtype=np.int64) if cells is None else cells
    read = ~np.isnan(values)
    missing = np.bincount(where[~read], minlength=n_cells).astype(np.int64)
    if not read.any():
        nothing = np.zeros(0, dtype=np.int64)
        return SpeakerSums(nothing, np.zeros(0), nothing, missing)
    unit = where[read] * (int(codes.max()) + 1) + codes[read]
    order = np.lexsort((values[read], unit))  # values too, so that a speaker's sum is not subject to the rows' order
    unit, sorted_values = unit[order], values[read][order]
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]])
    entry = np.cumsum(np.r_[False, unit[1:] != unit[:-1]])
    totals = np.bincount(entry, sorted_values).astype(np.float64)
    clips = np.diff(np.r_[starts, len(unit)]).astype(np.int64)
    return sorted_sums(where[read][order][starts], totals, clips, missing)


def sorted_sums(cell: Ints, total: Floats, clips: Ints, missing: Ints, weight: Floats | None = None) -> SpeakerSums:
    """Put entries into their canonical order: by cell, then mean, then number of clips, then weight."""
    keys = (clips, total / clips, cell)
    order = np.lexsort(keys if weight is None else (weight, *keys))
    return SpeakerSums(cell[order], total[order], clips[order], missing, None if weight is None else weight[order])
