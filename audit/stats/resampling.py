"""One bootstrap over speakers for every cell at once: intervals of any function of the cells' values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from audit.stats.bootstrap import BootstrapRule
from audit.stats.estimate import Estimate
from audit.stats.rates import shortened
from audit.stats.settings import LARGE, Settings
from audit.stats.speakers import Floats, Ints, Reads, Standing, checked_values, codes_of, divided, numbered

_CHUNK = 250_000
"""So many weights are held at a time: what the processor's own memory takes."""
_FEW = 16
"""Where this many speakers share a pattern on average, the patterns are drawn, not the speakers."""
_WEIGHTS = bytes(np.repeat(np.arange(6), [94, 95, 46, 16, 4, 1]).astype(np.uint8))
"""The weight that each of 256 equally likely bytes stands for: Poisson's with mean 1, to the nearest 1/256, rounded so
that mean and variance are exactly 1."""


@dataclass(frozen=True)
class Resamples:
    """The figures of all cells in each of many resamples of the speakers.

    Attributes
    ----------
    cells : DataFrame
        One row a figure: ``metric``, the columns that divide, value, n_speakers, n_clips, n_missing.
    draws : float array of shape (resamples, figures)
        The same figures in each resample; NaN where nobody of the cell was drawn.
    acceleration : float array of shape (figures,)
        For BCa intervals: a sixth of the skewness of the speakers' influence.
    settings : Settings
        How they were drawn.
    method : str
        The same in words.
    """

    cells: pd.DataFrame
    draws: Floats
    acceleration: Floats
    settings: Settings
    method: str

    def intervals(self, rule: BootstrapRule = "percentile") -> pd.DataFrame:
        """The cells with the interval of each: percentile, or BCa (Efron 1987); none below 30 speakers.

        Returns
        -------
        DataFrame
            The rows of :attr:`cells`, with ``low``, ``high`` and ``method``.
        """
        value, speakers = self.cells["value"].to_numpy(np.float64), self.cells["n_speakers"].to_numpy()
        enough = speakers >= LARGE
        levels = np.broadcast_to([[self.settings.tail], [1 - self.settings.tail]], (2, len(value)))
        if rule == "bca":
            levels = _bca_levels(self.draws, value, self.acceleration, self.settings.tail)
        low, high = _quantiles(self.draws[:, enough], levels[:, enough])
        ends = np.full((2, len(value)), np.nan)
        ends[:, enough] = np.minimum(low, value[enough]), np.maximum(high, value[enough])
        ends = np.array([[shortened(end) for end in row] for row in ends], np.float64).reshape(2, -1)
        told = [
            f"{rule} {self.method} of {n} speakers" if n >= LARGE else f"no bootstrap: {n} speakers, {LARGE} needed"
            for n in speakers
        ]
        return self.cells.assign(low=ends[0], high=ends[1], method=told)

    def of(self, chosen: NDArray[np.bool_]) -> Resamples:
        """The same draw, with the chosen figures only: a mask over the rows of :attr:`cells`."""
        cells = self.cells[chosen].reset_index(drop=True)
        return replace(self, cells=cells, draws=self.draws[:, chosen], acceleration=self.acceleration[chosen])

    def estimate(self, function: Callable[[Floats], Floats]) -> Estimate:
        """Any figure made of the cells' values, with its percentile interval.

        Parameters
        ----------
        function : callable
            Takes values of shape (..., figures), in the order of :attr:`cells`, and gives one of shape (...): a
            difference, a ratio, the worst group.

        Returns
        -------
        Estimate
            ``n_speakers`` counts a speaker in each cell and metric anew. Without an interval where a cell has fewer
            than 30 speakers: leave it out by :meth:`of`.

        Examples
        --------
        >>> clips = pd.DataFrame({"speaker_id": range(90), "group": [*"xyz"] * 30, "white": [0, 1, 1, 0, 0, 1] * 15})
        >>> found = resample(clips, ["group"], ["white"]).estimate(lambda v: v[..., 2] - v[..., 0])
        >>> found.value, found.low, found.high
        (1.0, 1.0, 1.0)
        """
        value = self.cells["value"].to_numpy(np.float64)
        few = self.cells["n_speakers"].to_numpy() < LARGE
        point = float(function(value))
        counts = (
            int(self.cells["n_speakers"].sum()),
            int(self.cells["n_clips"].sum()),
            int(self.cells["n_missing"].sum()),
        )
        if few.any() or np.isnan(point):
            return Estimate(
                shortened(point), None, None, *counts, f"no bootstrap: a cell has fewer than {LARGE} speakers"
            )
        low, high = np.quantile(function(self.draws), [self.settings.tail, 1 - self.settings.tail])
        ends = shortened(min(low, point)), shortened(max(high, point))
        return Estimate(shortened(point), *ends, *counts, f"percentile {self.method}")


