"""Suppression of small cells: figures of few speakers, which could reveal individuals, are left out of documents.

A single suppressed cell could be computed from a total and the other cells. So where only one cell of a row or column
is suppressed, the next smallest is suppressed too (complementary suppression; Willenborg & de Waal 2001, chapter 5).
Verdicts are made before suppression and do not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.audits.table import Table
from audit.checks import chosen, groupings_of
from audit.checks.figure import Figure
from audit.checks.strata import Strata
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import MeasureSettings
from audit.stats import ALL
from audit.stats.speakers import Floats

Cell = tuple[str, str]
"""Group and language, or ``all``."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SmallCells:
    """The cells of group and language that are suppressed.

    Attributes
    ----------
    below : int
        Cells with fewer speakers are small; 0 suppresses nothing.
    cells : Mapping of str to frozenset of (str, str)
        By the name of a grouping, the group and language (or ``all``) of the small cells, and of those from which they
        could be computed.
    crossed_with : tuple of str
        The columns that groups are crossed with.
    """

    below: int
    cells: Mapping[str, frozenset[Cell]] = field(default_factory=dict)
    crossed_with: tuple[str, ...] = ()

    @classmethod
    def of(cls, observations: pd.DataFrame, settings: MeasureSettings) -> SmallCells:
        """The small cells of a run in every grouping of its figures.

        Examples
        --------
        >>> frame = pd.DataFrame({"speaker_id": list("aabcdefg"), "group": ["asian"] * 3 + ["black"] * 5,
        ...                       "language": ["en", "zh", "en", "en", "en", "en", "zh", "zh"]})
        >>> sorted(SmallCells.of(frame, MeasureSettings(suppress_below=2, intersect=())).cells["group"])
        [('asian', 'en'), ('asian', 'zh'), ('black', 'en'), ('black', 'zh')]
        """
        below = settings.suppress_below
        if below < 2 or observations.empty:
            return cls(below)
        strata, cells = Strata(observations), dict[str, frozenset[Cell]]()
        asked = chosen(settings.checks, settings.metrics)
        further = tuple(name for name in settings.intersect if name in observations)
        for grouping, _ in groupings_of(asked, observations, settings.groupings):
            cells[grouping.name] = frozenset(_hidden(_speakers(strata.by(grouping)), below))
            for n in range(1, len(further) + 1):
                for columns in combinations(further, n):
                    finer = grouping.crossed(columns)
                    if finer.name not in cells:
                        cells[finer.name] = _hidden_crossings(strata.by(finer), cells[grouping.name], grouping, below)
        return cls(below, cells, further)

    def hide(self, group: object, language: object = ALL, grouping: object = GROUP.name) -> bool:
        """Whether a cell is suppressed."""
        return (str(group), str(language)) in self.cells.get(str(grouping), ())

    def hide_crossing(self, group: object, further: Mapping[str, object], grouping: object = GROUP.name) -> bool:
        """Whether the cell of a group that is crossed with these values of further columns is suppressed."""
        parent = Grouping.parse(str(grouping))
        named = {name: value for name, value in further.items() if name not in parent.columns and str(value) != ALL}
        return self.hide(", ".join(map(str, (group, *named.values()))), grouping=parent.crossed([*named]).name)

    def any_of(self, group: str, grouping: str = GROUP.name) -> bool:
        """Whether any cell of a group is suppressed."""
        return any(cell[0] == group for cell in self.cells.get(grouping, ()))

    def hides(self, figure: Figure) -> bool:
        """Whether a figure is of a suppressed cell or has too few speakers."""
        counts = (figure.n_speakers, figure.n_smaller or 0)
        few = any(0 < n < self.below for n in counts)
        cells = ((figure.group, figure.language), (figure.group, ALL), (ALL, figure.language))
        return few or any(self.hide(*cell, figure.grouping.name) for cell in cells)

    @property
    def words(self) -> str:
        """The reason that replaces a suppressed figure."""
        return f"suppressed: fewer than {self.below} speakers, or it would reveal a cell with fewer"


