"""Charts: dots with intervals, and confusion heat maps, each one small panel as SVG.

A panel is about 300 px wide, so that several fit on a screen and one fits a phone without scaling. Charts draw the
audit's tables and compute nothing.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audit.core.clean_text import clean
from audit.core.units import write_number
from audit.reports.html.palette import TURN, heat_level, light, with_variables
from audit.reports.html.records import Value

PANEL_WIDTH: Final = 304
"""Pixels; one unit of the SVG is one CSS pixel."""

STYLE: Final[Any] = {  # rc_context's type requires literal keys
    "svg.fonttype": "none",
    "svg.hashsalt": "speech2face-audit",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.linewidth": 0.8,
    "figure.dpi": 72,
    "savefig.dpi": 72,
    "path.simplify": False,
}
_FONTS: Final = "Helvetica, Arial, &apos;DejaVu Sans&apos;, sans-serif"
_STYLE_ATTRIBUTE: Final = re.compile(r'\bstyle="([^"]*)"')
_MARKERS: Final = {"portrait": "o", "ceiling": "s", "rendered": "D", "woman": "^", "man": "o", "ink": "o"}


@dataclass(frozen=True)
class Margins:
    """The height of a panel's axes, the margins around them, and the width of the panel, in pixels."""

    top: float
    body: float
    bottom: float
    left: float
    right: float
    width: float = PANEL_WIDTH

    @property
    def height(self) -> float:
        """The height of the panel."""
        return self.top + self.body + self.bottom


@dataclass(frozen=True)
class Legend:
    """The markers of a panel by name, and their places along its lower edge, in pixels."""

    shapes: Mapping[str, Mapping[str, Any]]
    left: float
    pitch: float
    y: float
    size: float


@dataclass(frozen=True)
class Drawing:
    """One chart: as a panel of a page, or on axes of any figure.

    ``draw`` draws it on axes. ``along`` and ``up`` are the labels of its axes.
    """

    title: str
    draw: Callable[[Axes], None]
    margins: Margins
    legend: Legend | None = None
    along: str = ""
    up: str = ""

    def svg(self) -> str:
        """The panel as a standalone SVG; the same bytes every time."""
        margins = self.margins
        with mpl.rc_context(STYLE):
            figure, ax = canvas(self.title, margins)
            self.draw(ax)
            if self.along:
                middle = (margins.left + (margins.width - margins.left - margins.right) / 2) / margins.width
                label(figure, middle, 9 / margins.height, self.along, 10, "ink", ha="center")
            if self.up:
                middle = (margins.bottom + margins.body / 2) / margins.height
                label(figure, 8 / margins.width, middle, self.up, 10, "ink", ha="center", rotation=90)
            if self.legend:
                draw_legend(figure, self.legend)
            return svg_of(figure)

    def on(self, ax: Axes) -> Axes:
        """The chart drawn on the given axes, with title, labels and legend of their own."""
        with mpl.rc_context({key: value for key, value in STYLE.items() if key.startswith(("font.", "text."))}):
            self.draw(ax)
            # the report's charts have their numbers or headings between title and axes
            ax.set_title(
                clean(self.title), loc="left", fontsize=12, fontweight="bold", pad=max(6, self.margins.top - 28)
            )
            ax.set_xlabel(self.along)
            ax.set_ylabel(self.up)
            if self.legend:
                marks = ({**shape, "label": name, "linestyle": ""} for name, shape in self.legend.shapes.items())
                handles = [mpl.lines.Line2D([], [], **mark) for mark in marks]
                style: dict[str, Any] = {
                    "loc": "upper center",
                    "bbox_to_anchor": (0.5, -0.12),
                    "frameon": False,
                    "handletextpad": 0,
                }
                ax.legend(handles=handles, ncols=len(handles), **style)
        return ax


@dataclass(frozen=True)
class Row:
    """One line of a chart: its label, and a figure for each series."""

    label: str
    marks: Mapping[str, Value]


