"""Charts of curves: a metric along a number, with pointwise intervals and a simultaneous band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl

from audit.core.clean_text import clean
from audit.reports.html.charts import PANEL_WIDTH, STYLE, bare, canvas, label, scale, svg_of
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
) -> str:
    """A curve with its intervals (darker) and band (lighter), as a standalone SVG; ``limits`` are of its values."""
    body, bottom, left, right = 132, 44, 58, 14
    places = [point.at for point in points]
    lows, highs = ([point.band[end] for point in points] for end in (0, 1))
    with mpl.rc_context(STYLE):
        figure, ax = canvas(title, top=34, body=body, bottom=bottom, left=left, right=right)
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
        height = figure.get_figheight() * 72
        middle = (left + (PANEL_WIDTH - left - right) / 2) / PANEL_WIDTH
        label(figure, middle, 9 / height, clean(along), 10, "ink", ha="center")
        return svg_of(figure)
