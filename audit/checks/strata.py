"""Subsets of a run's clips, by speaker and by any columns; each is computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from itertools import combinations
from typing import Final, Self, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks.grouped import grouped
from audit.core.columns import CLUSTER
from audit.core.grouping import GROUP, Grouping
from audit.core.languages import UNDETERMINED, language_of
from audit.core.vocabulary import UNKNOWN, group_members, includes, ordered_groups
from audit.stats import ALL
from audit.stats.speakers import Standing, distinct, divided, numbered

Mask = NDArray[np.bool_]
_Method = TypeVar("_Method", bound=Callable[..., object])
PART = ("group", "language", "gender")
"""The labels by which a speaker's clips are grouped into parts, which are summed once for all estimates."""
_OF_COLUMNS: Final = frozenset({"speakers", "clusters", "shares_clusters", "languages", "spoken", "__numbered_of"})
"""What :class:`Strata` keeps in an instance that depends on columns of labels, but not on the grouping."""
_OF_LABELS: Final = _OF_COLUMNS | {"parts", "groups", "every_group", "n_speakers", "known", "strata", "_cells_of"}
"""What :class:`Strata` keeps in an instance that depends on columns of labels and the grouping only."""


def computed_once(method: _Method) -> _Method:
    """Keep a method's result in the instance for each of its arguments."""

    @wraps(method)
    def found(self: Strata, *args: object, **kwargs: object) -> object:
        kept, key = vars(self).setdefault(f"_{method.__name__}_of", {}), (args, *kwargs.items())
        if key not in kept:
            kept[key] = method(self, *args, **kwargs)
        return kept[key]

    return cast(_Method, found)


@dataclass(frozen=True)
class Cells:
    """A partition of the clips into cells.

    ``keys`` are the values of the dividing columns in each cell. ``clips`` has the cell of each clip, and ``parts``
    that of each of :attr:`Strata.parts`; it is ``None`` where a part lies in several cells. What is stored for each
    clip is made when it is first used: most estimates need parts only.
    """

    keys: list[tuple[object, ...]]
    numbers: Callable[[], NDArray[np.int64]]
    standing: Callable[[NDArray[np.int64]], Standing]
    parts: Standing | None

    @cached_property
    def clips(self) -> Standing:
        """The cell of each clip's speaker."""
        return self.standing(self.numbers())

    @property
    def number(self) -> NDArray[np.int64]:
        """The cell of each clip, as an index into ``keys``."""
        return self.numbers()

    @property
    def units(self) -> NDArray[np.int64]:
        """The cell of each unit, one speaker in one cell."""
        return (self.parts or self.clips).cell