def dots(
    title: str,
    rows: Sequence[Row],
    unit: str,
    *,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
    series: Sequence[str] = ("ink",),
) -> Drawing:
    """Dots with their intervals, one row a label.

    ``signed`` figures are differences: the axis is then symmetrical about zero. Without ``limits`` the axis covers
    every interval. ``series`` are the names of the marks within a row, and of their colours.
    """
    tallest = max((len(_wrapped(row.label)) for row in rows), default=1)
    pitch = 15 if len(series) > 1 else max(22, 13 * tallest)
    gap = 12 if len(series) > 1 else 0
    body = len(rows) * (pitch * len(series) + gap)
    legend = 22 if len(series) > 1 else 0

    def draw(ax: Axes) -> None:
        low, high = limits or _limits(rows, signed)
        pad = 0.02 * (high - low)
        ax.set_xlim(low - pad, high + pad)
        ax.set_ylim(body, 0)
        scale(ax.xaxis, unit, signed)
        bare(ax)
        ax.grid(axis="x", color=light("grid"), linewidth=1)
        ax.set_yticks([])
        if low <= 0 <= high:
            ax.axvline(0, color=light("muted"), linewidth=1)
        edge = ax.get_yaxis_transform()
        label(ax, 1.13, -4, "n", 9.5, transform=edge, ha="right", va="bottom", style="italic")
        for i, row in enumerate(rows):
            start = i * (pitch * len(series) + gap) + gap / 2
            if i and len(series) > 1:
                above = [start - gap / 2] * 2
                ax.plot([-0.42, 1.13], above, transform=edge, color=light("grid"), linewidth=1, clip_on=False)
            middle = start + pitch * len(series) / 2
            lines = _wrapped(row.label)
            for k, line in enumerate(lines):  # one text for each line, because a browser uses another font
                y = middle + 12 * (k - (len(lines) - 1) / 2)
                ax.text(-0.04, y, line, transform=edge, ha="right", va="center", color=light("ink"))
            blank = bool(row.marks) and all(mark.value is None for mark in row.marks.values())
            if blank:
                label(ax, low + 2 * pad, middle, "not estimable", 9.5, style="italic")
            for j, name in enumerate(series):
                if name in row.marks and not blank:
                    _draw_mark(ax, row.marks[name], name, start + pitch * (j + 0.5), low)

    names = Legend({name: _shape(name) for name in series}, left=30, pitch=84, y=9, size=10) if legend else None
    return Drawing(title, draw, Margins(top=42, body=body, bottom=24 + legend, left=90, right=38), names)


def heat(title: str, rows: Sequence[Row], columns: Mapping[str, str], own: Collection[tuple[str, str]] = ()) -> Drawing:
    """A confusion heat map, the share and its interval written in every cell.

    Rows are the speakers' groups; a second line of a label is drawn smaller. ``columns`` has the heading of each
    series; ``own`` has the row labels and series of the reads that are right for the group.
    """
    cells = [[row.marks.get(name, Value(None)) for name in columns] for row in rows]

    def draw(ax: Axes) -> None:
        levels = [[0 if cell.value is None else heat_level(cell.value) for cell in row] for row in cells]
        colours = mpl.colors.ListedColormap([light(f"heat{i}") for i in range(11)])
        sns.heatmap(
            levels, ax=ax, cmap=colours, vmin=-0.5, vmax=10.5, cbar=False, linewidths=1.5, linecolor=light("paper")
        )
        ax.set_xticks([])
        ax.set_yticks([])
        for j, heading in enumerate(columns.values()):
            for k, word in enumerate(reversed(heading.split(" "))):
                label(ax, j + 0.5, -0.12 - 0.28 * k, word, 8.2, ha="center", va="bottom")
        for i, row in enumerate(rows):
            name, _, count = row.label.partition("\n")
            lines = [*_wrapped(name)[:2], *([count] if count else [])]
            for k, line in enumerate(lines):
                shade, points = ("muted", 9.0) if line == count else ("ink", 10.5)
                label(ax, -0.15, i + 0.5 + 0.31 * (k - (len(lines) - 1) / 2), line, points, shade, ha="right")
            for j, series in enumerate(columns):
                _write_cell(ax, cells[i][j], i, j, levels[i][j], (row.label, series) in own)

    return Drawing(title, draw, Margins(top=58, body=36 * len(rows), bottom=6, left=86, right=2))


def inline(svg: str, name: str) -> str:
    """The chart for use inside a page: with the page's colours and font, and ids unique to the chart.

    Its style is in presentation attributes, since a page whose security policy forbids inline style would lose it.
    """
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(xlink:href|href)="#', rf'\1="#{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = _STYLE_ATTRIBUTE.sub(_presentation_attributes, body.replace(_FONTS, "var(--sans)"))
    return with_variables(body).replace("<svg ", '<svg aria-hidden="true" ', 1)


def _presentation_attributes(style: re.Match[str]) -> str:
    """The declarations of a style attribute, each as an attribute of its own (SVG 2, section 6.6)."""
    pairs = (declaration.split(":", 1) for declaration in style.group(1).split(";") if declaration.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)


def canvas(title: str, margins: Margins) -> tuple[Figure, Axes]:
    """An empty panel with its title."""
    figure = Figure(figsize=(margins.width / 72, margins.height / 72), facecolor="none")
    FigureCanvasSVG(figure)
    ax = axes_in(figure, margins)
    shown: dict[str, Any] = {"fontsize": 12, "fontweight": "bold", "color": light("ink"), "va": "center"}
    figure.text(0, 1 - 12 / margins.height, clean(title), **shown)
    return figure, ax


def axes_in(figure: Figure, margins: Margins) -> Axes:
    """The axes of a panel in its figure."""
    left, wide = margins.left / margins.width, (margins.width - margins.left - margins.right) / margins.width
    place = (left, margins.bottom / margins.height, wide, margins.body / margins.height)
    return figure.add_axes(place, facecolor="none")


def label(on: Axes | Figure, x: float, y: float, text: str, size: float, colour: str = "muted", **style: Any) -> None:
    """A text in one of the charts' colours, by default centred on its height."""
    on.text(x, y, text, fontsize=size, color=light(colour), **{"va": "center", **style})


