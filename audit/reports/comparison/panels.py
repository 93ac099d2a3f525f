"""The charts of a comparison, with alternative text and the tables of their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from audit.checks.figure import Figure
from audit.comparisons.comparison import Comparison
from audit.core.language_names import language_name
from audit.reports.comparison.charts import SERIES, pareto, shared_limits, slope
from audit.reports.html.charts import Row
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import MetricDefinitions, Record, Value, records, text, where
from audit.reports.html.tabular import Column, TableView, estimate, head, words
from audit.reports.html.wording import file_stem, group_name, order_groups, order_languages
from audit.stats import ALL

SLOPED: Final = "read_own_group"


def pareto_view(comparison: Comparison) -> FigureView:
    """A panel for every metric: each run over all speakers, and for its worst group."""
    rows, panels, tables = records(comparison, "pareto"), [], []
    defined = MetricDefinitions.of(comparison)
    for metric in dict.fromkeys(text(row, "metric") for row in rows):
        here, unit, label = where(rows, metric=metric), defined.unit(metric), defined.label(metric)
        title = label[:1].upper() + label[1:]
        runs = {text(row, "run"): (_overall(row), _worst(row)) for row in here}
        spoken = []
        for row in here:
            figures = [found.words(unit) for found in runs[text(row, "run")] if found.value is not None]
            spoken.append(
                f"{text(row, 'run')}: {' over all, '.join(figures)} for {group_name(text(row, 'worst_group'))}"
            )
        alt = f"{title}, all speakers against the worst group. {'; '.join(spoken)}."
        short = "Read as the own group" if metric == SLOPED else "Similarity over impostors"
        panels.append(Panel(file_stem(f"pareto-{metric}"), pareto(short, runs, unit), alt))
        tables.append(_numbers(metric, title, here, unit))
    return FigureView("pareto-figure", panels, tables)


def _overall(row: Record) -> Value:
    return Value.of(row, "overall")


def _worst(row: Record) -> Value:
    return Value.of(row, "worst", "n_speakers_worst")


def _numbers(metric: str, title: str, rows: Sequence[Record], unit: str) -> TableView:
    columns = (
        Column[Record]("Run", lambda row: head(text(row, "run"))),
        Column[Record]("All speakers", lambda row: estimate(_overall(row), unit), numeric=True),
        Column[Record]("Worst group", lambda row: words(group_name(text(row, "worst_group")))),
        Column[Record]("Its figure", lambda row: estimate(_worst(row), unit), numeric=True),
    )
    return TableView.of(file_stem(f"pareto-{metric}-numbers"), title, columns, rows, sortable=False)


def slopes_view(comparison: Comparison) -> FigureView:
    """A panel for every group: its own-group reads in each run, over all languages and in each."""
    found: dict[tuple[str, str], dict[str, Figure]] = {}
    for change in comparison.metrics:
        if change.figure == SLOPED:
            by_run = found.setdefault((change.group, change.language), {"A": change.before})
            by_run[change.candidate] = change.after
    charts: dict[str, list[Row]] = {}
    for group in order_groups(group for group, _ in found if group != ALL):
        spoken = order_languages(language for of, language in found if of == group and language != ALL)
        charts[group] = [
            Row(
                "all" if language == ALL else language_name(language),
                _marks(comparison, found.get((group, language), {})),
            )
            for language in (ALL, *(spoken[: len(SERIES) - 1] if len(spoken) > 1 else ()))
        ]
    unit = MetricDefinitions.of(comparison).unit(SLOPED)
    limits = shared_limits([line for lines in charts.values() for line in lines], unit)
    panels = []
    for group, lines in charts.items():
        title = group_name(group).capitalize()
        parts = []
        for line in lines:
            figures = [f"{letter} {mark.words('share')}" for letter, mark in line.marks.items()]
            parts.append(f"{line.label}: {', '.join(figures)}")
        alt = f"{title}, read as the own group in each run. {'; '.join(parts)}."
        panels.append(Panel(file_stem(f"slope-{group}"), slope(title, lines, unit, limits), alt))
    return FigureView("slopes-figure", panels)


def _marks(comparison: Comparison, figures: Mapping[str, Figure]) -> dict[str, Value]:
    """The figure of every run, by its letter."""
    marks = {}
    for run in comparison.runs:
        letter = str(run["letter"])
        found = figures.get(letter)
        marks[letter] = Value(found.value, found.low, found.high) if found else Value(None)
    return marks