def resample(
    frame: pd.DataFrame,
    by: Sequence[str],
    values: Sequence[str],
    *,
    speaker: str = "speaker_id",
    settings: Settings | None = None,
) -> Resamples:
    """Resample the speakers once, for all cells and metrics together.

    A speaker who stands in several cells (languages) is drawn for all of them at once, so that differences between
    cells have the uncertainty they should. Where few patterns of numbers are shared by many speakers, a resample is one
    multinomial draw over the patterns (the ordinary bootstrap; Efron 1979); otherwise every speaker gets a weight of
    mean and variance 1 that is Poisson's to the nearest 1/256 (Hanley and MacGibbon 2006), and all figures are one
    sparse product.

    Parameters
    ----------
    frame : DataFrame
        One row a clip.
    by : sequence of str
        Columns whose combinations make the cells. Categories and whole numbers are taken as they are.
    values : sequence of str
        Columns of values, any finite numbers; NaN: not read.
    speaker : str
        Column of the speakers' ids.
    settings : Settings, optional
        ``resamples``, ``seed``, ``confidence`` and ``estimand``; the default settings if left out.

    Returns
    -------
    Resamples
        Depends on what was observed in all cells together, since the draw is one; neither on the order of rows nor on
        the speakers' names. The figures of :func:`cells` are made cell by cell, and depend on no other.

    Raises
    ------
    ValueError
        For an infinite value, a missing speaker id, or a column that is not there.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": range(80), "group": [*"xy"] * 40, "white": [0, 1, 1, 1] * 20})
    >>> found = resample(clips, ["group"], ["white"]).intervals()
    >>> found[["group", "value", "n_speakers"]].to_dict("list")
    {'group': ['x', 'y'], 'value': [0.5, 1.0], 'n_speakers': [40, 40]}
    """
    settings = settings or Settings()
    absent = [column for column in (*by, *values, speaker) if column not in frame.columns]
    if absent:
        raise ValueError(f"the table has no column {', '.join(absent)}")
    keys, number = divided([numbered(frame[column]) for column in by], len(frame))
    standing = Standing.of(codes_of(frame[speaker], len(frame)), number, len(keys))
    reads = [standing.gathered(Reads.of(checked_values(frame[name].to_numpy(), "mean"))) for name in values]
    above, below = _fractions(reads, settings)
    people = _people(standing, np.concatenate([above, below]))
    # metrics of which the same clips were read share their denominator
    place = np.array([next(i for i in range(len(below)) if np.array_equal(below[i], row)) for row in below], np.int64)
    shared, place = np.unique(place, return_inverse=True)
    rows = np.concatenate([above, below[shared]])
    matrix = _matrix(people, rows, standing.cell, len(keys))
    at = np.arange(len(keys)) * len(rows)
    over, under = (np.add.outer(of, at).ravel() for of in (np.arange(len(values)), len(values) + place))

    def figures(weights: Floats) -> Floats:
        sums = np.asarray(matrix @ weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[over] / sums[under])

    value = figures(people.number[:, None].astype(np.float64))[:, 0]
    draws = np.empty((settings.resamples, len(value)))
    rng = settings.generator("resample/" + "/".join([*by, *values]))
    at_once = max(8, _CHUNK // max(1, len(people.number)))
    for start in range(0, settings.resamples, at_once):
        size = min(at_once, settings.resamples - start)
        draws[start : start + size] = figures(people.weights(size, rng)).T
    moved = above - below * value.reshape(len(values), -1)[:, standing.cell]
    cubes, squares = (_sums_by_cell(moved**power, standing, people.place) for power in (3, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        acceleration = np.where(squares > 0, cubes / (6 * squares**1.5), 0.0)
    return Resamples(_cells(keys, by, values, value, standing, reads), draws, acceleration, settings, people.method)


@dataclass(frozen=True)
class _People:
    """The speakers as they are drawn: in an order that their numbers alone decide, those alike together where few.

    ``unit`` says which units (of the standing) make the columns of the draw, ``column`` which column each belongs to,
    ``number`` how many speakers a column stands for, and ``place`` puts all units in the order of their speakers.
    """

    unit: Ints
    column: Ints
    number: Ints
    place: Ints
    method: str

    def weights(self, resamples: int, rng: np.random.Generator) -> Floats:
        """How often each column was drawn, shape (columns, resamples)."""
        n = int(self.number.sum())
        if len(self.number) < n:
            return rng.multinomial(n, self.number / n, size=resamples).T.astype(np.float64)
        drawn = rng.bytes(n * resamples).translate(_WEIGHTS)
        return np.frombuffer(drawn, np.uint8).reshape(n, resamples).astype(np.float64)


def _people(standing: Standing, numbers: Floats) -> _People:
    """Whoever was read in any metric; ``numbers`` are those of each unit, shape (numbers, units)."""
    code = np.zeros(len(standing.cell), np.uint64)
    for column in (standing.cell.astype(np.float64), *numbers):
        code = _mixed(code ^ (column + 0.0).view(np.uint64))  # + 0.0: minus nought is nought
    heard = np.flatnonzero(numbers.any(axis=0))
    by_speaker = heard[np.argsort(standing.speaker[heard], kind="stable")]
    starts = np.flatnonzero(np.diff(standing.speaker[by_speaker], prepend=-1))
    # a sum of such codes is the same in any order of the speaker's units; whole numbers that wrap around are exact
    digest = np.add.reduceat(code[by_speaker], starts) if len(starts) else code[:0]
    distinct, first, alike, number = np.unique(digest, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(alike, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    speaker = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(by_speaker))))
    place = by_speaker[np.argsort(rank[speaker], kind="stable")]
    if _FEW * len(distinct) > len(digest):
        return _People(by_speaker, rank[speaker], np.ones(len(digest), np.int64), place, "Poisson bootstrap")
    chosen = np.zeros(len(digest), bool)
    chosen[first] = True
    of = chosen[speaker]
    return _People(by_speaker[of], alike[speaker[of]], number.astype(np.int64), place, "bootstrap")


def _mixed(code: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): codes that differ in a bit differ in half of theirs."""
    code = code + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))


def _fractions(reads: Sequence[Reads], settings: Settings) -> tuple[Floats, Floats]:
    """What each unit adds to every metric's numerator and denominator; arrays of shape (metrics, units)."""
    total = np.array([each.total for each in reads])
    clips = np.array([each.clips for each in reads], np.float64)
    if settings.estimand == "clip":
        return total, clips
    return total / np.maximum(clips, 1), np.minimum(clips, 1)


def _matrix(people: _People, rows: Floats, cell: Ints, n_cells: int) -> sparse.csr_array:
    """Which column adds what to which sum; a cell's sums stand together, so that they need the same weights."""
    held = rows[:, people.unit]
    row = cell[people.unit] * len(rows) + np.arange(len(rows))[:, None]
    column = np.broadcast_to(people.column, held.shape)
    shape = (n_cells * len(rows), len(people.number))
    matrix = sparse.csr_array((held.ravel(), (row.ravel(), column.ravel())), shape=shape)
    matrix.sort_indices()  # the order of addition
    return matrix


def _sums_by_cell(numbers: Floats, standing: Standing, place: Ints) -> Floats:
    """Sum of each metric's numbers in each cell, one row of figures, added in the order of ``place``."""
    cell = standing.cell[place]
    return np.concatenate([np.bincount(cell, row[place], standing.n_cells) for row in numbers])


def _cells(
    keys: list[tuple[object, ...]],
    by: Sequence[str],
    values: Sequence[str],
    value: Floats,
    standing: Standing,
    reads: Sequence[Reads],
) -> pd.DataFrame:
    """One row a figure, metric by metric."""
    counted: dict[str, list[NDArray[Any]]] = {
        "n_speakers": [each.clips > 0 for each in reads],
        "n_clips": [each.clips for each in reads],
        "n_missing": [each.missing for each in reads],
    }
    counts = {
        name: np.concatenate([np.bincount(standing.cell, of, standing.n_cells) for of in each]).astype(np.int64)
        for name, each in counted.items()
    }
    labels = {name: [key[i] for key in keys] * len(values) for i, name in enumerate(by)}
    figures = {"value": np.array([shortened(each) for each in value], np.float64)}
    return pd.DataFrame({"metric": np.repeat(list(values), len(keys)), **labels, **figures, **counts})


def _bca_levels(draws: Floats, value: Floats, acceleration: Floats, tail: float) -> Floats:
    """Which quantiles of each column's draws are the ends of its BCa interval (Efron 1987, sections 2 and 6)."""
    close = np.abs(draws - value) <= 1e-12 * np.maximum(1.0, np.abs(value))
    below = np.mean((draws < value) & ~close, axis=0) + 0.5 * np.mean(close, axis=0)
    n = len(draws)
    bias = special.ndtri(np.clip(below, 1 / (n + 1), n / (n + 1)))
    shifted = bias + special.ndtri(np.array([[tail], [1 - tail]]))
    return np.asarray(special.ndtr(bias + shifted / (1 - acceleration * shifted)))


def _quantiles(draws: Floats, levels: Floats) -> Floats:
    """Quantiles of each column at its own levels, numpy's default kind; shape of ``levels``."""
    place = np.clip(levels, 0, 1) * (len(draws) - 1)
    floor = np.floor(place).astype(np.int64)
    ordered = np.sort(draws.T, axis=1)
    ends = [np.take_along_axis(ordered, np.minimum(floor + up, len(draws) - 1).T, axis=1).T for up in (0, 1)]
    return np.asarray(ends[0] + (place - floor) * (ends[1] - ends[0]))
