"""The charts of the report: sets of small panels with alternative text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.audits.audit import Audit
from audit.core.units import NO_INTERVAL, write_value
from audit.core.vocabulary import GENDERS, RACES, STAGES
from audit.reports.html.charts import HeatCell, Mark, Row, dots, heat
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    disparities,
    number,
    records,
    text,
    values,
    where,
)
from audit.reports.html.tabular import TableView
from audit.reports.html.wording import (
    file_stem,
    group_name,
    language_name,
    order_groups,
    order_languages,
)
from audit.reports.report import evidence, language_tables

MOST_LANGUAGES = 4
"""Languages with a panel: those with most speakers; tables contain all."""


@dataclass(frozen=True)
class Panel:
    """One chart: its file name, its SVG, and its alternative text."""

    name: str
    svg: str
    alt: str


@dataclass(frozen=True)
class FigureView:
    """Panels with one caption, and the tables of their numbers."""

    name: str
    panels: tuple[Panel, ...]
    tables: tuple[TableView, ...]

    @property
    def has_bare_dot(self) -> bool:
        """Whether some estimate has no interval."""
        cells = (cell for table in self.tables for row in table.rows for cell in row)
        return any(cell.kind == "estimate" and NO_INTERVAL in cell.lines for cell in cells)


def figure_views(audit: Audit) -> dict[str, FigureView]:
    """All charts of the report by name; those without data are left out."""
    found = (
        _stages(audit),
        _confusion(audit),
        _by_language(audit),
        _effects(audit),
        _attributes(audit),
        _instrument(audit),
        _missing(audit),
    )
    return {view.name: view for view in found if view is not None}


def _stages(audit: Audit) -> FigureView | None:
    rows = where(disparities(audit), metric="read_own_group")
    languages = ["all", *_main_languages(audit, rows)]
    panels: list[Panel] = []
    for language in languages:
        here = where(rows, language=language)
        title, what = language_name(language).capitalize(), "read as the own group at portrait, ceiling and rendered"
        panels += _dots_by_group(f"stages-{language}", title, what, here, "share", limits=(0, 1))
    tables = [
        table for language in languages[1:] if (table := evidence.three_stages(audit, "read_own_group", language))
    ]
    for language, table in zip(languages[1:], tables, strict=False):
        table.caption += f", {language_name(language)}"
        table.name += f"-{language}"
    return _view("stages", panels, tables)


def _confusion(audit: Audit) -> FigureView | None:
    panels = [panel for stage in STAGES if (panel := _heat_panel(audit, stage, "all", stage.capitalize()))]
    tables = [table for stage in STAGES if (table := evidence.confusion(audit, stage))]
    return _view("confusion", panels, tables)


def _by_language(audit: Audit) -> FigureView | None:
    rows = where(disparities(audit), stage="rendered", metric="read_own_group")
    languages = _main_languages(audit, rows)
    if len(languages) < 2:
        return None
    panels = [
        panel for code in languages if (panel := _heat_panel(audit, "rendered", code, language_name(code).capitalize()))
    ]
    tables = [table for code in languages if (table := evidence.confusion(audit, "rendered", code))]
    return _view("confusion-by-language", panels, tables)


def _effects(audit: Audit) -> FigureView | None:
    rows = language_tables.effect_rows(audit)
    shares = [m for m in ("read_own_group", "read_white", "gender_right") if where(rows, metric=m)]
    panels, metrics = [], MetricDefinitions.of(audit)
    for metric in shares:
        here = where(rows, metric=metric)
        several = len(values(here, "language")) > 1
        if several and len(values(here, "language")) > MOST_LANGUAGES:
            here, several = where(here, language="all"), False
        lines = []
        for group in _groups(here):
            for row in sorted(where(here, group=group), key=lambda row: text(row, "language")):
                label = group_name(group) + (f", {_other(text(row, 'language'))}" if several else "")
                lines.append(Row(label, (_mark(row, "ink"),)))
        title = metrics.title(metric)
        svg = dots(title, lines, metrics.unit(metric), signed=True, limits=(-1, 1))
        alt = f"{title}, English minus the other language, points. {_spoken(here, metrics.unit(metric), signed=True)}"
        panels.append(Panel(file_stem("language-effects-" + metric.replace("_", "-")), svg, alt))
    table = language_tables.language_effects(audit)
    return _view("language-effects", panels, [table] if table else [])


def _attributes(audit: Audit) -> FigureView | None:
    rows = where(disparities(audit), language="all")
    panels: list[Panel] = []
    tables: list[TableView] = []
    metrics = MetricDefinitions.of(audit)
    for metric in ("gender_right", "age_error"):
        limits = (0.0, 1.0) if metric == "gender_right" else None
        name, what, here = metric.replace("_", "-"), "at portrait, ceiling and rendered", where(rows, metric=metric)
        found = _dots_by_group(name, _title(metrics, metric), what, here, metrics.unit(metric), limits=limits)
        panels += found
        if found and (table := evidence.three_stages(audit, metric)):
            tables.append(table)
    similarities = [m for m in values(rows, "metric") if m.startswith("similarity_over_impostor_")]
    for metric in similarities:
        name, title = metric.replace("_", "-"), f"Similarity: {metrics.label(metric).removeprefix('similarity ')}"
        series = ("ceiling", "rendered")
        here = [row for row in where(rows, metric=metric) if text(row, "stage") in series]
        panels += _dots_by_group(name, title, "cosine", here, "cosine", series=series)
        shown = (metric.replace("similarity_over_impostor_", "similarity_"), metric)
        tables += [table for name in shown if (table := evidence.three_stages(audit, name))]
    return _view("attributes", panels, tables)


def _instrument(audit: Audit) -> FigureView | None:
    rows = records(audit, "instrument")
    panels: list[Panel] = []
    metrics = MetricDefinitions.of(audit)
    for metric in ("read_own_group", "gender_right", "age_error"):
        here = where(rows, metric=metric)
        named = [gender for gender in GENDERS if where(here, gender=gender)]
        here = [row for row in here if text(row, "gender") in (named or ["all"])]
        name, limits = f"instrument-{metric.replace('_', '-')}", None if metric == "age_error" else (0.0, 1.0)
        by, series = ("gender", tuple(named)) if named else ("", ("ink",))
        unit = metrics.unit(metric)
        panels += _dots_by_group(
            name, _title(metrics, metric), "on the portraits", here, unit, limits=limits, by=by, series=series
        )
    table = evidence.instrument_error(audit)
    return _view("instrument", panels, [table] if table else [])


def _missing(audit: Audit) -> FigureView | None:
    rows = where(disparities(audit), metric="no_face", stage="rendered")
    panels: list[Panel] = []
    for language in ["all", *_main_languages(audit, rows)]:
        here = where(rows, language=language)
        title, what = language_name(language).capitalize(), "clips without a usable face"
        name = f"no-face-{language}"
        panels += _dots_by_group(name, title, what, here, "share", limits=(0, 1), series=("rendered",))
    table = evidence.by_language(audit, "no_face")
    return _view("no-face", panels, [table] if table else [])


def _dots_by_group(
    name: str,
    title: str,
    what: str,
    rows: Sequence[Record],
    unit: str,
    *,
    limits: tuple[float, float] | None = None,
    by: str = "stage",
    series: Sequence[str] = STAGES,
) -> list[Panel]:
    """A panel with a row for each group and a mark for each ``series`` of the column ``by``; none without values."""
    lines = [
        Row(group_name(g), tuple(_mark(row, text(row, by) if by else series[0]) for row in where(rows, group=g)))
        for g in _groups(rows)
    ]
    if all(mark.value is None for line in lines for mark in line.marks):
        return []  # the table says why
    svg = dots(title, lines, unit, limits=limits, series=series)
    return [Panel(file_stem(name), svg, f"{title}, {what}. {_spoken(rows, unit)}")]


def _heat_panel(audit: Audit, stage: str, language: str, title: str) -> Panel | None:
    rows = where(disparities(audit), stage=stage, language=language)
    rows = [
        row for row in rows if text(row, "metric") in {f"read_{race}" for race in RACES} and text(row, "group") != "all"
    ]
    groups = _groups(rows)
    if not groups:
        return None
    labels, cells = [], []
    for group in groups:
        here = {text(row, "metric"): row for row in where(rows, group=group)}
        sizes = [size for row in here.values() if (size := count(row, "n_speakers")) is not None]
        labels.append(group_name(group) + (f"\nn = {max(sizes):,}" if sizes else ""))
        line = []
        for race in RACES:
            row = here.get(f"read_{race}", {})
            line.append(
                HeatCell(number(row, "value"), number(row, "low"), number(row, "high"), own=race in group.split("|"))
            )
        cells.append(line)
    svg = heat(title, labels, [group_name(race) for race in RACES], cells)
    return Panel(
        file_stem(f"confusion-{stage}-{language}"),
        svg,
        f"{title}: heat map of groups by reads; its numbers are in the table below it.",
    )


def _main_languages(audit: Audit, rows: Sequence[Record]) -> list[str]:
    """The languages with most speakers, in the order of languages."""
    sizes: dict[str, int] = {}
    for row in rows:
        language = text(row, "language")
        if language != "all":
            sizes[language] = max(sizes.get(language, 0), count(row, "n_speakers") or 0)
    most = sorted(sizes, key=lambda language: (-sizes[language], language))[:MOST_LANGUAGES]
    return order_languages(most) if len(sizes) > 1 else []


def _other(language: str) -> str:
    return "any" if language == "all" else language_name(language)


def _title(metrics: MetricDefinitions, metric: str) -> str:
    title = metrics.title(metric)
    return f"{title}, years" if metrics.unit(metric) == "years" else title


def _groups(rows: Sequence[Record]) -> list[str]:
    return values(rows, "group", order_groups)


def _mark(row: Record, series: str) -> Mark:
    return Mark(number(row, "value"), number(row, "low"), number(row, "high"), count(row, "n_speakers"), series)


def _spoken(rows: Sequence[Record], unit: str, signed: bool = False) -> str:
    """The points in words, for the alternative text; intervals are in the table."""
    parts = []
    for group in _groups(rows):
        points = []
        for row in where(rows, group=group):
            value = number(row, "value")
            said = "not estimable" if value is None else write_value(value, unit, signed)
            points.append(" ".join(filter(None, [text(row, "stage") or text(row, "gender"), said])))
        parts.append(f"{group_name(group)}: {', '.join(points)}")
    return "; ".join(parts) + "."


def _view(name: str, panels: Sequence[Panel], tables: Sequence[TableView]) -> FigureView | None:
    return FigureView(name, tuple(panels), tuple(tables)) if panels else None
