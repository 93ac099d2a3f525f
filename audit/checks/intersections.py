"""The worst cell of each check where groups meet: its groups crossed with gender, language or other columns.

Among many cells the largest figure is large by chance alone. Its interval is therefore the simultaneous one over all
cells that were judged (Bonferroni), which covers the figure of whichever cell is the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from audit.checks.check import Check
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.finding import Finding, WorstCell
from audit.checks.judging import largest
from audit.core.vocabulary import is_known
from audit.stats.rates import shortened
from audit.stats.shrinkage import FEWEST, shrink

CONFIDENCE: Final = 0.95
"""The confidence at which a figure's interval gives its sampling variance, and of the intervals of shrunk figures."""


def with_worst_cell(check: Check, finding: Finding, evidence: Evidence, columns: Sequence[str]) -> Finding:
    """The finding with the worst cell of its groups crossed with the columns, if it has judged figures of cells.

    Parameters
    ----------
    check, finding, evidence : Check, Finding, Evidence
        The check, its finding, and the clips in the grouping of the finding.
    columns : sequence of str
        The columns to cross with. Those with fewer than two known values, and those that the check cannot be crossed
        with, are left out.
    """
    if finding.outcome == "not_evaluable":
        return finding
    figures = cell_figures(check, evidence, columns)
    able = [figure for figure in figures if figure.interval is not None]
    if not able:
        return finding
    worst = largest(able)
    of_group = {name: worst.cell[name] for name in evidence.grouping.columns}
    others = [
        figure
        for figure in able
        if figure != worst and figure.name == worst.name and of_group.items() <= figure.cell.items()
    ]
    alike = [figure for figure in able if figure.name == worst.name]
    shrunk = shrunk_figures(alike)[alike.index(worst)]
    _, small = enough_speakers(crossed(check, evidence, columns))
    cell = WorstCell(worst, tuple(others), shrunk.value, shrunk.factor, len(able), len(small))
    return replace(finding, worst_cell=cell)


@dataclass(frozen=True)
class ShrunkFigure:
    """A figure shrunk toward the mean of its kind, with an interval and the share of the way; ``None`` without one."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    factor: float | None = None


def shrunk_figures(figures: Sequence[Figure]) -> list[ShrunkFigure]:
    """Empirical-Bayes estimates of figures of one kind, next to the raw ones; empty ones for fewer than four figures.

    The sampling variance of a figure is that of the normal distribution whose interval is as wide as the figure's own,
    which never has zero width.
    """
    intervals = [figure.curve.alone.at(CONFIDENCE).interval for figure in figures if figure.curve is not None]
    widths = np.array([ends[1] - ends[0] for ends in intervals if ends is not None], np.float64)
    if len(figures) < FEWEST or len(widths) < len(figures) or not (widths > 0).all():
        return [ShrunkFigure()] * len(figures)
    normal = float(special.ndtri((1 + CONFIDENCE) / 2))
    found = shrink(np.array([figure.value for figure in figures], np.float64), (widths / 2 / normal) ** 2)
    reach = normal * found.error
    return [
        ShrunkFigure(*map(shortened, (value, value - each, value + each, factor)))
        for value, each, factor in zip(found.value.tolist(), reach.tolist(), found.factor.tolist(), strict=True)
    ]


def cell_figures(check: Check, evidence: Evidence, columns: Sequence[str]) -> list[Figure]:
    """The judged figure of every cell with enough speakers; empty where there is nothing to cross with."""
    key = (check.code, tuple(columns))
    kept: dict[tuple[str, tuple[str, ...]], list[Figure]] = vars(evidence).setdefault("_cell_figures", {})
    if key not in kept:
        finer = crossed(check, evidence, columns)
        cells, _ = enough_speakers(finer)
        kept[key] = check.in_cells(evidence, finer, cells) if finer is not evidence and cells else []
    return kept[key]


def crossed(check: Check, evidence: Evidence, columns: Sequence[str]) -> Evidence:
    """The evidence with its groups crossed with the columns that have at least two known values."""
    chosen = [
        name for name in columns if name not in check.not_crossed and name in evidence.frame and _varies(evidence, name)
    ]
    return evidence.by(evidence.grouping.crossed(chosen))


def enough_speakers(evidence: Evidence) -> tuple[list[str], list[str]]:
    """The groups with at least the minimum number of speakers, and those with fewer."""
    enough = [group for group in evidence.groups if evidence.n_speakers[group] >= evidence.settings.min_speakers]
    return enough, [group for group in evidence.groups if group not in set(enough)]


def _varies(evidence: Evidence, column: str) -> bool:
    return sum(map(is_known, (key[0] for key in evidence.cells(column).keys))) > 1
