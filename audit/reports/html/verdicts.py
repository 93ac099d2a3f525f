"""The findings for display: outcome, sentence, headline figure and its glyph against the margin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from audit.audits.audit import Audit
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding
from audit.core.clean_text import clean
from audit.core.units import write_interval, write_number, write_value
from audit.reports.html.badges import BADGES
from audit.reports.html.charts import nice_reach
from audit.reports.html.tabular import Cell, Column, TableView, head, whole, words
from audit.reports.html.wording import counted, figure_name, group_name

GLYPH_WIDTH: Final = 240
"""Width of the glyph in CSS pixels."""


@dataclass(frozen=True)
class Tick:
    """A mark on a glyph's scale."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Glyph:
    """An interval drawn against its margin: positions along a line ``GLYPH_WIDTH`` wide.

    Attributes
    ----------
    dot : float
        The estimate.
    bar : (float, float) or None
        The interval, clipped to the scale.
    band : (float, float) or None
        The tolerated range: both sides of zero, or all below the margin.
    zero : float or None
        Zero, if the scale contains it.
    ticks : tuple of Tick
        The scale.
    label : str
        The alternative text.
    """

    dot: float
    bar: tuple[float, float] | None
    band: tuple[float, float] | None
    zero: float | None
    ticks: tuple[Tick, ...]
    label: str


@dataclass(frozen=True)
class Verdict:
    """One finding for display."""

    code: str
    title: str
    outcome: str
    about: str
    by_group: Mapping[str, str]
    scope: str
    sentence: str
    reason: str
    would_change: str
    value: str
    interval: str
    margin: str
    sizes: str
    missing: str
    glyph: Glyph | None
    figures: TableView | None


def verdicts(audit: Audit) -> list[Verdict]:
    """Every finding of the audit, in its order."""
    return [verdict_of(finding) for finding in audit.findings]


def tally(found: Sequence[Verdict]) -> list[tuple[str, int]]:
    """The number of findings with each outcome, without zeros."""
    counts = [(outcome, sum(verdict.outcome == outcome for verdict in found)) for outcome in OUTCOMES]
    return [(outcome, number) for outcome, number in counts if number]


def draw(figure: Figure) -> Glyph | None:
    """The glyph of a figure against its margin, ``None`` without a value."""
    estimate, unit, signed, margin = figure, figure.unit, figure.signed, figure.margin
    if estimate.value is None:
        return None
    inset = 8.0
    ends = [abs(v) for v in (estimate.value, estimate.low, estimate.high, margin) if v is not None]
    reach = 1.0 if unit == "share" and not signed else nice_reach(max(ends))
    left = -reach if signed or min(estimate.value, estimate.low or 0.0) < 0 else 0.0

    def place(value: float) -> float:
        inside = min(max(value, left), reach)
        return round(inset + (GLYPH_WIDTH - 2 * inset) * (inside - left) / (reach - left), 2)

    bar = None if estimate.interval is None else (place(estimate.interval[0]), place(estimate.interval[1]))
    band = None
    if margin is not None:
        tolerated = {"greater": (left, margin), "less": (-margin, reach), "two_sided": (-margin, margin)}
        low, high = tolerated[figure.direction]
        band = (place(low), place(high))
    ticks = [
        Tick(place(left), write_number(left, unit, signed), "start"),
        Tick(place(reach), write_number(reach, unit, signed), "end"),
    ]
    if left < 0:
        ticks.insert(1, Tick(place(0.0), "0", "middle"))
    interval = write_interval(estimate.low, estimate.high, unit, signed)
    spoken = f"{write_value(estimate.value, unit, signed)}, interval {interval}"
    if margin is not None:
        spoken += f", against a margin of {_margin(margin, unit)}"
    return Glyph(place(estimate.value), bar, band, place(0.0) if left < 0 else None, tuple(ticks), spoken)


