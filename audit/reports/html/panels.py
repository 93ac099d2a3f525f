"""Charts on a page: sets of small panels with alternative text, and the tables of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from audit.core.units import NO_INTERVAL
from audit.reports.html.charts import Drawing
from audit.reports.html.tabular import TableView


@dataclass(frozen=True)
class Panel:
    """One chart: its file name, how it is drawn, and its alternative text."""

    name: str
    drawing: Drawing
    alt: str

    @cached_property
    def svg(self) -> str:
        """The chart as a standalone SVG."""
        return self.drawing.svg()


@dataclass(frozen=True)
class FigureView:
    """Panels with one caption, and the tables of their numbers."""

    name: str
    panels: Sequence[Panel]
    tables: Sequence[TableView] = ()

    @property
    def has_bare_dot(self) -> bool:
        """Whether some estimate has no interval."""
        cells = (cell for table in self.tables for row in table.rows for cell in row)
        return any(cell.kind == "estimate" and NO_INTERVAL in cell.lines for cell in cells)
