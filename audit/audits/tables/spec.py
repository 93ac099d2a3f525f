"""Declarations of tables: name, title, typed columns, and the function that makes the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from audit.audits.table import Column, Table
from audit.checks.evidence import Evidence
from audit.core.plan import MeasureSettings

STRATA = ("group", "language")
"""The columns by which every audit is stratified."""


@dataclass(frozen=True)
class Source:
    """The input of a table: the scored clips, the settings, and the tables made before by name."""

    evidence: Evidence
    settings: MeasureSettings
    tables: Mapping[str, Table]

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
        Returns the frame with exactly these columns, or ``None`` if the audit does not have this table.
    by_plan : bool
        Whether the further columns of ``measure.by`` follow the language column as keys.

    Raises
    ------
    ValueError
        If the name is not allowed, or no column is declared.

    Examples
    --------
    >>> from audit.audits.table import GROUP, N_SPEAKERS
    >>> spec = TableSpec("speakers", "Speakers by group", "", (GROUP, N_SPEAKERS),
    ...                  lambda source: pd.DataFrame({"group": ["asian"], "n_speakers": [3]}))
    >>> spec.names
    ['group', 'n_speakers']
    """

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    make: Callable[[Source], pd.DataFrame | None]
    by_plan: bool = False

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
        frame = self.make(source)
        if frame is None:
            return None
        further = source.by[len(STRATA) :] if self.by_plan else ()
        place = 1 + next((i for i, column in enumerate(self.columns) if column.kind == "language"), -1)
        keys = tuple(Column(name, "key") for name in further)
        return Table(self.title, self.note, frame, (*self.columns[:place], *keys, *self.columns[place:]))

    @property
    def names(self) -> list[str]:
        """The names of the declared columns."""
        return [column.name for column in self.columns]