def suppressed_tables(tables: Mapping[str, Table], small: SmallCells) -> tuple[dict[str, Table], int]:
    """The tables without the figures of small cells, and the number of suppressed rows.

    Raises
    ------
    ValueError
        If the columns of a table have no types, so that its figures are unknown.
    """
    if untyped := [name for name, table in tables.items() if table.names("untyped")]:
        raise ValueError(f"the columns of {', '.join(untyped)} have no types: their figures are unknown")
    made, count = {}, 0
    lost = _suppressed_statuses(tables.values(), small)
    for name, table in tables.items():
        of_people = table.names("speaker_id", "clip_id")
        frame, hidden = _without_rows(table, small, lost) if of_people else _without_figures(table, small)
        count += hidden
        note = (
            f"{table.note} {hidden} rows are suppressed (fewer than {small.below} speakers)." if hidden else table.note
        )
        made[name] = replace(table, frame=frame, note=note.strip())
    return made, count


def complement(hidden: set[Cell], speakers: Mapping[Cell, int], line: Sequence[Cell]) -> Cell | None:
    """The smallest visible cell of a line of cells that add up to a total, if exactly one of the line is hidden."""
    filled = [cell for cell in line if speakers.get(cell, 0) > 0]
    seen = [cell for cell in filled if cell not in hidden]
    return min(seen, key=lambda cell: (speakers[cell], cell)) if seen and len(filled) - len(seen) == 1 else None


def _speakers(strata: Strata) -> dict[Cell, int]:
    """The number of speakers of every group and language, and of each over all of the other."""
    frame = strata.frame[[strata.group_column, "language", "speaker_id"]].astype(object).drop_duplicates()
    frame.columns = pd.Index(["group", "language", "speaker_id"])
    everywhere = [frame, frame.assign(language=ALL), frame.assign(group=ALL)]
    counts = pd.concat(everywhere).groupby(["group", "language"])["speaker_id"].nunique()
    return dict(zip(((str(one), str(other)) for one, other in counts.index), counts.tolist(), strict=True))


def _hidden_crossings(strata: Strata, parents: frozenset[Cell], grouping: Grouping, below: int) -> frozenset[Cell]:
    """The suppressed cells of a crossing, of which those without further columns are ``parents``."""
    keys = pd.DataFrame([strata.cell_of(group) for group in strata.groups], columns=[*strata.grouping.columns])
    speakers = np.array([strata.n_speakers[group] for group in strata.groups], np.float64)
    mask = (speakers > 0) & (speakers < below)
    for i, row in enumerate(keys.to_dict("records")):
        parent = grouping.label([row[column] for column in grouping.columns])
        languages = {ALL, str(row.get("language", ALL))}
        mask[i] |= any((parent, language) in parents for language in languages)
    if mask.any():
        _complete(mask, speakers, keys.astype(str))
    return frozenset((group, ALL) for group, hidden in zip(strata.groups, mask, strict=True) if hidden)


def _hidden(speakers: Mapping[Cell, int], below: int) -> set[Cell]:
    """The small cells, and further ones until none can be computed from its row or column."""
    hidden = {cell for cell, n in speakers.items() if n < below}
    groups = sorted({group for group, _ in speakers} - {ALL})
    languages = sorted({language for _, language in speakers} - {ALL})
    lines = [[(group, language) for group in groups] for language in (*languages, ALL)]
    lines += [[(group, language) for language in languages] for group in (*groups, ALL)]
    while True:
        parts = {
            cell
            for cell in speakers.keys() - hidden
            if ALL not in cell and ((cell[0], ALL) in hidden or (ALL, cell[1]) in hidden)
        }
        found = next((cell for line in lines if (cell := complement(hidden, speakers, line))), None)
        if not parts and found is None:
            return hidden
        hidden |= parts | ({found} if found else set())


def _mask(table: Table, small: SmallCells) -> Mask:
    """The rows of a table that are suppressed."""
    frame = table.frame
    counts = [column for column in table.columns if column.kind in ("n_speakers", "count") and not column.about]
    counted = min(counts, key=lambda column: column.kind != "n_speakers", default=None)
    n = np.ones(len(frame))
    few = np.zeros(len(frame), bool)
    if counted is not None:
        n = pd.to_numeric(frame[counted.name], errors="coerce").fillna(0).to_numpy(float)
        few = (n > 0) & (n < small.below)
    mask = few | _hidden_cells(table, small)
    keys = [column.name for column in table.columns if column.key]
    if mask.any() and keys:
        _complete(mask, n, frame[keys].astype(str))
    return mask


