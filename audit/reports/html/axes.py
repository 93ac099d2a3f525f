"""The ends of axes: a quantity has one scale wherever a page draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audit.audits.audit import Audit
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.reports.html.charts import nice_reach
from audit.reports.html.records import MetricDefinitions, number, records, text

Limits = tuple[float, float]
SHARES: Limits = (0.0, 1.0)
DIFFERENCES: Limits = (-1.0, 1.0)
"""Shares have fixed scales: 0 to 100%, and differences from -100 to +100 points."""


@dataclass(frozen=True)
class Axes:
    """The ends of the axes of judged figures, by unit and by whether they are differences.

    Shares have fixed scales. In other units the axis reaches the farthest end of any drawn figure.

    Examples
    --------
    >>> years = Figure(3.1, 1.0, 5.2, 9, 9, 0, "exact", unit="years", kind="difference", margin=2.0, harm="high")
    >>> gap = Figure(0.01, 0.0, 0.03, 9, 9, 0, "exact", unit="share", kind="difference", margin=0.1, harm="high")
    >>> axes = Axes.over([years, gap])
    >>> axes.limits(years), axes.limits(gap)
    ((-6.0, 6.0), (-1.0, 1.0))
    """

    reaches: Mapping[tuple[str, bool], float] = field(default_factory=dict)

    @classmethod
    def over(cls, figures: Iterable[Figure]) -> Axes:
        """The axes that cover figures with their intervals and margins."""
        reaches: dict[tuple[str, bool], float] = {}
        for figure in figures:
            ends = [abs(end) for end in (figure.value, *figure.deciding, figure.margin) if end is not None]
            key = (figure.unit, figure.signed)
            reaches[key] = max([*ends, reaches.get(key, 0.0)])
        return cls(reaches)

    def limits(self, figure: Figure) -> Limits:
        """The ends of the axis of a figure."""
        if figure.unit == "share":
            return DIFFERENCES if figure.signed or (figure.value or 0.0) < 0 else SHARES
        reach = nice_reach(self.reaches.get((figure.unit, figure.signed), 0.0))
        return (-reach if figure.signed or (figure.value or 0.0) < 0 else 0.0), reach


def drawn(findings: Iterable[Finding]) -> list[Figure]:
    """The figures of findings that have a chart: the headlines, and the worst cell of each headline's figure."""
    made: list[Figure] = []
    for finding in findings:
        if finding.estimate is not None:
            made += [finding.estimate, *([cell] if (cell := worst_cell(finding)) is not None else [])]
    return made


def worst_cell(finding: Finding) -> Figure | None:
    """The worst cell, if it is one of the headline's figure and has a value, so that both share an axis."""
    if finding.worst_cell is None or finding.estimate is None:
        return None
    figure = finding.worst_cell.figure
    return figure if figure.name == finding.estimate.name and figure.value is not None else None


def metric_axes(audit: Audit) -> dict[str, Limits]:
    """The ends of the axis of every metric's values, from all languages together, portraits and trends.

    Shares have a fixed scale. In other units the axis has zero and covers every interval and band.
    """
    defined, ends = MetricDefinitions.of(audit), dict[str, list[float]]()
    over_all = [row for row in records(audit, "disparities") if text(row, "language", "all") == "all"]
    for rows, names in (
        (over_all, ("value", "low", "high")),
        (records(audit, "instrument"), ("value", "low", "high")),
        (records(audit, "trends"), ("curve", "curve_low", "curve_high", "band_low", "band_high")),
    ):
        for row in rows:
            found = [number(row, name) for name in names]
            ends.setdefault(text(row, "metric"), []).extend(end for end in found if end is not None)
    return {metric: _limits(defined.unit(metric), found) for metric, found in ends.items()}


def _limits(unit: str, ends: list[float]) -> Limits:
    if unit == "share":
        return SHARES
    reach = nice_reach(max(map(abs, ends), default=0.0))
    return (-reach if min(ends, default=0.0) < 0 else 0.0), reach
