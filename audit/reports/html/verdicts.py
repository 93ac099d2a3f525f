"""The findings for display: outcome, sentence, headline figure and its glyph against the margin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from audit.audits.audit import Audit
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding
from audit.core.clean_text import clean
from audit.core.grouping import GROUP
from audit.core.language_names import language_name
from audit.core.units import is_signed, write_interval, write_margin, write_number, write_value
from audit.reports.html.axes import Axes, drawn, worst_cell
from audit.reports.html.badges import BADGES
from audit.reports.html.tabular import Cell, Column, TableView, estimate, head, whole, words
from audit.reports.html.wording import cell_name, counted, figure_name, file_stem, group_name

GLYPH_WIDTH: Final = 240
"""Width of the glyph in CSS pixels."""


@dataclass(frozen=True)
class Tick:
    """A mark on a glyph's scale."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Mark:
    """The place of an estimate on a glyph's scale, and of the ends of its interval."""

    dot: float
    bar: tuple[float, float] | None


@dataclass(frozen=True)
class Glyph:
    """An interval drawn against its margin: positions along a line ``GLYPH_WIDTH`` wide, and the alternative text.

    ``band`` is the tolerated range: both sides of zero, or all on one side of the margin. ``zero`` is ``None`` if the
    scale does not contain it. ``worst`` is the worst cell where groups meet.
    """

    dot: float
    bar: tuple[float, float] | None
    band: tuple[float, float] | None
    zero: float | None
    ticks: tuple[Tick, ...]
    label: str
    worst: Mark | None = None


@dataclass(frozen=True)
class Verdict:
    """One finding for display.

    ``value``, ``interval``, ``sizes`` and ``missing`` are of its headline figure; ``by`` is its grouping, empty for
    ``group``; ``worst`` says which cell is worst where its groups are crossed with other columns, and ``cells`` has the
    others of that group. ``shrunk`` gives its empirical-Bayes estimate.
    """

    finding: Finding
    about: str
    reason: str
    would_change: str
    value: str
    interval: str
    margin: str
    sizes: str
    missing: str
    glyph: Glyph | None
    figures: TableView
    by: str = ""
    worst: str = ""
    cells: str = ""
    shrunk: str = ""


def verdicts(audit: Audit) -> list[Verdict]:
    """Every finding of the audit, in its order."""
    axes = Axes.over(drawn(audit.findings))
    return [verdict_of(finding, axes=axes) for finding in audit.findings]


def tally(found: Sequence[Verdict]) -> str:
    """The number of findings with each outcome in words, without zeros."""
    counts = [(outcome, sum(verdict.finding.outcome == outcome for verdict in found)) for outcome in OUTCOMES]
    return ", ".join(f"{number} {BADGES[outcome].name}" for outcome, number in counts if number)


def draw(figure: Figure, axes: Axes | None = None, worst: Figure | None = None) -> Glyph | None:
    """The glyph of a figure against its margin, ``None`` without a value.

    ``axes`` are those of the page, by default those of this figure alone; ``worst`` is the worst cell of the same
    figure.
    """
    value, (low, high), unit, margin = figure.value, figure.deciding, figure.unit, figure.margin
    if value is None:
        return None
    sign, inset = figure.signed, 8.0
    left, reach = (axes or Axes.over([figure, *([worst] if worst else [])])).limits(figure)

    def place(at: float) -> float:
        inside = min(max(at, left), reach)
        return round(inset + (GLYPH_WIDTH - 2 * inset) * (inside - left) / (reach - left), 2)

    def bar(low: float | None, high: float | None) -> tuple[float, float] | None:
        return None if low is None or high is None else (place(low), place(high))

    ticks = [
        Tick(place(end), write_number(end, unit, sign), anchor) for end, anchor in ((left, "start"), (reach, "end"))
    ]
    if left < 0:
        ticks.insert(1, Tick(place(0.0), "0", "middle"))
    spoken = f"{write_value(value, unit, sign)}, interval {write_interval(low, high, unit, sign)}"
    band = None
    if margin is not None:
        spoken += f", against a margin of {write_margin(margin, unit)}"
        tolerated = (
            (-margin, margin) if figure.two_sided else (left, margin) if figure.harm == "high" else (-margin, reach)
        )
        band = (place(tolerated[0]), place(tolerated[1]))
    meeting = None
    if worst is not None and worst.value is not None:
        spoken += f"; worst where groups meet: {of_cell(worst)}"
        meeting = Mark(place(worst.value), bar(worst.low, worst.high))
    return Glyph(
        dot=place(value),
        bar=bar(low, high),
        band=band,
        zero=place(0.0) if left < 0 else None,
        ticks=tuple(ticks),
        label=spoken,
        worst=meeting,
    )


def outcome_table(audit: Audit) -> pd.DataFrame:
    """One row for each finding, for the terminal.

    Returns
    -------
    DataFrame
        Columns check, title, outcome, estimate, interval, whom and speakers; texts all, but for speakers.
    """
    rows = []
    for found in verdicts(audit):
        finding = found.finding
        rows.append(
            {
                "check": clean(finding.code),
                "title": clean(finding.title) + (f", {found.by}" if found.by else ""),
                "outcome": finding.outcome.replace("_", " "),
                "estimate": found.value,
                "interval": found.interval if finding.estimate and finding.estimate.value is not None else "",
                "whom": found.about,
                "speakers": finding.estimate.n_speakers if finding.estimate else None,
            }
        )
    table = pd.DataFrame(rows, columns=["check", "title", "outcome", "estimate", "interval", "whom", "speakers"])
    return table.astype({"speakers": "Int64"})


