"""Declarations of tables: name, title, typed columns, and the function that makes the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from audit.audits.table import ESTIMATE, Q_VALUE, Column, Table
from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.core.plan import MeasureSettings
from audit.stats import Estimate, benjamini_hochberg

Row = tuple[object, ...]
"""The cells of a row; an Estimate fills the columns of :func:`audit.audits.table.estimate_columns`."""
STRATA = ("group", "language")
"""The columns by which every audit is stratified."""


@dataclass(frozen=True)
class Source:
    """The input of a table: the scored clips, the settings, the tables made before by name, and the findings."""

    evidence: Evidence
    settings: MeasureSettings
    tables: Mapping[str, Table]
    findings: Sequence[Finding] = ()

    @property
    def further(self) -> tuple[str, ...]:
        """The columns of the plan to stratify by, besides group and language."""
        return self.by[len(STRATA) :]

    @property
    def by(self) -> tuple[str, ...]:
        """The columns to stratify by: group, language, and those of the plan."""
        return tuple(dict.fromkeys((*STRATA, *self.settings.by)))


@dataclass(frozen=True)
class TableSpec:
    """The declaration of one table of the audit.

    Attributes
    ----------
    name : str
        The name in audit.json and of the CSV file: lower-case letters, digits and ``_``.
    title, note : str
        See :class:`audit.Table`.
    columns : tuple of Column
        Every column, in order.
    make : callable
        Returns the rows, or a frame with exactly these columns, or ``None`` if the audit does not have this table. In
        rows, an :class:`audit.stats.Estimate` fills all columns of
        :func:`~audit.audits.table.estimate_columns`. The column ``q_value`` is computed: ``p_value`` adjusted for the
        number of rows (Benjamini & Hochberg 1995).
    further : callable
        The names of further key columns, which follow the language column.

    Raises
    ------
    ValueError
        If the name is not allowed, or no column is declared.

    Examples
    --------
    >>> from audit.audits.table import GROUP, N_SPEAKERS
    >>> spec = TableSpec("speakers", "Speakers by group", "", (GROUP, N_SPEAKERS), lambda source: [("asian", 3)])
    >>> spec.names
    ['group', 'n_speakers']
    """

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    make: Callable[[Source], pd.DataFrame | Iterable[Row] | None]
    further: Callable[[Source], Sequence[str]] = lambda _: ()

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9][a-z0-9_]{0,63}", self.name):
            raise ValueError(f"a table is named {self.name!r}; allowed: lower-case letters, digits and _")
        if not self.columns:
            raise ValueError(f"the table {self.name} declares no columns")

    def table(self, source: Source) -> Table | None:
        """The table of one audit.

        Raises
        ------
        ValueError
            If the columns of the frame differ from the declared ones.
        """
        made = self.make(source)
        return None if made is None else self.of(made, self.further(source))

    def of(self, cells: pd.DataFrame | Iterable[Row], further: Sequence[str] = ()) -> Table:
        """The table of these cells; columns named in ``further`` are keys that follow the language column."""
        place = 1 + next((i for i, column in enumerate(self.columns) if column.kind == "language"), -1)
        columns = (*self.columns[:place], *(Column(name, "key") for name in further), *self.columns[place:])
        if not isinstance(cells, pd.DataFrame):
            numbers = [column.name for column in columns if column.kind in ("value", "low", "high", "p_value")]
            cells = pd.DataFrame(map(_expanded, cells), columns=[column.name for column in columns])
            cells = cells.astype(dict.fromkeys(numbers, float))
        if Q_VALUE in columns:
            cells = cells.assign(q_value=benjamini_hochberg(cells["p_value"]))
        return Table(self.title, self.note, cells, columns)

    @property
    def names(self) -> list[str]:
        """The names of the declared columns."""
        return [column.name for column in self.columns]


def _expanded(row: Row) -> list[object]:
    """The cells of a row, with each estimate as the values of its fields."""
    return [
        cell
        for item in row
        for cell in ([getattr(item, name) for name in ESTIMATE] if isinstance(item, Estimate) else [item])
    ]
