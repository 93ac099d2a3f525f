"""The charts of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from audit.audits.audit import Audit
from audit.core.language_names import language_name
from audit.core.units import write_value
from audit.core.vocabulary import GENDERS, RACES, STAGES
from audit.reports.html.axes import DIFFERENCES, SHARES, Limits, metric_axes
from audit.reports.html.charts import Row, dots, heat
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    Value,
    count,
    disparities,
    number,
    records,
    split,
    text,
    values,
    where,
)
from audit.reports.html.tabular import TableView
from audit.reports.html.wording import file_stem, group_name, order_languages
from audit.reports.report import evidence, language_tables, similarity_tables
from audit.reports.report.trends import trend_view

LATER = ("ceiling", "rendered")
MOST_LANGUAGES = 4
"""Languages with a panel: those with most speakers; tables contain all."""


def figure_views(audit: Audit) -> dict[str, FigureView]:
    """All charts of the report by name; those without data are left out."""
    return {view.name: view for make in VIEWS.values() if (view := make(audit)).panels}


def _stages(audit: Audit) -> FigureView:
    rows = where(disparities(audit), metric="read_own_group")
    languages = _main_languages(rows)
    what = "read as the own group at portrait, ceiling and rendered"
    panels = _dots_by_language("stages", what, rows, languages, STAGES)
    return _view("stages", panels, [evidence.three_stages(audit, "read_own_group", code) for code in languages])


def _confusion(audit: Audit) -> FigureView:
    panels = [panel for stage in STAGES for panel in _heat_panel(audit, stage, "all", stage.capitalize())]
    return _view("confusion", panels, [evidence.confusion(audit, stage) for stage in STAGES])


def _by_language(audit: Audit) -> FigureView:
    languages = _main_languages(where(disparities(audit), stage="rendered", metric="read_own_group"))
    panels = [
        panel for code in languages for panel in _heat_panel(audit, "rendered", code, language_name(code).capitalize())
    ]
    return _view("confusion-by-language", panels, [evidence.confusion(audit, "rendered", code) for code in languages])


def _effects(audit: Audit) -> FigureView:
    rows = language_tables.effect_rows(audit)
    panels, metrics = [], MetricDefinitions.of(audit)
    for metric in ("read_own_group", "read_white", "gender_right"):
        here = where(rows, metric=metric)
        several = 1 < len(values(here, "language")) <= MOST_LANGUAGES
        if len(values(here, "language")) > MOST_LANGUAGES:
            here = where(here, language="all")
        lines = []
        for of in split(here, "group"):
            for row in sorted(of, key=lambda row: text(row, "language")):
                language = "any" if text(row, "language") == "all" else language_name(text(row, "language"))
                label = group_name(text(row, "group")) + (f", {language}" if several else "")
                lines.append(Row(label, {"ink": Value.of(row)}))
        if lines:
            title, unit = metrics.title(metric), metrics.unit(metric)
            drawing = dots(title, lines, unit, signed=True, limits=DIFFERENCES)
            alt = f"{title}, English minus the other language, points. {_spoken(here, unit, signed=True)}"
            panels.append(Panel(file_stem(f"language-effects-{metric.replace('_', '-')}"), drawing, alt))
    return _view("language-effects", panels, [language_tables.language_effects(audit)])


def _attributes(audit: Audit) -> FigureView:
    rows, metrics, axes = where(disparities(audit), language="all"), MetricDefinitions.of(audit), metric_axes(audit)
    panels: list[Panel] = []
    tables: list[TableView] = []
    for metric in ("gender_right", "age_error"):
        name, what, unit = metric.replace("_", "-"), "at portrait, ceiling and rendered", metrics.unit(metric)
        limits = axes.get(metric)
        if found := _dots(name, _title(metrics, metric), what, where(rows, metric=metric), unit, STAGES, limits):
            panels += found
            tables.append(evidence.three_stages(audit, metric))
    for own, metric in similarity_tables.similarity_metrics(audit):
        name, title = metric.replace("_", "-"), f"Similarity: {metrics.label(metric).removeprefix('similarity ')}"
        here = [row for row in where(rows, metric=metric) if text(row, "stage") in LATER]
        panels += _dots(name, title, "cosine", here, "cosine", LATER, axes.get(metric))
        tables += [evidence.three_stages(audit, own), evidence.three_stages(audit, metric)]
    for metric in similarity_tables.identification_metrics(audit):
        name, what = metric.replace("_", "-"), "impostor portraits less similar than the own one"
        if found := _dots(name, _title(metrics, metric), what, where(rows, metric=metric), "share", LATER, SHARES):
            panels += found
            tables.append(evidence.three_stages(audit, metric))
    return _view("attributes", panels, tables)


def _instrument(audit: Audit) -> FigureView:
    rows, metrics, axes = records(audit, "instrument"), MetricDefinitions.of(audit), metric_axes(audit)
    panels: list[Panel] = []
    for metric in ("read_own_group", "gender_right", "age_error"):
        here = where(rows, metric=metric)
        series = [gender for gender in GENDERS if where(here, gender=gender)]
        here = [row for row in here if text(row, "gender") in (series or ["all"])]
        name, limits = f"instrument-{metric.replace('_', '-')}", axes.get(metric)
        title, unit, by = _title(metrics, metric), metrics.unit(metric), "gender" if series else ""
        panels += _dots(name, title, "on the portraits", here, unit, series or ["ink"], limits, by)
    return _view("instrument", panels, [evidence.instrument_error(audit)])


def _missing(audit: Audit) -> FigureView:
    rows = where(disparities(audit), metric="no_face", stage="rendered")
    panels = _dots_by_language("no-face", "clips without a usable face", rows, _main_languages(rows), ["rendered"])
    return _view("no-face", panels, [evidence.by_language(audit, "no_face")])


def _dots_by_language(
    name: str, what: str, rows: Sequence[Record], languages: Sequence[str], series: Sequence[str]
) -> list[Panel]:
    """A panel of shares over all languages, and one for each of the given languages."""
    panels: list[Panel] = []
    for code in ("all", *languages):
        title, here = language_name(code).capitalize(), where(rows, language=code)
        panels += _dots(f"{name}-{code}", title, what, here, "share", series, SHARES)
    return panels


def _dots(
    name: str,
    title: str,
    what: str,
    rows: Sequence[Record],
    unit: str,
    series: Sequence[str],
    limits: Limits | None = None,
    by: str = "stage",
) -> list[Panel]:
    """A panel with a row for each group and a mark for each of the ``series`` of a column; none without values."""
    lines = [
        Row(group_name(text(of[0], "group")), {text(row, by) if by else series[0]: Value.of(row) for row in of})
        for of in split(rows, "group")
    ]
    if all(mark.value is None for line in lines for mark in line.marks.values()):
        return []  # the table says why
    drawing = dots(title, lines, unit, limits=limits, series=series)
    return [Panel(file_stem(name), drawing, f"{title}, {what}. {_spoken(rows, unit)}")]


def _heat_panel(audit: Audit, stage: str, language: str, title: str) -> list[Panel]:
    """The heat map of a stage and language; none without reads."""
    rows = evidence.reads(audit, stage, language)
    columns = {f"read_{race}": group_name(race) for race in RACES}
    lines, own = [], []
    for of in split(rows, "group"):
        group = text(of[0], "group")
        sizes = [size for row in of if (size := count(row, "n_speakers")) is not None]
        label = group_name(group) + (f"\nn = {max(sizes):,}" if sizes else "")
        lines.append(Row(label, {text(row, "metric"): Value.of(row) for row in of}))
        own += [(label, f"read_{race}") for race in group.split("|")]
    if not lines:
        return []
    alt = f"{title}: heat map of groups by reads; its numbers are in the table below it."
    return [Panel(file_stem(f"confusion-{stage}-{language}"), heat(title, lines, columns, own), alt)]


def _main_languages(rows: Sequence[Record]) -> list[str]:
    """The languages with most speakers, if there are several."""
    sizes: dict[str, int] = {}
    for row in rows:
        language = text(row, "language")
        if language != "all":
            sizes[language] = max(sizes.get(language, 0), count(row, "n_speakers") or 0)
    most = sorted(sizes, key=lambda language: (-sizes[language], language))[:MOST_LANGUAGES]
    return order_languages(most) if len(sizes) > 1 else []


def _title(metrics: MetricDefinitions, metric: str) -> str:
    title = metrics.title(metric)
    return f"{title}, years" if metrics.unit(metric) == "years" else title


def _spoken(rows: Sequence[Record], unit: str, signed: bool = False) -> str:
    """The points in words, for the alternative text; intervals are in the table."""
    parts = []
    for of in split(rows, "group"):
        points = []
        for row in of:
            value = number(row, "value")
            said = "not estimable" if value is None else write_value(value, unit, signed)
            points.append(" ".join(filter(None, [text(row, "stage") or text(row, "gender"), said])))
        parts.append(f"{group_name(text(of[0], 'group'))}: {', '.join(points)}")
    return "; ".join(parts) + "."


def _view(name: str, panels: Sequence[Panel], tables: Sequence[TableView]) -> FigureView:
    return FigureView(name, panels, [table for table in tables if table.rows])


VIEWS: Final[dict[str, Callable[[Audit], FigureView]]] = {
    "stages": _stages,
    "confusion": _confusion,
    "confusion-by-language": _by_language,
    "language-effects": _effects,
    "attributes": _attributes,
    "instrument": _instrument,
    "no-face": _missing,
    "trends": trend_view,
}
"""The sets of charts of the report, by name."""