@dataclass(frozen=True)
class Strata:
    """The clips of a run, from :func:`audit.checks.metrics.metric_frame.metric_frame`, and their subsets.

    Attributes
    ----------
    frame : DataFrame
        One row per clip.
    grouping : Grouping
        The columns whose values are the groups.
    order : Mapping of str to tuple of str
        The declared order of the categories of a column.
    values_of : Mapping of str to Mapping
        The values by column that define each group, in a grouping other than by ``group``; see :meth:`by`.
    """

    frame: pd.DataFrame
    grouping: Grouping = field(default=GROUP, kw_only=True)
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)
    values_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict, kw_only=True)

    @computed_once
    def by(self, grouping: Grouping) -> Self:
        """The same clips, grouped by other columns.

        Raises
        ------
        PlanError
            If the clips have no such column, it identifies people, or its numbers cannot be divided into bands.

        Examples
        --------
        >>> frame = pd.DataFrame({"speaker_id": [*"ab"], "group": "asian", "gender": ["woman", "unknown"]})
        >>> women = Strata(frame).by(Grouping(("group", "gender")))
        >>> women.every_group, women.cell_of("asian, woman")
        (['asian, woman', 'unknown'], {'group': 'asian', 'gender': 'woman'})
        """
        if grouping == self.grouping:
            return self
        labels, values = grouped(self, grouping)
        column = grouping.column
        # assign would warn that a frame of single columns is fragmented, which saves a copy of them
        frame = pd.concat([self.frame, pd.Series(labels, self.frame.index, name=column)], axis=1)
        order = {**self.order, column: tuple(values)}
        return self._alike(_OF_COLUMNS, frame=frame, grouping=grouping, order=order, values_of=values)

    def revalued(self, frame: pd.DataFrame) -> Self:
        """The same clips with other metrics or fewer columns, without computing again what depends on labels."""
        return self._alike(frame=frame)

    def _alike(self, unchanged: frozenset[str] = _OF_LABELS, /, **fields: object) -> Self:
        """The same clips with other fields, on which what is ``unchanged`` does not depend."""
        made = replace(self, **fields)  # type: ignore[arg-type]  # fields of this class or of one that extends it
        vars(made).update({name: kept for name, kept in vars(self).items() if name in unchanged})
        return made

    @computed_once
    def narrowed(self, *columns: str) -> Self:
        """The same clips with some columns only; the same object for the same columns."""
        return self.revalued(self.frame[[*columns]])

    @property
    def group_column(self) -> str:
        """The column of the frame with the labels of the grouping."""
        return self.grouping.column

    @property
    def every_clip(self) -> pd.DataFrame:
        """All clips of the run."""
        return self.frame

    def cell_of(self, group: str) -> dict[str, str]:
        """The values by column that define a group; empty in the default grouping, and for all groups at once."""
        return dict(self.values_of.get(group, {}))

    def races_of(self, group: str) -> frozenset[str]:
        """The races that the label of a group allows; empty if the grouping is not by race labels."""
        if self.grouping == GROUP:
            return group_members(group)
        return group_members(self.cell_of(group).get("group", UNKNOWN))

    @cached_property
    def speakers(self) -> NDArray[np.int64]:
        """The number of each clip's speaker."""
        return self._numbered("speaker_id")[0]

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The number of each clip's cluster, from 0: shape [n_clips].

        Clips of one video or session are one cluster. The clips of a speaker for which none is known are one too, so
        without the column the result equals :attr:`speakers`.

        Examples
        --------
        >>> frame = pd.DataFrame({"speaker_id": [*"aabbc"], "cluster": ["x", "y", "x", None, ""]})
        >>> Strata(frame).clusters.tolist()
        [0, 1, 0, 2, 3]
        """
        if CLUSTER not in self.frame:
            return self.speakers
        number, names = self._numbered(CLUSTER)
        labels = pd.Series(names, dtype=object)
        unknown = (labels.isna() | (labels == "")).to_numpy(bool)[number]
        own = len(names) + self.speakers
        return distinct(np.where(unknown, own, number), len(names) + len(self.frame))[1]

    @cached_property
    def shares_clusters(self) -> bool:
        """Whether any cluster has clips of two or more speakers."""
        if CLUSTER not in self.frame:
            return False
        both = np.unique(np.column_stack([self.clusters, self.speakers]), axis=0)
        return len(both) > len(np.unique(self.clusters))

    def shared(self, rows: Mask | NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64] | None:
        """The numbers of the clusters of a subset of the clips; ``None`` where speakers share none."""
        return self.clusters[rows] if self.shares_clusters else None

    def shared_by_speakers(self, speakers: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """For values of whole speakers, one number for all speakers linked by clusters; ``None`` without."""
        if not self.shares_clusters:
            return None
        from scipy.sparse import coo_array  # imported late: only runs with shared clusters need it
        from scipy.sparse.csgraph import connected_components

        n = int(self.speakers.max()) + 1
        size = n + int(self.clusters.max()) + 1
        links = coo_array((np.ones(len(self.frame)), (self.speakers, n + self.clusters)), shape=(size, size))
        return np.asarray(connected_components(links, directed=False)[1], np.int64)[speakers]

    @cached_property
    def groups(self) -> list[str]:
        """The known groups, in the fixed order."""
        return [group for group in self.every_group if group != UNKNOWN]

    @cached_property
    def every_group(self) -> list[str]:
        """The groups including ``unknown``, in the fixed order."""
        labels = map(str, self._numbered(self.group_column)[1])
        return ordered_groups(labels, self.order.get(self.group_column, ()))

    @cached_property
    def n_speakers(self) -> dict[str, int]:
        """The number of speakers of every group, including ``unknown``, in the fixed order."""
        cells = self.cells(self.group_column)
        number = np.bincount(cells.units, minlength=len(cells.keys))
        of = {str(key[0]): int(n) for key, n in zip(cells.keys, number, strict=True)}
        return {group: of[group] for group in self.every_group}

    @cached_property
    def known(self) -> Mask:
        """The clips of speakers whose group is known."""
        return (self.frame[self.group_column] != UNKNOWN).to_numpy()

    @cached_property
    def languages(self) -> list[str]:
        """The language codes of the clips, sorted."""
        return sorted(map(str, self._numbered("language")[1]))

    @cached_property
    def spoken(self) -> NDArray[np.int64]:
        """The number of each clip's language, the same for its regional variants; -1 if unknown."""
        cells = self.cells("language")
        codes = [language_of(str(key[0])) for key in cells.keys]
        known = pd.factorize(np.array([None if code == UNDETERMINED else code for code in codes], object))[0]
        return np.asarray(known, np.int64)[cells.number]

    @computed_once
    def cells(self, *columns: str) -> Cells:
        """The cells of one or more columns of the frame, in the order of their values."""

        def found() -> tuple[list[tuple[object, ...]], NDArray[np.int64]]:
            return divided([self._numbered(column) for column in columns], len(self.frame))

        keys, number = found()
        parts = None
        if set(columns) <= {*PART, self.group_column} and set(columns) != {*PART}:
            first, standing = self.parts
            parts = Standing.of(standing.speaker, number[first], len(keys), self.shared(first))
        return Cells(
            keys, lambda: found()[1], lambda of: Standing.of(self.speakers, of, len(keys), self.shared()), parts
        )

    @cached_property
    def parts(self) -> tuple[NDArray[np.int64], Standing]:
        """Parts, clips of a speaker (and cluster) with equal labels: the first clip of each, and each clip's part."""
        columns = [self._numbered(column) for column in dict.fromkeys((*PART, self.group_column))]
        if self.shares_clusters:
            columns.append((self.clusters, [*range(int(self.clusters.max()) + 1)]))
        keys, number = divided(columns, len(self.frame))
        standing = Standing.of(self.speakers, number, len(keys))
        first = np.empty(len(standing.cell), np.int64)
        first[standing.unit[::-1]] = np.arange(len(self.frame))[::-1]
        return first, standing

    def every_cell(self, *columns: str) -> list[tuple[list[tuple[object, ...]], Cells]]:
        """The cells of every combination of the columns; their keys have ``all`` for the other columns."""
        made = []
        for chosen in (chosen for size in range(len(columns) + 1) for chosen in combinations(columns, size)):
            cells = self.cells(*chosen)
            named = [dict(zip(chosen, key, strict=True)) for key in cells.keys]
            made.append(([tuple(key.get(name, ALL) for name in columns) for key in named], cells))
        return made

    @computed_once
    def _numbered(self, column: str) -> tuple[NDArray[np.int64], list[object]]:
        """The number of each clip's value in a column, and the values in order, missing ones last."""
        return numbered(self.frame[column])

    def where(
        self,
        *,
        group: str | None = None,
        race: str | None = None,
        but: str | None = None,
        language: str | None = None,
        english: bool | None = None,
    ) -> Mask:
        """The clips of a group; of groups that include ``race`` but not ``but``; of a language; in English, or in
        another known language.
        """
        mask = np.ones(len(self.frame), bool)
        if group is not None:
            mask &= self._having(self.group_column, lambda name: name == group)
        if race is not None:
            mask &= self._having("group", lambda name: includes(name, race, but))
        if language is not None:
            mask &= self._having("language", lambda name: name == language)
        if english is not None:
            mask &= (self.frame["english"] == english).to_numpy()
            if not english:
                mask &= (self.frame["language"] != UNDETERMINED).to_numpy()
        return mask

    def _having(self, column: str, allowed: Callable[[str], bool]) -> Mask:
        """The clips with a value of a column that is allowed; not kept, since a mask of each group would be large."""
        numbers, names = self._numbered(column)
        return np.array([allowed(str(name)) for name in names], np.bool_)[numbers]

    def by_group(self) -> list[tuple[str, Mask]]:
        """All clips, and those of each group, by name."""
        return [(ALL, self.where()), *((group, self.where(group=group)) for group in self.every_group)]

    def n_in_both(self, first: Mask, second: Mask) -> int:
        """The number of speakers in both subsets."""
        return len(np.intersect1d(self.speakers[first], self.speakers[second]))
