"""How the clips of a run are divided, by speaker and by any columns; each division is found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.core.vocabulary import UNDETERMINED, UNKNOWN, group_members, ordered_groups
from audit.stats import ALL
from audit.stats.speakers import Standing, divided, numbered

Mask = NDArray[np.bool_]
PART = ("group", "language", "gender")
"""The labels by which a speaker's clips are put together before any figure is made."""


@dataclass(frozen=True)
class Cells:
    """A division of the clips, and who stands where in it.

    Attributes
    ----------
    keys : list of tuple
        What the clips of each cell have in common: one value for each column that divides them.
    clips : Standing
        Which clip is in which cell.
    parts : Standing or None
        Which of :attr:`Evidence.parts` is in which cell; None where the cells cut through them.
    """

    keys: list[tuple[object, ...]]
    clips: Standing
    parts: Standing | None

    @property
    def number(self) -> NDArray[np.int64]:
        """The cell of each clip, by its place among the keys."""
        return self.clips.cell[self.clips.unit]


@dataclass(frozen=True)
class Strata:
    """The clips of a run, and who stands where among them.

    Attributes
    ----------
    frame : DataFrame
        From :func:`audit.checks.metrics.metric_frame.metric_frame`.
    """

    frame: pd.DataFrame

    @cached_property
    def speakers(self) -> NDArray[np.int64]:
        """Whose clip each is, as numbers."""
        return self._numbered("speaker_id")[0]

    @cached_property
    def groups(self) -> list[str]:
        """The groups that can be judged, in the fixed order."""
        return [group for group in self.every_group if group != UNKNOWN]

    @cached_property
    def every_group(self) -> list[str]:
        """The groups, ``unknown`` too, in the fixed order."""
        return ordered_groups(map(str, self._numbered("group")[1]))

    @cached_property
    def known(self) -> Mask:
        """Which clips are of a speaker whose group is known."""
        return (self.frame["group"] != UNKNOWN).to_numpy()

    @cached_property
    def languages(self) -> list[str]:
        """The languages heard, by code."""
        return sorted(map(str, self._numbered("language")[1]))

    def cells(self, *columns: str) -> Cells:
        """The cells that some columns of the frame make, in the order of their values; found once."""
        if columns not in self._cells:
            keys, number = divided([self._numbered(column) for column in columns], len(self.frame))
            parts = None
            if set(columns) < set(PART):
                first, standing = self.parts
                parts = Standing.of(standing.speaker, number[first], len(keys))
            self._cells[columns] = Cells(keys, Standing.of(self.speakers, number, len(keys)), parts)
        return self._cells[columns]

    @cached_property
    def parts(self) -> tuple[NDArray[np.int64], Standing]:
        """The clips of one speaker that are alike in their labels: the first of each, and which clip is in which."""
        standing = self.cells(*PART).clips
        first = np.empty(len(standing.cell), np.int64)
        first[standing.unit[::-1]] = np.arange(len(self.frame))[::-1]
        return first, standing

    def every_cell(self, *columns: str) -> list[tuple[list[tuple[object, ...]], Cells]]:
        """The cells of every combination of some columns, each with keys that have ``all`` in the other columns."""
        made = []
        for size in range(len(columns) + 1):
            for chosen in combinations(columns, size):
                cells = self.cells(*chosen)
                named = [dict(zip(chosen, key, strict=True)) for key in cells.keys]
                made.append(([tuple(key.get(name, ALL) for name in columns) for key in named], cells))
        return made

    def _numbered(self, column: str) -> tuple[NDArray[np.int64], list[object]]:
        """The number of each clip's value in a column, and the values in order, missing ones last; found once."""
        if column not in self._numbers:
            self._numbers[column] = numbered(self.frame[column])
        return self._numbers[column]

    @cached_property
    def _numbers(self) -> dict[str, tuple[NDArray[np.int64], list[object]]]:
        return {}

    @cached_property
    def _cells(self) -> dict[tuple[str, ...], Cells]:
        return {}

    def where(
        self,
        *,
        group: str | None = None,
        race: str | None = None,
        but: str | None = None,
        language: str | None = None,
        english: bool | None = None,
    ) -> Mask:
        """Which clips are of a group, of any group that allows a race (but none that allows another), of a language, in
        English or in another that is known.
        """
        mask = np.ones(len(self.frame), bool)
        if group is not None:
            mask &= self._having("group").get(group, False)
        if race is not None:
            members = {name: group_members(name) for name in self._having("group")}
            allowed = [
                of for name, of in self._having("group").items() if race in members[name] and but not in members[name]
            ]
            mask &= np.any(allowed, axis=0) if allowed else False
        if language is not None:
            mask &= self._having("language").get(language, False)
        if english is not None:
            mask &= (self.frame["english"] == english).to_numpy()
            if not english:
                mask &= (self.frame["language"] != UNDETERMINED).to_numpy()
        return mask

    def _having(self, column: str) -> dict[str, Mask]:
        """Which clips have each of a column's values; found once."""
        if column not in self._values_of:
            numbers, names = self._numbered(column)
            self._values_of[column] = {str(name): numbers == i for i, name in enumerate(names)}
        return self._values_of[column]

    @cached_property
    def _values_of(self) -> dict[str, dict[str, Mask]]:
        return {}

    def by_group(self) -> list[tuple[str, Mask]]:
        """All clips, and those of each group, by name."""
        return [(ALL, self.where()), *((group, self.where(group=group)) for group in self.every_group)]

    def shared(self, first: Mask, second: Mask) -> int:
        """How many speakers stand in both parts."""
        return len(np.intersect1d(self.speakers[first], self.speakers[second]))