def _hidden_cells(table: Table, small: SmallCells) -> Mask:
    """The rows of suppressed cells of group and language."""
    frame = table.frame
    everywhere = pd.Series(ALL, frame.index)
    groups = [frame[name] for name in table.names("group")] or [everywhere]
    groupings = next((frame[name] for name in table.names("grouping")), pd.Series(GROUP.name, frame.index))
    languages = [frame[name] for name in table.names("language")] or [everywhere]
    hidden = np.zeros(len(frame), bool)
    for group, language in product(groups, languages):
        hidden |= np.array([small.hide(*cell) for cell in zip(group, language, groupings, strict=True)], bool)
    keys = {column.name for column in table.columns if column.key}
    if further := [name for name in small.crossed_with if name in keys]:
        values = [dict(zip(further, row, strict=True)) for row in frame[further].itertuples(index=False, name=None)]
        for group in groups:
            rows = zip(group, values, groupings, strict=True)
            hidden |= np.array([small.hide_crossing(one, of, by) for one, of, by in rows], bool)
    return hidden


def _complete(mask: Mask, n: Floats, keys: pd.DataFrame) -> None:
    """Hide further rows until no hidden row is the only one among those that differ from it in one key."""
    lines = []
    for name in keys:
        rows = np.flatnonzero(keys[name] != ALL)
        others = [other for other in keys if other != name]
        grouped = keys.iloc[rows].groupby(others, sort=True).indices.values() if others else [np.arange(len(rows))]
        lines += [rows[places] for places in grouped]
    changed = True
    while changed:
        changed = False
        for line in lines:
            able = line[n[line] > 0]
            if mask[able].sum() == 1 and len(able) > 1:
                seen = able[~mask[able]]
                mask[seen[np.argmin(n[seen])]] = changed = True


def _without_figures(table: Table, small: SmallCells) -> tuple[pd.DataFrame, int]:
    """The frame with the figures of suppressed rows emptied, and the number of those rows."""
    masks = {"": _mask(table, small)}
    for about in sorted({column.about for column in table.columns} - {""}):
        masks[about] = np.array([small.hide(group) for group in table.frame[about]], bool)
    hidden = np.logical_or.reduce(list(masks.values()))
    if not hidden.any():
        return table.frame, 0
    made = table.frame.copy()
    for column in table.columns:
        values = made[column.name].astype(object)
        if column.figure or column.about:
            made[column.name] = values.mask(masks[column.about], None)
        elif column.kind == "method":
            made[column.name] = values.mask(hidden, small.words)
    return made, int(hidden.sum())


def _suppressed_statuses(tables: Iterable[Table], small: SmallCells) -> set[tuple[str, ...]]:
    """Group, language and status of the suppressed rows in tables that count clips by status."""
    found: set[tuple[str, ...]] = set()
    for table in tables:
        names = _status_keys(table)
        if table.names("status") and not table.names("clip_id"):
            rows = table.frame[names].astype(str)[_mask(table, small)]
            found |= set(rows.itertuples(index=False, name=None))
    return found


def _status_keys(table: Table) -> list[str]:
    return [*table.names("group"), *table.names("language"), *table.names("status")]


def _without_rows(table: Table, small: SmallCells, lost: set[tuple[str, ...]]) -> tuple[pd.DataFrame, int]:
    """The frame without rows of people and clips in suppressed cells, and the number of removed rows."""
    names = _status_keys(table)
    hidden = _hidden_cells(table, small)
    for group in table.names("group"):
        hidden |= np.array([small.hide(name) for name in table.frame[group]], bool)
    rows = table.frame[names].astype(str).itertuples(index=False, name=None)
    kept = ~(hidden | np.array([row in lost for row in rows], bool))
    return table.frame[kept].reset_index(drop=True), int((~kept).sum())
