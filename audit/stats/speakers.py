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
_WORTH_COUNTING = 500

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
    """

    cell: Ints
    total: Floats
    clips: Ints
    missing: Ints

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


    @classmethod
    def joined(cls, parts: Sequence[SpeakerSums]) -> SpeakerSums:
        """The cells of several sums after one another, so that they are estimated in one go."""
        offsets = np.cumsum([0, *(part.n_cells for part in parts)])
        cell = np.concatenate([part.cell + offset for part, offset in zip(parts, offsets[:-1], strict=True)])
        total, clips, missing = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("total", "clips", "missing")
        )
        return cls(cell, total, clips, missing)

    def only(self, cells: NDArray[np.bool_]) -> SpeakerSums:
        """The chosen cells, numbered anew in their order."""
        chosen = cells[self.cell]
        number = np.cumsum(cells) - 1
        return SpeakerSums(number[self.cell[chosen]], self.total[chosen], self.clips[chosen], self.missing[cells])


def ids_of(speakers: SpeakerIds) -> NDArray[Any]:
    """Speakers' ids as one row: numbers and categories' numbers as they are, all else as objects, tuples kept whole."""
    if isinstance(speakers, np.ndarray) and speakers.dtype.kind in "iu":
        return speakers
    if isinstance(speakers, np.ndarray | pd.Series | pd.Categorical | pd.Index):
        return np.asarray(speakers, dtype=object)
    ids = np.empty(len(speakers), dtype=object)
    ids[:] = list(speakers)
    return ids


def codes_of(speakers: SpeakerIds, length: int) -> Ints:
    """Number the speakers from 0; raises ValueError for a missing id or a wrong length."""
    labelled = isinstance(speakers, pd.Series | pd.Categorical | pd.Index)
    # pandas numbers its own columns, categories and texts above all, without making an object of every id
    codes = np.asarray(pd.factorize(speakers if labelled else ids_of(speakers))[0], dtype=np.int64)  # type: ignore[arg-type, call-overload]  # whichever kind it is
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


@dataclass(frozen=True)
class Standing:
    """Which speaker stands in which cell: found once, for any number of columns of values.

    Attributes
    ----------
    unit : int array of shape (clips,)
        Number of each clip's unit, which is one speaker in one cell; -1 for a clip that is in no cell.
    speaker, cell, clips : int arrays of shape (units,)
        Whose unit it is, in which cell, and how many clips it has, read or not. Sorted by cell, then speaker.
    n_cells : int
        How many cells there are.
    """

    unit: Ints
    speaker: Ints
    cell: Ints
    clips: Ints
    n_cells: int

    @classmethod
    def of(cls, codes: Ints, cells: Ints | None = None, n_cells: int = 1) -> Standing:
        """Where everybody stands.

        Parameters
        ----------
        codes : int array of shape (clips,)
            Number of each clip's speaker.
        cells : int array of shape (clips,), optional
            Number of each clip's cell, -1 for none; all 0 if left out.
        n_cells : int
            How many cells there are.

        Examples
        --------
        >>> standing = Standing.of(np.array([7, 7, 3]))
        >>> standing.speaker.tolist(), standing.clips.tolist(), standing.unit.tolist()
        ([3, 7], [1, 2], [1, 1, 0])
        """
        n_codes = int(codes.max()) + 1 if len(codes) else 1
        key = codes if cells is None else cells * n_codes + codes
        inside = None if cells is None or not len(cells) or cells.min() >= 0 else cells >= 0
        held = key if inside is None else key[inside]
        if n_cells * n_codes <= max(1024, 8 * len(held)):
            counts = np.bincount(held, minlength=n_cells * n_codes)
            keys = np.flatnonzero(counts)
            place = np.empty(len(counts), np.int64)
            place[keys] = np.arange(len(keys))
            clips, unit = counts[keys].astype(np.int64), place[held]
        else:
            keys, unit, clips = np.unique(held, return_inverse=True, return_counts=True)
        if inside is not None:
            unit, held = np.full(len(codes), -1, np.int64), unit
            unit[inside] = held
        return cls(unit, keys % n_codes, keys // n_codes, clips, n_cells)

    def totals(self, values: Floats) -> tuple[Floats, Ints]:
        """Sum of each unit's values that were read, and how many these are; arrays of shape (units,)."""
        read = ~np.isnan(values) & (self.unit >= 0)
        unit, held = self.unit[read], values[read]
        if not (held == np.rint(held)).all():
            # in the order of the values, so that a sum is not subject to the rows' order; sums of whole numbers are not
            order = np.argsort(held, kind="stable")
            unit, held = unit[order], held[order]
        total = np.bincount(unit, held, minlength=len(self.cell)).astype(np.float64)
        return total, np.bincount(unit, minlength=len(self.cell)).astype(np.int64)

    def sums(self, values: Floats) -> SpeakerSums:
        """What each speaker contributes to each cell."""
        total, clips = self.totals(values)
        missing = np.bincount(self.cell, self.clips - clips, minlength=self.n_cells).astype(np.int64)
        there = clips > 0
        return sorted_sums(self.cell[there], total[there], clips[there], missing)


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
    return Standing.of(codes, cells, n_cells).sums(values)


def sorted_sums(cell: Ints, total: Floats, clips: Ints, missing: Ints) -> SpeakerSums:
    """Put entries into their canonical order: by cell, then mean, then number of clips."""
    kinds = _kinds(total, clips)
    if kinds is None or len(missing) * len(kinds[1]) > 8 * len(total):
        order = np.lexsort((clips, total / clips, cell))
        return SpeakerSums(cell[order], total[order], clips[order], missing)
    # entries of one kind are alike, so that counting them sorts them
    kind, of_total, of_clips = kinds
    counts = np.bincount(cell * len(of_total) + kind, minlength=len(missing) * len(of_total))
    held = np.flatnonzero(counts)
    counts = counts[held]
    of_cell, of_kind = held // len(of_total), held % len(of_total)
    return SpeakerSums(
        np.repeat(of_cell, counts), np.repeat(of_total[of_kind], counts), np.repeat(of_clips[of_kind], counts), missing
    )


def _kinds(total: Floats, clips: Ints) -> tuple[Ints, Floats, Ints] | None:
    """Each entry's kind, and every kind's total and clips, in canonical order; None where they are no few counts."""
    if len(total) < _WORTH_COUNTING or not (total == np.rint(total)).all():
        return None
    least, width = total.min(), int(clips.max()) + 1
    if (total.max() - least + 1) * width > len(total):
        return None
    code = (total - least).astype(np.int64) * width + clips
    there = np.flatnonzero(np.bincount(code))
    of_total, of_clips = there // width + least, there % width
    order = np.lexsort((of_clips, of_total / of_clips))
    place = np.empty(int(there[-1]) + 1, np.int64)
    place[there[order]] = np.arange(len(there))
    return place[code], of_total[order], of_clips[order]
