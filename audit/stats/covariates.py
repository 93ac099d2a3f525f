"""Covariates of a regression: standardised numbers with their squares, and indicators of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.stats.regression import Floats, Ints

Mask = NDArray[np.bool_]

FEWEST_KNOWN = 0.5
"""Share of the speakers for whom a covariate has to be known."""
FEWEST_DIFFERENT = 5
"""Fewest speakers of a category, and with another value of a number than the most frequent one."""
SPEAKERS_PER_COEFFICIENT = 15
"""Number of speakers for each coefficient from which on the squares of numbers are added."""
_REDUNDANT = 1e-6


@dataclass(frozen=True)
class Covariate:
    """One covariate of each clip: numbers, or codes of ``categories``; NaN where it is unknown."""

    name: str
    values: Floats
    categories: bool = False


@dataclass(frozen=True)
class Design:
    """The columns of some covariates.

    Attributes
    ----------
    columns : float array of shape (clips, columns)
        Numbers, standardised to mean 0 and standard deviation 1 over speakers, and indicators. 0 where unknown.
    complete : bool array of shape (clips,)
        The clips of known groups that have every covariate.
    used, unused : tuple of str
        The names of the covariates in the columns, and of those that most speakers lack, or that fewer than five have
        with another value than the most frequent one.
    squares : bool
        Whether the columns have the squares of numbers.
    determined : str
        Why a covariate cannot be told apart from the groups; empty if all can.
    """

    columns: Floats
    complete: Mask
    used: tuple[str, ...]
    unused: tuple[str, ...]
    squares: bool
    determined: str

    @property
    def words(self) -> str:
        """The covariates in words."""
        return ", ".join(self.used) + (" and the squares of numbers" if self.squares else "")

    @classmethod
    def of(cls, covariates: Sequence[Covariate], group: Ints, n_groups: int, speakers: Ints) -> Design:
        """The columns over the clips of known groups (not -1); every speaker has the same weight.

        Squares are added where there are at least 15 speakers for every coefficient. A column that others determine is
        left out. Categories of fewer than five speakers are one category, or unknown if they have fewer together.

        Examples
        --------
        >>> age = Covariate("age", np.array([20.0, 30, 40, 50, 60, 70, np.nan]))
        >>> found = Design.of([age], np.array([0, 0, 0, 1, 1, 1, 1]), 2, np.arange(7))
        >>> found.columns[:, 0].round(2).tolist(), found.complete.tolist()[-2:], found.squares
        ([-1.46, -0.88, -0.29, 0.29, 0.88, 1.46, 0.0], [True, False], False)
        """
        n = len(group)
        known_group = group >= 0
        n_speakers = len(np.unique(speakers[known_group]))
        chosen, unused = [], []
        for given in covariates:
            each = _without_rare(given, speakers, known_group) if given.categories else given
            known = known_group & ~np.isnan(each.values)
            few = len(np.unique(speakers[known])) < FEWEST_KNOWN * max(n_speakers, 1)
            if few or _varies_in(each.values[known], speakers[known]) < FEWEST_DIFFERENT:
                unused.append(each.name)
            else:
                chosen.append(each)
        complete = known_group.copy()
        for each in chosen:
            complete &= ~np.isnan(each.values)
        weights = _weights(speakers, complete)
        within = _Within(group, n_groups, weights, complete)
        numbers = sum(not each.categories for each in chosen)
        indicators = sum(len(np.unique(each.values[complete])) - 1 for each in chosen if each.categories)
        n_complete = len(np.unique(speakers[complete]))
        squares = n_complete >= SPEAKERS_PER_COEFFICIENT * (n_groups + 2 * numbers + indicators) and numbers > 0
        columns: list[Floats] = []
        used, determined = [], []
        for each in chosen:
            made = _columns(each, complete, weights, squares)
            if not made:
                unused.append(each.name)
                continue
            kept = [column for column in made if within.varies(column)]
            if not kept:
                determined.append(each.name)
                continue
            columns += [column for column in kept if within.adds(column)]
            used.append(each.name)
        reason = f"no overlap: every group has one value of {', '.join(determined)}" if determined else ""
        matrix = np.column_stack(columns) if columns else np.empty((n, 0))
        return cls(matrix, complete, tuple(used), tuple(unused), squares, reason)


def _without_rare(covariate: Covariate, speakers: Ints, rows: Mask) -> Covariate:
    """The covariate with its rare categories as one, or unknown if that is rare too."""
    values = covariate.values.copy()
    codes = np.unique(values[rows & ~np.isnan(values)])
    sizes = [len(np.unique(speakers[rows & (values == code)])) for code in codes]
    rare = np.isin(values, [code for code, n in zip(codes, sizes, strict=True) if n < FEWEST_DIFFERENT])
    values[rare] = -1.0 if len(np.unique(speakers[rows & rare])) >= FEWEST_DIFFERENT else np.nan
    return replace(covariate, values=values)


def _varies_in(values: Floats, speakers: Ints) -> int:
    """The number of speakers with another value than the most frequent one."""
    found, counts = np.unique(values, return_counts=True)
    return len(np.unique(speakers[values != found[np.argmax(counts)]])) if len(found) else 0


def _weights(speakers: Ints, rows: Mask) -> Floats:
    """Weights of clips by which every speaker has the weight 1; 0 outside ``rows``."""
    clips = np.bincount(speakers[rows], minlength=int(speakers.max(initial=-1)) + 1)
    return np.where(rows, 1.0 / np.maximum(clips[speakers], 1), 0.0)


def _columns(covariate: Covariate, rows: Mask, weights: Floats, squares: bool) -> list[Floats]:
    """The columns of one covariate; none if it does not vary."""
    if not rows.any():
        return []
    if covariate.categories:
        codes = np.unique(covariate.values[rows])
        return [np.where(rows & (covariate.values == code), 1.0, 0.0) for code in codes[1:]]
    values = np.where(rows, covariate.values, 0.0)
    mean = float(weights @ values / weights.sum())
    deviation = float(np.sqrt(weights @ (values - mean) ** 2 / weights.sum()))
    if not deviation > 1e-12 * max(1.0, abs(mean)):
        return []
    scaled = np.where(rows, (values - mean) / deviation, 0.0)
    return [scaled, np.where(rows, scaled**2 - 1, 0.0)] if squares else [scaled]


class _Within:
    """Columns without the means of the groups, and what each adds to those before."""

    def __init__(self, group: Ints, n_groups: int, weights: Floats, rows: Mask) -> None:
        self._group, self._n_groups = np.maximum(group, 0), n_groups
        self._weights, self._rows = weights, rows
        self._basis: list[Floats] = []

    def _centred(self, column: Floats) -> Floats:
        total = np.bincount(self._group, self._weights, self._n_groups)
        means = np.bincount(self._group, self._weights * column, self._n_groups) / np.maximum(total, 1e-300)
        return np.where(self._rows, np.sqrt(self._weights) * (column - means[self._group]), 0.0)

    def varies(self, column: Floats) -> bool:
        """Whether a column varies within some group."""
        return bool(np.linalg.norm(self._centred(column)) > _REDUNDANT * np.sqrt(self._weights.sum()))

    def adds(self, column: Floats) -> bool:
        """Whether a column is no combination of the groups and of those accepted before."""
        residual = self._centred(column)
        size = float(np.linalg.norm(residual))
        for before in self._basis:
            residual = residual - before * float(before @ residual)
        left = float(np.linalg.norm(residual))
        if left <= _REDUNDANT * size:
            return False
        self._basis.append(residual / left)
        return True