def scale(axis: Axis, unit: str, signed: bool = False) -> None:
    """Set a few round ticks, labelled in a unit."""
    percent = "%" if unit == "share" and not signed else ""
    axis.set_major_locator(mpl.ticker.MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(lambda value, _: write_number(value, unit, signed) + percent)


def bare(ax: Axes) -> None:
    """Remove frame and tick marks, and draw the grid below the data."""
    ax.tick_params(length=0, labelsize=9.5, labelcolor=light("muted"), pad=4)
    ax.set_axisbelow(True)
    for side in ("top", "left", "right", "bottom"):
        ax.spines[side].set_visible(False)


def draw_legend(figure: Figure, legend: Legend) -> None:
    """A line of markers and names along the lower edge."""
    y = legend.y / (figure.get_figheight() * 72)
    for i, (name, shape) in enumerate(legend.shapes.items()):
        x = (legend.left + legend.pitch * i) / PANEL_WIDTH
        figure.add_artist(mpl.lines.Line2D([x], [y], **shape))
        label(figure, x + 8 / PANEL_WIDTH, y, name, legend.size, "ink")


def _draw_mark(ax: Axes, mark: Value, series: str, y: float, left: float) -> None:
    low, high = ax.get_xlim()
    if mark.value is None:
        label(ax, left + 0.04 * (high - left), y, "not estimable", 9, style="italic")
        return
    if mark.low is not None and mark.high is not None:
        ends = [max(mark.low, low), min(mark.high, high)]
        ax.plot(ends, [y, y], color=light(series), linewidth=2.2, solid_capstyle="butt")
    ax.plot([mark.value], [y], **_shape(series, hollow=mark.low is None), clip_on=False)
    if mark.n_speakers is not None:
        label(ax, 1.13, y, f"{mark.n_speakers:,}", 9, transform=ax.get_yaxis_transform(), ha="right")


def _shape(series: str, hollow: bool = False) -> dict[str, Any]:
    """The marker of a series."""
    face = light("paper") if series == "portrait" or hollow else light(series)
    shape = {"marker": _MARKERS.get(series, "o"), "markersize": 6.2, "markeredgewidth": 1.6}
    return {**shape, "color": light(series), "markerfacecolor": face}


def _write_cell(ax: Axes, cell: Value, i: int, j: int, level: int, own: bool) -> None:
    ink = "on_fill" if level >= TURN else "ink"
    if cell.value is None:
        for k, part in enumerate(("not esti-", "mable")):
            label(ax, j + 0.5, i + 0.38 + 0.26 * k, part, 8, ha="center", style="italic")
    else:
        weight = "bold" if own else "normal"
        label(ax, j + 0.5, i + 0.36, write_number(cell.value, "share"), 11.5, ink, ha="center", fontweight=weight)
        if cell.low is not None and cell.high is not None:
            ends = f"{100 * cell.low:.0f}\u2013{100 * cell.high:.0f}"
            label(ax, j + 0.5, i + 0.74, ends, 8, ink, ha="center")
    if own:
        ax.add_patch(Rectangle((j + 0.035, i + 0.035), 0.93, 0.93, fill=False, edgecolor=light("ink"), linewidth=1.6))


def _limits(rows: Sequence[Row], signed: bool) -> tuple[float, float]:
    """Ends of an axis that cover every interval and zero."""
    marks = [mark for row in rows for mark in row.marks.values()]
    ends = [end for mark in marks for end in (mark.value, mark.low, mark.high) if end is not None]
    reach = nice_reach(max(map(abs, ends), default=0.0))
    negative = any((end or 0) < 0 for mark in marks for end in (mark.value, mark.low))
    return (-reach if signed or negative else 0.0, reach)


def nice_reach(value: float) -> float:
    """The next round number at or above a positive value, 1 for zero.

    Examples
    --------
    >>> nice_reach(0.31), nice_reach(7.2), nice_reach(0.0)
    (0.4, 8.0, 1.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    step = next(step for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if value <= step * power * (1 + 1e-9))
    return round(step * power, 12)


def _wrapped(label: str) -> list[str]:
    """A long row label in up to three lines."""
    lines = [""]
    for word in clean(label).split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > 13:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line if len(line) <= 15 else line[:14] + "\u2026" for line in lines[:3]]


def svg_of(figure: Figure) -> str:
    """The SVG text without date and metadata: the same bytes every time."""
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, transparent=True
    )
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", buffer.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<!DOCTYPE[^>]*>\s*", "", text)
    text = re.sub(r'(<svg[^>]*?) width="[\d.]+pt" height="[\d.]+pt"', r"\1", text.replace("\n<svg", "<svg"), count=1)
    text = re.sub(r'height="[\d.]+pt"|width="[\d.]+pt"', "", text)
    text = re.sub(r'(?<= d=")[^"]*', lambda path: " ".join(path.group().split()), text)
    text = re.sub(r">\n +<", ">\n<", text)
    return text.replace("'DejaVu Sans'", _FONTS)
