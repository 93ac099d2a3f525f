"""The chart of a history: the figure of one group from release to release."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes

from audit.core.clean_text import clean
from audit.reports.html.charts import Drawing, Margins, bare, label, nice_reach, scale
from audit.reports.html.palette import light
from audit.reports.html.records import Value
from audit.series.figures import Mark

MOST_TICKS: Final = 8
_ROOM: Final = 30
"""The most characters of all tick labels together."""


def timeline(
    title: str,
    marks: Sequence[Value],
    ticks: Sequence[str],
    unit: str,
    limits: tuple[float, float],
    *,
    signed: bool,
    margin: float | None,
    breaks: Collection[int] = (),
    marked: Mapping[int, Mark | None],
    overall: str = "",
) -> Drawing:
    """One group's figure in every release, with intervals.

    The band is that of the margin. ``breaks`` are the places before which no change is tested: a dotted line is there,
    and points are not joined across it. ``marked`` are the releases whose change since the one before is beyond noise.
    ``overall`` is a note on the change from the first comparable release to the last.
    """

    def draw(ax: Axes) -> None:
        scale(ax.yaxis, unit, signed)
        bare(ax)
        ax.set_xlim(-0.5, len(marks) - 0.5)
        ax.set_ylim(*limits)
        every = math.ceil(len(ticks) / MOST_TICKS)
        ax.set_xticks(range(0, len(ticks), every), ticks[::every])
        ax.tick_params(axis="x", length=0, labelsize=10, labelcolor=light("ink"), pad=4)
        ax.grid(axis="y", color=light("grid"), linewidth=1)
        if margin is not None:
            ax.axhspan(-margin, margin, color=light("heat1"), linewidth=0, zorder=0)
        ax.axhline(0, color=light("muted"), linewidth=1)
        for i in range(1, len(marks)):
            before, after = marks[i - 1].value, marks[i].value
            if i in breaks:
                ax.axvline(i - 0.5, color=light("muted"), linewidth=1.2, linestyle=(0, (1, 2)))
            elif before is not None and after is not None:
                ax.plot([i - 1, i], [before, after], color=light("ink"), linewidth=1.4)
        for i, mark in enumerate(marks):
            if mark.value is None:
                continue
            colour, shape = ("rendered", "D") if i in marked else ("ink", "o")
            if mark.low is not None and mark.high is not None:
                ax.plot([i, i], [mark.low, mark.high], color=light(colour), linewidth=2)
            face = light("paper") if mark.low is None else light(colour)
            ax.plot([i], [mark.value], marker=shape, markersize=6, color=light(colour), markerfacecolor=face)
            if i in marked:
                top = mark.value if mark.high is None else mark.high
                y, va = (top, "bottom") if top < limits[1] - 0.12 * (limits[1] - limits[0]) else (mark.low, "top")
                label(ax, i, y or 0.0, marked[i] or "", 9.5, "rendered", ha="center", va=va, fontweight="bold")
        if overall:
            label(ax, 0.0, -0.26, clean(overall), 9.5, "rendered", transform=ax.transAxes, fontweight="bold")

    return Drawing(title, draw, Margins(top=34, body=150, bottom=44, left=46, right=14))


def short_labels(labels: Sequence[str]) -> list[str]:
    """The labels for a chart: their numbers from 1, if the labels are too long for an axis.

    Examples
    --------
    >>> short_labels(["1.0", "2.0"]), short_labels(["the first release", "the second release"])
    (['1.0', '2.0'], ['1', '2'])
    """
    if sum(map(len, labels)) <= _ROOM and max(map(len, labels), default=0) <= _ROOM / 2:
        return list(labels)
    return [str(i) for i in range(1, len(labels) + 1)]


def shared_limits(values: Sequence[Value], margin: float | None) -> tuple[float, float]:
    """Ends of the axis of all charts of one quantity: symmetrical about zero, round, and beyond every interval.

    Examples
    --------
    >>> shared_limits([Value(0.1, -0.05, 0.31)], 0.1)
    (-0.4, 0.4)
    """
    ends = [abs(end) for value in values for end in (value.value, value.low, value.high) if end is not None]
    reach = nice_reach(max([*ends, margin or 0.0]))
    return -reach, reach