def outcome_table(audit: Audit) -> pd.DataFrame:
    """One row for each finding, for the terminal.

    Returns
    -------
    DataFrame
        Columns check, title, outcome, estimate, interval, whom and speakers; texts all, but for speakers.
    """
    rows = [
        {
            "check": found.code,
            "title": found.title,
            "outcome": finding.outcome.replace("_", " "),
            "estimate": found.value,
            "interval": found.interval if finding.estimate is not None and finding.estimate.value is not None else "",
            "whom": found.about,
            "speakers": None if finding.estimate is None else finding.estimate.n_speakers,
        }
        for finding, found in zip(audit.findings, verdicts(audit), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["check", "title", "outcome", "estimate", "interval", "whom", "speakers"])
    return table.astype({"speakers": "Int64"})


def verdict_of(finding: Finding, unit_names: tuple[str, str] = ("speaker", "clip")) -> Verdict:
    """One finding for display; ``unit_names`` are the nouns of its sample sizes."""
    estimate = finding.estimate
    unit, signed = (estimate.unit, estimate.signed) if estimate else ("", False)
    value = interval = sizes = missing = ""
    glyph = None
    if estimate is not None:
        sizes = f"{counted(estimate.n_speakers, unit_names[0])}, {counted(estimate.n_clips, unit_names[1])}"
        lost = counted(estimate.n_missing, "clip")
        missing = f"{lost} could not be read" if estimate.n_missing else "every clip was read"
        if estimate.value is None:
            value, interval = "not estimable", clean(estimate.method)
        else:
            value = write_value(estimate.value, unit, signed)
            interval = write_interval(estimate.low, estimate.high, unit, signed)
            glyph = draw(estimate)
    margin = "" if finding.threshold is None else _margin(finding.threshold, unit)
    return Verdict(
        code=clean(finding.code),
        title=clean(finding.title),
        outcome=finding.outcome if finding.outcome in OUTCOMES else "not_evaluable",
        about=_about(finding.group),
        by_group=finding.by_group,
        scope=clean(finding.scope),
        sentence=clean(finding.sentence),
        reason=_sentence(finding.reason),
        would_change=_sentence(finding.would_change),
        value=value,
        interval=interval,
        margin=margin,
        sizes=sizes,
        missing=missing,
        glyph=glyph,
        figures=_figures(finding),
    )


def _about(group: str) -> str:
    return "All groups" if group == "all" else f"Group: {group_name(group)}"


def _margin(threshold: float, unit: str) -> str:
    """A margin without a sign; margins of rates are in points."""
    return write_value(abs(threshold), unit, signed=unit == "share").removeprefix("+")


def _sentence(words: str) -> str:
    """The text with a capital, names of outcomes, and true minus signs."""
    for outcome in OUTCOMES:
        words = words.replace(outcome, BADGES[outcome].name)
    words = re.sub(r"(?<![\w\N{MINUS SIGN}-])-(?=\d)", "\N{MINUS SIGN}", words)
    return clean(words[:1].upper() + words[1:])


def _figures(finding: Finding) -> TableView | None:
    if not finding.estimates:
        return None
    view = TableView(
        name=f"figures-{finding.code.lower()}",
        caption=f"Every figure that {clean(finding.code)} used",
        columns=(
            Column("Figure"),
            Column("Estimate", numeric=True, hint="with its interval"),
            Column("Speakers", numeric=True),
            Column("Clips", numeric=True),
            Column("Not read", numeric=True),
            Column("Method"),
        ),
        sortable=False,
    )
    for item in finding.estimates.values():
        figure = view.estimate(item.as_dict(), item.unit, item.signed, bare=False, speakers=False)
        method = words(clean(item.method)) if item.value is not None else Cell("\N{EN DASH}")
        view.rows.append(
            [
                head(figure_name(item)),
                figure,
                whole(item.n_speakers),
                whole(item.n_clips),
                whole(item.n_missing),
                method,
            ]
        )
    return view
