"""Aggregation of clips to speakers, the sampling unit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.stats.clusters import Sharing
from audit.stats.settings import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Made = TypeVar("_Made")
SpeakerIds = Sequence[Hashable] | NDArray[Any] | pd.Series | pd.Categorical | pd.Index


@dataclass(frozen=True)
class SpeakerSums:
    """Sums per speaker and cell.

    One entry is one speaker in one cell with at least one clip that was read or, with ``number``, several speakers
    with equal values. Entries are sorted by cell and value, never by name or row, so that results depend only on the
    observed values.

    Attributes
    ----------
    cell, total, clips : arrays of shape (entries,)
        Index of the cell, from 0; sum of the values over the speaker's clips; number of these clips, at least 1.
    missing : int array of shape (cells,)
        Number of clips of each cell that could not be read.
    weight, number : arrays of shape (entries,), optional
        Sampling weights, by default those of the settings' estimand; number of speakers of each entry, by default 1.
    sharing : Sharing, optional
        Clusters that speakers share; ``None`` where speakers are independent.
    """

    cell: Ints
    total: Floats
    clips: Ints
    missing: Ints
    weight: Floats | None = None
    number: Ints | None = None
    sharing: Sharing | None = None

    @property
    def n_cells(self) -> int:
        """Number of cells, including those without a speaker."""
        return len(self.missing)

    @property
    def mean(self) -> Floats:
        """Each entry's mean over its clips."""
        return self.total / self.clips

    def sum(self, weights: Floats | Ints | None = None) -> Floats:
        """Sum of ``weights`` (ones if None) over the speakers of each cell, as floats of shape (cells,)."""
        # bincount adds the entries in order: the same bits on every machine
        if self.number is not None:
            weights = self.number if weights is None else weights * self.number
        return np.bincount(self.cell, weights, minlength=self.n_cells).astype(np.float64)

    def once(self, name: Hashable, make: Callable[[], _Made]) -> _Made:
        """What ``make`` computes from these sums, kept by name: intervals at many confidences need it."""
        kept: dict[Hashable, _Made] = vars(self).setdefault("_once", {})
        if name not in kept:
            kept[name] = make()
        return kept[name]

    def macro_average(self) -> Floats:
        """Mean over the speakers of each cell, every speaker with the same weight."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.sum(self.mean) / self.sum()

    def singly(self, i: int, *columns: Floats) -> tuple[Floats, ...]:
        """Columns of the entries of one cell, repeated to one row per speaker."""
        of = self.cell == i
        times = 1 if self.number is None else self.number[of]
        return tuple(np.repeat(column[of], times) for column in columns)

    @classmethod
    def joined(cls, parts: Sequence[SpeakerSums]) -> SpeakerSums:
        """Concatenate the cells of several sums."""
        offsets = np.cumsum([0, *(part.n_cells for part in parts)])
        cell = np.concatenate([part.cell + offset for part, offset in zip(parts, offsets[:-1], strict=True)])
        total, clips, missing = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("total", "clips", "missing")
        )
        shared = [part.sharing for part in parts if part.sharing is not None]
        sharing = Sharing.joined(shared) if shared and len(shared) == len(parts) else None
        weighted = [part.weight for part in parts if part.weight is not None]
        weight = np.concatenate(weighted) if weighted and len(weighted) == len(parts) else None
        if all(part.number is None for part in parts):
            return cls(cell, total, clips, missing, weight, sharing=sharing)
        each = [np.ones(len(part.cell), np.int64) if part.number is None else part.number for part in parts]
        return cls(cell, total, clips, missing, weight, np.concatenate(each), sharing)

    def only(self, cells: NDArray[np.bool_]) -> SpeakerSums:
        """The chosen cells, renumbered in order."""
        of = cells[self.cell]
        weight = None if self.weight is None else self.weight[of]
        number = None if self.number is None else self.number[of]
        cell = (np.cumsum(cells) - 1)[self.cell[of]]
        sharing = None if self.sharing is None else self.sharing.only(cells)
        return SpeakerSums(cell, self.total[of], self.clips[of], self.missing[cells], weight, number, sharing)

    def one(self, i: int) -> SpeakerSums:
        """A single cell."""
        return self.only(np.arange(self.n_cells) == i)


def ids_of(speakers: SpeakerIds) -> NDArray[Any]:
    """Speakers' ids as a one-dimensional array: integers unchanged, all else as objects (tuples stay tuples)."""
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
    # pandas factorizes its own columns without making an object of every id
    codes = np.asarray(pd.factorize(speakers if labelled else ids_of(speakers))[0], dtype=np.int64)  # type: ignore[arg-type]  # one of several kinds
    if len(codes) != length:
        raise ValueError(f"{length} values but {len(codes)} speakers")
    if (codes < 0).any():
        raise ValueError("a speaker id is missing")
    return codes


