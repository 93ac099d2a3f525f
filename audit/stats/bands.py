"""Bands of a number: intervals between readable edges with similar numbers of speakers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from audit.stats.regression import Floats, Ints

MOST_BANDS = 4
_SMALLEST = 0.6
"""Fewest speakers of a band, as a share of their number if all bands had the same."""


@dataclass(frozen=True)
class Bands:
    """Bands of a number, in ascending order.

    Attributes
    ----------
    edges : tuple of float
        The lower edge of every band but the first; a value on an edge belongs to the band above it.
    labels : tuple of str
        The bands in words, such as ``30 to 44``.
    number : int array of shape (clips,)
        The band of each clip; -1 where the value is NaN.
    """

    edges: tuple[float, ...]
    labels: tuple[str, ...]
    number: Ints


def bands(values: Floats, speakers: Ints, *, most: int = MOST_BANDS, min_speakers: int = 5) -> Bands:
    """Divide a number into bands at quantiles over speakers, with rounded edges.

    Every speaker has the same weight. Edges are rounded as far as every band keeps at least ``min_speakers`` speakers
    and 60 % of an equal share; if that is impossible there are fewer bands, or a single one. Equal values are never
    split. A speaker with clips in several bands counts in each.

    Parameters
    ----------
    values : float array of shape (clips,)
        The numbers, NaN where unknown.
    speakers : int array of shape (clips,)
        Number of each clip's speaker, from 0.
    most : int
        Largest number of bands.
    min_speakers : int
        Fewest speakers of a band.

    Examples
    --------
    >>> bands(np.arange(18.0, 66.0), np.arange(48)).labels
    ('up to 29', '30 to 39', '40 to 49', '50 and over')
    >>> bands(np.array([0.5] * 9), np.arange(9)).labels
    ('all',)
    """
    known = ~np.isnan(values)
    number = np.full(len(values), -1, np.int64)
    x, who = values[known], speakers[known]
    if not len(x):
        return Bands((), (), number)
    quantiles = weighted_quantiles(x, who, np.arange(1, 60) / 60)
    for n_bands in range(most, 1, -1):
        wanted = [float(quantiles[round(60 * i / n_bands) - 1]) for i in range(1, n_bands)]
        fewest = max(min_speakers, _SMALLEST * len(np.unique(who)) / n_bands)
        for edges in _rounded(wanted, x):
            found = np.searchsorted(edges, x, side="right")
            sizes = [len(np.unique(who[found == i])) for i in range(n_bands)]
            if min(sizes) >= fewest:
                number[known] = found
                return Bands(tuple(edges), _labels(edges, x), number)
    number[known] = 0
    return Bands((), ("all",), number)


def weighted_quantiles(values: Floats, speakers: Ints, levels: Floats) -> Floats:
    """Quantiles of clips' values, every speaker with the same weight: the smallest value with at least that share.

    Examples
    --------
    >>> weighted_quantiles(np.array([1.0, 1, 1, 5]), np.array([0, 0, 0, 1]), np.array([0.5, 0.6])).tolist()
    [1.0, 5.0]
    """
    order = np.argsort(values, kind="stable")
    weight = 1.0 / np.bincount(speakers)[speakers[order]]
    share = np.cumsum(weight) / weight.sum()
    return np.asarray(values[order][np.minimum(np.searchsorted(share, levels - 1e-12), len(values) - 1)])


def _rounded(wanted: list[float], values: Floats) -> list[list[float]]:
    """Edges near the wanted ones, from coarsely to finely rounded, all above the smallest value and different."""
    least, reach = float(values.min()), float(np.ptp(values))
    if reach <= 0:
        return []
    power, made = math.floor(math.log10(reach)), []
    for step in (factor * 10.0 ** (power - digits) for digits in range(4) for factor in (5.0, 2.0, 1.0)):
        edges = [float(f"{round(edge / step) * step:.12g}") for edge in wanted]
        made.append(edges)
    # where many values are equal the edge is the next larger value
    made.append([edge if edge > least else float(values[values > least].min()) for edge in wanted])
    return [edges for edges in made if edges[0] > least and all(low < high for low, high in pairwise(edges))]


def _labels(edges: list[float], values: Floats) -> tuple[str, ...]:
    """The bands between edges in words: of whole numbers with both ends, of others from an edge to below the next."""
    least, last = float(values.min()), f"{_text(edges[-1])} and over"
    if (values[values < edges[0]] == least).all():
        if len(edges) == 1:
            return (_text(least), f"above {_text(least)}")
        first = _text(least)
    else:
        first = ""
    if not all((part == np.rint(part)).all() for part in (values, np.array(edges))):
        middle = [f"{_text(low)} to below {_text(high)}" for low, high in pairwise(edges)]
        return (first or f"below {_text(edges[0])}", *middle, last)
    pairs = [(low, high - 1) for low, high in pairwise(edges)]
    middle = [_text(low) if low == high else f"{_text(low)} to {_text(high)}" for low, high in pairs]
    return (first or f"up to {_text(edges[0] - 1)}", *middle, last)


def _text(value: float) -> str:
    return f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")
