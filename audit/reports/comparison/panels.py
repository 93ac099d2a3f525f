"""The charts of a comparison, with alternative text and the tables of their numbers."""

from __future__ import annotations

from typing import Final

from audit.comparisons.comparison import Comparison
from audit.core.units import write_interval, write_value
from audit.reports.comparison.charts import SERIES, Line, Point, Span, pareto, shared_limits, slope
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import MetricDefinitions, Record, count, number, records, text, where
from audit.reports.html.tabular import Column, TableView, head, words
from audit.reports.html.wording import (
    file_stem,
    group_name,
    language_name,
    order_groups,
    order_languages,
)
from audit.stats import ALL, Estimate

SLOPED: Final = "read_own_group"


def pareto_view(comparison: Comparison) -> FigureView:
    """A panel for every metric: each run over all speakers, and for its worst group."""
    rows, panels, tables = records(comparison, "pareto"), [], []
    defined = MetricDefinitions.of(comparison)
    for metric in dict.fromkeys(text(row, "metric") for row in rows):
        here, unit = where(rows, metric=metric), defined.unit(metric)
        points = [Point(text(row, "run"), _span(row, "overall"), _span(row, "worst")) for row in here]
        title = defined.label(metric)
        view = TableView(
            file_stem(f"pareto-{metric}-numbers"),
            title[:1].upper() + title[1:],
            (Column("Run"), Column("All speakers", True), Column("Worst group"), Column("Its figure", True)),
            sortable=False,
        )
        spoken = []
        for row in here:
            overall, worst = (
                {**dict(zip(("value", "low", "high"), _ends(row, name), strict=True)), "n_speakers": count(row, size)}
                for name, size in (("overall", "n_speakers"), ("worst", "n_speakers_worst"))
            )
            group = group_name(text(row, "worst_group"))
            view.rows.append(
                [
                    head(text(row, "run")),
                    view.estimate(overall, unit, bare=False),
                    words(group),
                    view.estimate(worst, unit, bare=False),
                ]
            )
            figures = [
                f"{write_value(value, unit)} {write_interval(low, high, unit)}"
                for value, low, high in (_ends(row, "overall"), _ends(row, "worst"))
                if value is not None
            ]
            spoken.append(f"{text(row, 'run')}: {' over all, '.join(figures)} for {group}")
        alt = f"{title[:1].upper()}{title[1:]}, all speakers against the worst group. {'; '.join(spoken)}."
        short = "Read as the own group" if metric == SLOPED else "Similarity over impostors"
        panels.append(Panel(file_stem(f"pareto-{metric}"), pareto(short, points, unit), alt))
        tables.append(view)
    return FigureView("pareto-figure", tuple(panels), tuple(tables))


def slopes_view(comparison: Comparison) -> FigureView:
    """A panel for every group: its own-group reads in each run, over all languages and in each."""
    letters = [str(run["letter"]) for run in comparison.runs]
    found: dict[tuple[str, str], dict[str, Estimate]] = {}
    for change in comparison.metrics:
        if change.figure == SLOPED:
            by_run = found.setdefault((change.group, change.language), {})
            by_run["A"] = change.before
            by_run[change.candidate] = change.after
    groups = order_groups(group for group, _ in found if group != ALL)
    charts: list[tuple[str, list[Line]]] = []
    for group in groups:
        spoken = order_languages(language for of, language in found if of == group and language != ALL)
        shown = [ALL, *spoken[: len(SERIES) - 1]] if len(spoken) > 1 else [ALL]
        lines = [
            Line(
                "all" if language == ALL else language_name(language),
                tuple(_point(found.get((group, language), {}).get(letter)) for letter in letters),
            )
            for language in shown
        ]
        charts.append((group, lines))
    unit = MetricDefinitions.of(comparison).unit(SLOPED)
    limits = shared_limits([line for _, lines in charts for line in lines], unit)
    panels = [
        Panel(
            file_stem(f"slope-{group}"),
            slope(group_name(group).capitalize(), letters, lines, unit, limits),
            _alt(group, letters, lines),
        )
        for group, lines in charts
    ]
    return FigureView("slopes-figure", tuple(panels), ())


def _alt(group: str, letters: list[str], lines: list[Line]) -> str:
    parts = []
    for line in lines:
        figures = [
            f"{letter} {write_value(span.value, 'share')} {write_interval(span.low, span.high, 'share')}"
            if span.value is not None
            else f"{letter} not estimable"
            for letter, span in zip(letters, line.points, strict=True)
        ]
        parts.append(f"{line.name}: {', '.join(figures)}")
    return f"{group_name(group).capitalize()}, read as the own group in each run. {'; '.join(parts)}."


def _point(estimate: Estimate | None) -> Span:
    return Span(None) if estimate is None else Span(estimate.value, estimate.low, estimate.high)


def _span(row: Record, name: str) -> Span:
    return Span(*_ends(row, name))


def _ends(row: Record, name: str) -> tuple[float | None, float | None, float | None]:
    return number(row, name), number(row, f"{name}_low"), number(row, f"{name}_high")
