"""Charts of a comparison: a Pareto chart for every metric, and a slope chart for every group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl

from audit.reports.html.charts import PANEL_WIDTH, STYLE, bare, canvas, label, scale, svg_of
from audit.reports.html.palette import light

SERIES: Final = (("ink", "o"), ("ceiling", "s"), ("rendered", "D"), ("man", "^"))
"""Colour and marker of each line of a slope chart, that over all languages first."""


@dataclass(frozen=True)
class Span:
    """A point with its interval, or ``None``."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; the point alone if there is none."""
        assert self.value is not None
        return (self.value if self.low is None else self.low), (self.value if self.high is None else self.high)


@dataclass(frozen=True)
class Point:
    """One run of a Pareto chart: its letter, over all (across) and for the worst group (up)."""

    letter: str
    across: Span
    up: Span


@dataclass(frozen=True)
class Line:
    """One line of a slope chart: its name, and a point for each run."""

    name: str
    points: tuple[Span, ...]


def pareto(title: str, points: Sequence[Point], unit: str) -> str:
    """Runs by their figure over all speakers and for the worst group, with both intervals, as an SVG.

    On the dashed line both are equal; a point above it is due to chance.
    """
    body, left, right = 214, 56, 14
    with mpl.rc_context(STYLE):
        figure, ax = canvas(title, top=34, body=body, bottom=44, left=left, right=right)
        low, high = _limits([span for point in points for span in (point.across, point.up)], unit)
        scale(ax.yaxis, unit)
        bare(ax)
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)
        scale(ax.xaxis, unit)
        ax.grid(axis="both", color=light("grid"), linewidth=1)
        ax.plot([low, high], [low, high], color=light("muted"), linewidth=1, linestyle=(0, (3, 3)))
        for point in points:
            x, y = point.across.value, point.up.value
            if x is None or y is None:
                continue
            ax.plot(point.across.ends, [y, y], color=light("ink"), linewidth=1.6)
            ax.plot([x, x], point.up.ends, color=light("ink"), linewidth=1.6)
            ax.plot([x], [y], marker="o", markersize=6.5, color=light("rendered"), clip_on=False)
            offset: Any = {"xytext": (6, 5), "textcoords": "offset points"}
            ax.annotate(point.letter, (x, y), fontsize=12, fontweight="bold", color=light("ink"), **offset)
        height = figure.get_figheight() * 72
        middle = (left + (PANEL_WIDTH - left - right) / 2) / PANEL_WIDTH
        label(figure, middle, 9 / height, "all speakers", 10, "ink", ha="center")
        label(figure, 8 / PANEL_WIDTH, (44 + body / 2) / height, "worst group", 10, "ink", ha="center", rotation=90)
        return svg_of(figure)


def slope(title: str, letters: Sequence[str], lines: Sequence[Line], unit: str, limits: tuple[float, float]) -> str:
    """One group's figures from run to run, with intervals, over all languages and for each, as an SVG."""
    body, left, right = 168, 46, 14
    with mpl.rc_context(STYLE):
        figure, ax = canvas(title, top=34, body=body, bottom=46, left=left, right=right)
        scale(ax.yaxis, unit)
        bare(ax)
        ax.set_xlim(-0.45, len(letters) - 0.55)
        pad = 0.03 * (limits[1] - limits[0])
        ax.set_ylim(limits[0] - pad, limits[1] + pad)
        ax.set_xticks(range(len(letters)), letters)
        ax.tick_params(axis="x", length=0, labelsize=11, labelcolor=light("ink"), pad=4)
        ax.grid(axis="y", color=light("grid"), linewidth=1)
        drawn = list(zip(lines, SERIES, strict=False))
        for i, (line, (colour, shape)) in enumerate(drawn):
            shift = 0.07 * (i - (len(drawn) - 1) / 2)
            places = [
                (x + shift, span.value, span.ends) for x, span in enumerate(line.points) if span.value is not None
            ]
            wide = 2.2 if i == 0 else 1.3
            ax.plot([x for x, _, _ in places], [y for _, y, _ in places], color=light(colour), linewidth=wide)
            for x, y, ends in places:
                ax.plot([x, x], ends, color=light(colour), linewidth=wide * 0.75)
                ax.plot([x], [y], marker=shape, markersize=6 if i == 0 else 5, color=light(colour))
        height = figure.get_figheight() * 72
        for i, (line, (colour, shape)) in enumerate(drawn):
            x = (left + 4 + i * 64) / PANEL_WIDTH
            figure.add_artist(
                mpl.lines.Line2D([x], [10 / height], marker=shape, markersize=5.5, color=light(colour), linestyle="")
            )
            label(figure, x + 8 / PANEL_WIDTH, 10 / height, line.name, 9.5, "ink")
        return svg_of(figure)


def shared_limits(lines: Sequence[Line], unit: str) -> tuple[float, float]:
    """Ends of an axis that several charts share."""
    return _limits([span for line in lines for span in line.points], unit)


def _limits(spans: Sequence[Span], unit: str) -> tuple[float, float]:
    if unit == "share":
        return 0.0, 1.0
    ends = [end for span in spans if span.value is not None for end in span.ends]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    pad = 0.08 * (high - low) or 0.1
    return low - pad, high + pad
