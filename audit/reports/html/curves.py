"""Charts of curves: a metric along a number, with pointwise intervals and a simultaneous band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from audit.core.clean_text import clean
from audit.reports.html.charts import Drawing, Margins, bare, scale
from audit.reports.html.palette import light


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve: its place, the value, its interval, and the ends of the simultaneous band."""

    at: float
    value: float
    interval: tuple[float, float]
    band: tuple[float, float]


def curve(
    title: str, points: Sequence[CurvePoint], unit: str, limits: tuple[float, float], along: str, unit_along: str
) -> Drawing:
    """A curve with its intervals (darker) and band (lighter); ``limits`` are of its values."""
    places = [point.at for point in points]
    lows, highs = ([point.band[end] for point in points] for end in (0, 1))

    def draw(ax: Axes) -> None:
        scale(ax.yaxis, unit)
        scale(ax.xaxis, unit_along)
        bare(ax)
        ax.grid(axis="y", color=light("grid"), linewidth=1)
        ax.set_xlim(places[0], places[-1])
        ax.set_ylim(*limits)
        ax.fill_between(places, lows, highs, color=light("grid"), linewidth=0)
        below, above = ([point.interval[end] for point in points] for end in (0, 1))
        ax.fill_between(places, below, above, color=light("rule"), linewidth=0)
        for edge in (lows, highs):  # the edges are visible without colours
            ax.plot(places, edge, color=light("muted"), linewidth=0.8, linestyle=(0, (3, 2)))
        ax.plot(places, [point.value for point in points], color=light("rendered"), linewidth=2.2)

    return Drawing(title, draw, Margins(top=34, body=132, bottom=44, left=58, right=14), along=clean(along))
