"""Charts of a comparison: a Pareto chart for every metric, and a slope chart for every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes

from audit.reports.html.charts import Drawing, Legend, Margins, Row, bare, scale
from audit.reports.html.palette import light
from audit.reports.html.records import Value

SERIES: Final = (("ink", "o"), ("ceiling", "s"), ("rendered", "D"), ("man", "^"))
"""Colour and marker of each line of a slope chart, that over all languages first."""


def pareto(title: str, points: Mapping[str, tuple[Value, Value]], unit: str) -> Drawing:
    """Runs, by letter, at their figures over all speakers and for the worst group, with both intervals.

    On the dashed line both are equal; a point above it is due to chance.
    """

    def draw(ax: Axes) -> None:
        low, high = _limits([figure for point in points.values() for figure in point], unit)
        scale(ax.yaxis, unit)
        bare(ax)
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)
        scale(ax.xaxis, unit)
        ax.grid(axis="both", color=light("grid"), linewidth=1)
        ax.plot([low, high], [low, high], color=light("muted"), linewidth=1, linestyle=(0, (3, 3)))
        for letter, (across, up) in points.items():
            x, y = across.value, up.value
            if x is None or y is None:
                continue
            ax.plot(_ends(across), [y, y], color=light("ink"), linewidth=1.6)
            ax.plot([x, x], _ends(up), color=light("ink"), linewidth=1.6)
            ax.plot([x], [y], marker="o", markersize=6.5, color=light("rendered"), clip_on=False)
            offset: Any = {"xytext": (6, 5), "textcoords": "offset points"}
            ax.annotate(letter, (x, y), fontsize=12, fontweight="bold", color=light("ink"), **offset)

    margins = Margins(top=34, body=214, bottom=44, left=56, right=14)
    return Drawing(title, draw, margins, along="all speakers", up="worst group")


def slope(title: str, lines: Sequence[Row], unit: str, limits: tuple[float, float]) -> Drawing:
    """One group's figures from run to run, with intervals, over all languages and for each."""
    letters = list(lines[0].marks)
    drawn = list(zip(lines, SERIES, strict=False))

    def draw(ax: Axes) -> None:
        scale(ax.yaxis, unit)
        bare(ax)
        ax.set_xlim(-0.45, len(letters) - 0.55)
        pad = 0.03 * (limits[1] - limits[0])
        ax.set_ylim(limits[0] - pad, limits[1] + pad)
        ax.set_xticks(range(len(letters)), letters)
        ax.tick_params(axis="x", length=0, labelsize=11, labelcolor=light("ink"), pad=4)
        ax.grid(axis="y", color=light("grid"), linewidth=1)
        for i, (line, (colour, shape)) in enumerate(drawn):
            shift = 0.07 * (i - (len(drawn) - 1) / 2)
            marks = enumerate(line.marks.values())
            places = [(x + shift, mark.value, _ends(mark)) for x, mark in marks if mark.value is not None]
            wide = 2.2 if i == 0 else 1.3
            ax.plot([x for x, _, _ in places], [y for _, y, _ in places], color=light(colour), linewidth=wide)
            for x, y, ends in places:
                ax.plot([x, x], ends, color=light(colour), linewidth=wide * 0.75)
                ax.plot([x], [y], marker=shape, markersize=6 if i == 0 else 5, color=light(colour))

    shapes = {
        line.label: {"marker": shape, "markersize": 5.5, "color": light(colour), "linestyle": ""}
        for line, (colour, shape) in drawn
    }
    margins = Margins(top=34, body=168, bottom=46, left=46, right=14)
    return Drawing(title, draw, margins, Legend(shapes, left=50, pitch=64, y=10, size=9.5))


def shared_limits(lines: Sequence[Row], unit: str) -> tuple[float, float]:
    """Ends of an axis that several charts share."""
    return _limits([mark for line in lines for mark in line.marks.values()], unit)


def _limits(figures: Sequence[Value], unit: str) -> tuple[float, float]:
    if unit == "share":
        return 0.0, 1.0
    ends = [end for figure in figures if figure.value is not None for end in _ends(figure)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    pad = 0.08 * (high - low) or 0.1
    return low - pad, high + pad


def _ends(figure: Value) -> tuple[float, float]:
    """The interval; the value alone if there is none."""
    assert figure.value is not None
    return (figure.value if figure.low is None else figure.low), (figure.value if figure.high is None else figure.high)