def verdict_of(
    finding: Finding, unit_names: tuple[str, str] = ("speaker", "clip"), *, axes: Axes | None = None
) -> Verdict:
    """One finding for display; ``unit_names`` are the nouns of its sample sizes, ``axes`` those of the page."""
    figure = finding.estimate
    unit, sign = (figure.unit, is_signed(figure.kind)) if figure else ("", False)
    value = interval = sizes = missing = ""
    if figure is not None:
        sizes = f"{counted(figure.n_speakers, unit_names[0])}, {counted(figure.n_clips, unit_names[1])}"
        lost = counted(figure.n_missing, "clip")
        missing = f"{lost} could not be read" if figure.n_missing else "every clip was read"
        value, interval = "not estimable", figure.method
        if figure.value is not None:
            value = write_value(figure.value, unit, sign)
            interval = write_interval(*figure.deciding, unit, sign)
    return Verdict(
        finding=finding,
        about=_about(finding),
        reason=_sentence(finding.reason),
        would_change=_sentence(finding.would_change),
        value=value,
        interval=interval,
        margin="" if finding.threshold is None else write_margin(finding.threshold, unit),
        sizes=sizes,
        missing=missing,
        glyph=draw(figure, axes, worst_cell(finding)) if figure else None,
        figures=_figures(finding),
        by="" if finding.grouping == GROUP.name else f"by {clean(finding.grouping).replace('_', ' ')}",
        worst=_worst(finding),
        cells="" if finding.worst_cell is None else "; ".join(map(of_cell, finding.worst_cell.others)),
        shrunk=_shrunk(finding),
    )


def _about(finding: Finding) -> str:
    """The group of the headline."""
    if finding.group == "all":
        return "All groups"
    head = finding.estimate
    named = cell_name(head.cell) if head is not None and len(head.cell) > 1 else group_name(finding.group)
    return f"Group: {named}"


def _worst(finding: Finding) -> str:
    """The worst cell in a sentence, with its interval adjusted for the selection; empty without one."""
    worst = finding.worst_cell
    if worst is None:
        return ""
    if worst.figure.value is None:
        return f"Worst where groups meet: {worst.figure.method}."
    small = f"; {counted(worst.n_small, 'cell')} with too few speakers left out" if worst.n_small else ""
    several = f", largest of {worst.n_cells} cells (simultaneous interval{small})" if worst.n_cells > 1 else ""
    return f"Worst where groups meet: {of_cell(worst.figure)}{several}."


def _shrunk(finding: Finding) -> str:
    """The empirical-Bayes estimate of the worst cell in a sentence; empty without one."""
    worst = finding.worst_cell
    if worst is None or worst.shrunk is None or worst.shrinkage is None:
        return ""
    value = write_value(worst.shrunk, worst.figure.unit, is_signed(worst.figure.kind))
    return f"Shrunk toward the mean of the cells: {value} (shrinkage {write_value(worst.shrinkage, 'share')})."


def of_cell(figure: Figure) -> str:
    """A cell and its figure, with the simultaneous interval."""
    if figure.value is None:
        return f"{cell_name(figure.cell)} {figure.method}"
    language = f" in {language_name(figure.language)}" if figure.language != "all" else ""
    sign = is_signed(figure.kind)
    value = write_value(figure.value, figure.unit, sign)
    return f"{cell_name(figure.cell)}{language} {value} {write_interval(figure.low, figure.high, figure.unit, sign)}"


def _sentence(text: str) -> str:
    """The text with a capital, names of outcomes, and true minus signs."""
    for outcome in OUTCOMES:
        text = text.replace(outcome, BADGES[outcome].name)
    text = re.sub(r"(?<![\w\N{MINUS SIGN}-])-(?=\d)", "\N{MINUS SIGN}", text)
    return text[:1].upper() + text[1:]


def _figures(finding: Finding) -> TableView:
    columns = (
        Column[Figure]("Figure", lambda figure: head(figure_name(figure))),
        Column[Figure]("Estimate", _estimate, numeric=True, hint="with its interval"),
        Column[Figure]("Speakers", lambda figure: whole(figure.n_speakers), numeric=True),
        Column[Figure]("Clips", lambda figure: whole(figure.n_clips), numeric=True),
        Column[Figure]("Not read", lambda figure: whole(figure.n_missing), numeric=True),
        Column[Figure]("Method", lambda figure: Cell("\N{EN DASH}") if figure.value is None else words(figure.method)),
    )
    code = finding.code if finding.grouping == GROUP.name else f"{finding.code} by {finding.grouping}"
    name, caption = f"figures-{file_stem(code.lower())}", f"Every figure that {code} used"
    return TableView.of(name, caption, columns, finding.estimates.values(), sortable=False)


def _estimate(figure: Figure) -> Cell:
    return estimate(figure, figure.unit, is_signed(figure.kind), speakers=False)
