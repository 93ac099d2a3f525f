"""How a table of the audit is declared: its name, its words, its typed columns, and how its rows are made."""

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
    """What a table is made from.

    Attributes
    ----------
    evidence : Evidence
        The run, scored clip by clip.
    settings : MeasureSettings
        How it is measured.
    tables : Mapping of str to Table
        The tables that were made before, by name.
    """

    evidence: Evidence
    settings: MeasureSettings
    tables: Mapping[str, Table]

    @property
    def by(self) -> tuple[str, ...]:
        """The columns to stratify by: group, language, and those of the plan."""
        return tuple(dict.fromkeys((*STRATA, *self.settings.by)))


@dataclass(frozen=True)
class TableSpec:
    """One table of the audit, declared in one place.

    Attributes
    ----------
    name : str
        Its name in audit.json and of its CSV file: small letters, digits and ``_``.
    title, note : str
        See :class:`audit.Table`.
    columns : tuple of Column
        Every column, in order.
    make : callable
        Makes the frame, with exactly these columns; None where an audit like this one has no such table.
    by_plan : bool
        Whether a key for each further column of ``measure.by`` follows the column of the language.

    Raises
    ------
    ValueError
        If the name could not be that of a file, or no column is declared.

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
            raise ValueError(f"a table is named {self.name!r}; allowed: small letters, digits and _")
        if not self.columns:
            raise ValueError(f"the table {self.name} declares no columns")

    def table(self, source: Source) -> Table | None:
        """The table of one audit.

        Raises
        ------
        ValueError
            If the frame has other columns than those declared.
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