def divided(columns: Sequence[tuple[Ints, list[object]]], length: int) -> tuple[list[tuple[object, ...]], Ints]:
    """The cells defined by columns (each from :func:`numbered`), in order, and the index of each row's cell.

    Examples
    --------
    >>> keys, number = divided([numbered(pd.Series([*"yxy"])), numbered(pd.Series([1, 1, 2]))], 3)
    >>> keys, number.tolist()
    ([('x', 1), ('y', 1), ('y', 2)], [1, 0, 2])
    """
    number = np.zeros(length, np.int64)
    keys: list[tuple[object, ...]] = [()] if length else []
    for codes, names in columns:
        joint, number = distinct(number * len(names) + codes, max(1, len(keys)) * len(names))
        keys = [(*keys[i // len(names)], names[i % len(names)]) for i in joint.tolist()]
    return keys, number


def numbered(column: pd.Series) -> tuple[Ints, list[object]]:
    """Index of each row's value, and the values that occur: categories in their order, all else sorted.

    Missing counts as a value and comes last.
    """
    labels = pd.Categorical(column)
    n = len(labels.categories)
    there, numbers = distinct(np.where(labels.codes < 0, n, labels.codes).astype(np.int64), n + 1)
    return numbers, np.append(labels.categories.to_numpy(object), np.nan)[there].tolist()


def distinct(numbers: Ints, n: int) -> tuple[Ints, Ints]:
    """The numbers below ``n`` that occur, and the position of each input among them."""
    if n > max(1024, 8 * len(numbers)):
        return np.unique(numbers, return_inverse=True)
    there = np.zeros(n, bool)
    there[numbers] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[numbers]


def checked_values(values: ArrayLike, kind: Kind) -> Floats:
    """Values as floats, NaN if missing; raises ValueError for infinities, and for rates outside [0, 1]."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        array = values.astype(np.float64)
    else:  # lists and nullable columns, where None and pd.NA mean missing
        array = np.asarray(pd.Series(values, dtype=object).to_numpy(dtype=np.float64, na_value=np.nan), np.float64)
    if array.ndim != 1:
        raise ValueError(f"values have {array.ndim} dimensions, one is allowed")
    if np.isinf(array).any():
        raise ValueError("a value is infinite")
    if kind == "rate" and ((array < 0) | (array > 1)).any():
        raise ValueError("a rate's value lies outside [0, 1]")
    return array


@dataclass(frozen=True)
class Reads:
    """Reads by row; a row is a clip, or all clips of one speaker with equal labels.

    Attributes
    ----------
    total : float array of shape (rows,)
        Sum of the values that were read.
    clips, missing : int arrays of shape (rows,)
        Number of clips that were read, and that could not be read.
    """

    total: Floats
    clips: Ints
    missing: Ints

    @classmethod
    def of(cls, values: Floats) -> Reads:
        """One row per clip; NaN marks a clip that was not read."""
        missing = np.isnan(values)
        return cls(np.where(missing, 0.0, values), (~missing).astype(np.int64), missing.astype(np.int64))

    @property
    def scale(self) -> float:
        """Factor that makes all totals integers: 1, or 1e6 as instruments round to six places; 0 if neither does."""
        for scale, slack in ((1.0, 0.0), (1e6, 1e-4)):
            scaled = self.total * scale
            if (np.abs(scaled - np.rint(scaled)) <= slack).all() and np.abs(scaled).sum() < 2.0**52:
                return scale
        return 0.0

    def where(self, chosen: NDArray[np.bool_]) -> Reads:
        """The chosen rows; all others without clips."""
        return Reads(self.total * chosen, self.clips * chosen, self.missing * chosen)


@dataclass(frozen=True)
class Standing:
    """Assignment of rows to speakers and cells, computed once for any number of value columns.

    Attributes
    ----------
    unit : int array of shape (rows,)
        Index of each row's unit (one speaker in one cell); the number of units for a row in no cell.
    speaker, cell : int arrays of shape (units,)
        Speaker and cell of each unit, sorted by cell, then speaker.
    n_cells : int
        Number of cells.
    cluster : int array of shape (rows,), optional
        Index of each row's cluster, where speakers share clusters.
    """

    unit: Ints
    speaker: Ints
    cell: Ints
    n_cells: int
    cluster: Ints | None = None

    @classmethod
    def of(cls, codes: Ints, cells: Ints | None = None, n_cells: int = 1, clusters: Ints | None = None) -> Standing:
        """Assign rows to units.

        Parameters
        ----------
        codes, cells : int arrays of shape (rows,)
            Indices of each row's speaker and cell (-1 for none; default 0).
        clusters : int array of shape (rows,), optional
            Index of each row's cluster, where speakers share clusters.

        Examples
        --------
        >>> standing = Standing.of(np.array([7, 7, 3]))
        >>> standing.speaker.tolist(), standing.unit.tolist()
        ([3, 7], [1, 1, 0])
        """
        n_codes = int(codes.max()) + 1 if len(codes) else 1
        if cells is None:
            cells = np.zeros(len(codes), np.int64)
        inside = cells >= 0
        keys, place = distinct((cells * n_codes + codes)[inside], n_cells * n_codes)
        unit = np.full(len(codes), len(keys), np.int64)
        unit[inside] = place
        return cls(unit, keys % n_codes, keys // n_codes, n_cells, clusters)

    def gathered(self, reads: Reads) -> Reads:
        """Sum the rows of each unit; rows in no cell are left out."""
        n = len(self.cell)
        clips, missing = (np.bincount(self.unit, of, n)[:n].astype(np.int64) for of in (reads.clips, reads.missing))
        scale = reads.scale
        if scale:
            # sums of integers are exact in any order
            total = np.bincount(self.unit, np.rint(reads.total * scale), n)[:n] / scale
            return Reads(np.asarray(total, np.float64), clips, missing)
        # sorted by value, so that sums do not depend on the order of rows
        order = np.argsort(reads.total, kind="stable")
        total = np.bincount(self.unit[order], reads.total[order], n)[:n].astype(np.float64)
        return Reads(total, clips, missing)

    def sums(self, reads: Reads, *, alike_as_one: bool = False) -> SpeakerSums:
        """Sums per speaker and cell; ``alike_as_one`` merges speakers with equal values into one entry."""
        found = self.gathered(reads)
        missing = np.bincount(self.cell, found.missing, minlength=self.n_cells).astype(np.int64)
        there = found.clips > 0
        number = np.ones(int(there.sum()), np.int64) if alike_as_one else None
        sums = sorted_sums(self.cell[there], found.total[there], found.clips[there], missing, number=number)
        if self.cluster is None:
            return sums
        return replace(sums, sharing=self.sharing(reads.total, reads.clips, found.clips, sums.macro_average()))

    def sharing(self, total: Floats, clips: Ints, of_unit: Ints, value: Floats) -> Sharing | None:
        """The design effect of the clusters that speakers share; ``None`` without clusters.

        ``total`` and ``clips`` are those of the rows, ``of_unit`` the clips of each unit and ``value`` the estimate of
        each cell: the mean over speakers, which is also used for clip averages.
        """
        if self.cluster is None:
            return None
        rows = np.flatnonzero((self.unit < len(self.cell)) & (clips > 0))
        unit = self.unit[rows]
        share = clips[rows] / of_unit[unit]
        influence = total[rows] / of_unit[unit] - share * value[self.cell[unit]]
        return Sharing.of(influence, share, unit, self.cluster[rows], self.cell, self.n_cells)


def speaker_sums(
    values: Floats, codes: Ints, cells: Ints | None = None, n_cells: int = 1, clusters: Ints | None = None
) -> SpeakerSums:
    """Sum clips per speaker and cell; NaN marks a clip that was not read, which only counts as missing.

    Examples
    --------
    >>> sums = speaker_sums(np.array([1.0, 0.0, np.nan, 1.0]), np.array([7, 7, 7, 3]))
    >>> sums.mean.tolist(), sums.clips.tolist(), sums.missing.tolist()
    ([0.5, 1.0], [2, 1], [1])
    """
    return Standing.of(codes, cells, n_cells, clusters).sums(Reads.of(values))


def sorted_sums(
    cell: Ints, total: Floats, clips: Ints, missing: Ints, *, weight: Floats | None = None, number: Ints | None = None
) -> SpeakerSums:
    """Sort entries into canonical order: by cell, then mean, then number of clips, then weight.

    With ``number`` (speakers per entry) and without weights, equal entries are merged.
    """
    if weight is not None:
        order = np.lexsort((weight, clips, total / clips, cell))
        return SpeakerSums(cell[order], total[order], clips[order], missing, weight[order])
    kinds = _kinds(total, clips)
    if kinds is None or len(missing) * len(kinds[1]) > 8 * len(total):
        order = np.lexsort((clips, total / clips, cell))
        cell, total, clips = cell[order], total[order], clips[order]
        if number is None or not len(order):
            return SpeakerSums(cell, total, clips, missing, number=number)
        new = (np.diff(cell) != 0) | (np.diff(total) != 0) | (np.diff(clips) != 0)
        starts = np.flatnonzero(np.append(True, new))
        number = np.add.reduceat(number[order], starts)
        return SpeakerSums(cell[starts], total[starts], clips[starts], missing, number=number)
    # few distinct entries: counting gives the same result faster than sorting
    kind, of_total, of_clips = kinds
    counts = np.bincount(cell * len(of_total) + kind, number, len(missing) * len(of_total)).astype(np.int64)
    kept = np.flatnonzero(counts)
    counts, cell, kind = counts[kept], kept // len(of_total), kept % len(of_total)
    if number is not None:
        return SpeakerSums(cell, of_total[kind], of_clips[kind], missing, number=counts)
    cell, kind = np.repeat(cell, counts), np.repeat(kind, counts)
    return SpeakerSums(cell, of_total[kind], of_clips[kind], missing)


def _kinds(total: Floats, clips: Ints) -> tuple[Ints, Floats, Ints] | None:
    """Kind of each entry, and total and clips of each kind in canonical order; None if there are too many kinds."""
    if not len(total) or not (total == np.rint(total)).all():
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
