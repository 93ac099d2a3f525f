"""The tables and charts that the pages of a history and of a sweep share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from audit.checks.figure import Figure
from audit.core.clean_text import clean
from audit.core.grouping import GROUP
from audit.reports.html.badges import BADGES
from audit.reports.html.charts import Drawing
from audit.reports.html.identity import name_of
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import Value, count, mapping
from audit.reports.html.tabular import (
    DASH,
    Cell,
    Column,
    TableView,
    code,
    estimate,
    head,
    missing,
    p_value,
    whole,
    words,
)
from audit.reports.html.wording import file_stem, group_name, order_groups
from audit.reports.series.charts import shared_limits
from audit.series import Series
from audit.series.figures import Point, Step, Verdict

Draw = Callable[[str, list[Point], tuple[float, float]], Drawing]
"""Draws the chart of a group: its title, its figure in every run that has one, and the ends of the axis."""
Run = Mapping[str, object]


@dataclass(frozen=True)
class CheckView:
    """The charts of a check in one grouping, with its title and what the charts show."""

    title: str
    told: str
    figure: FigureView


def value_of(figure: Figure) -> Value:
    """A figure as a chart needs it."""
    return Value(figure.value, figure.low, figure.high, figure.n_speakers, figure.method)


def check_views(series: Series, draw: Draw) -> list[CheckView]:
    """A panel for every group of every check; all groups of a check have one axis."""
    titles = {(verdict.check, verdict.grouping): _title(verdict) for verdict in series.verdicts}
    by_check: dict[tuple[str, str], list[Point]] = {}
    for point in series.points:
        by_check.setdefault((point.check, point.grouping), []).append(point)
    views = []
    for key in (key for key in titles if key in by_check):
        points, name = by_check[key], file_stem("-".join(("chart", *key)))
        limits = shared_limits([value_of(point.figure) for point in points], points[0].margin)
        panels, told = [], points[0].told
        for group in order_groups(point.group for point in points):
            here = [point for point in points if point.group == group]
            title = group_name(group)
            spoken = "; ".join(f"{clean(point.run)}: {point.figure.text}" for point in here)
            alt = f"{title.capitalize()}, {told}, by {series.LABEL}. {spoken}. {_marks_of(series, here[0])}".strip()
            drawing = draw(title[:1].upper() + title[1:], here, limits)
            panels.append(Panel(file_stem(f"{name}-{group}"), drawing, alt))
        views.append(CheckView(titles[key], told, FigureView(name, panels, [_numbers(series, name, points)])))
    return views


def verdict_table(series: Series) -> TableView:
    """The outcome and headline of every check in every run: a row for each check, a column for each run."""
    found = {(verdict.check, verdict.grouping, verdict.run): verdict for verdict in series.verdicts}
    checks = {(verdict.check, verdict.grouping): verdict for verdict in series.verdicts}
    columns = [Column[Verdict]("Check", lambda verdict: head(_title(verdict)))]
    columns += [
        Column(
            clean(label),
            lambda verdict, label=label: _verdict_cell(found.get((verdict.check, verdict.grouping, label))),  # type: ignore[misc]  # bound now
        )
        for label in series.labels
    ]
    return TableView.of(
        "verdicts", f"The outcome of every check by {series.LABEL}", columns, checks.values(), sortable=False
    )


def change_table(series: Series, steps: Sequence[Step]) -> TableView:
    """Every tested change."""
    columns = (
        Column[Step]("Check", lambda step: head(step.change.figure)),
        Column[Step]("Group", lambda step: words(_group(step))),
        Column[Step]("From", lambda step: words(clean(step.since))),
        Column[Step]("To", lambda step: words(clean(step.change.candidate))),
        Column[Step]("Before", lambda step: _cell(step.change.before), numeric=True),
        Column[Step]("After", lambda step: _cell(step.change.after), numeric=True),
        Column[Step]("Change", lambda step: _cell(step.change.change, speakers=True), numeric=True),
        Column[Step]("p, adjusted", lambda step: p_value(step.change.p_adjusted), numeric=True),
        Column[Step]("Beyond noise", lambda step: words(step.marked) if step.marked else DASH),
    )
    return TableView.of("changes", f"{series.n_tests} tested changes", columns, steps)


def run_table(series: Series) -> TableView:
    """The runs, numbered as in the charts."""
    columns = (
        Column[tuple[int, Run]]("No.", lambda row: whole(row[0]), numeric=True),
        Column[tuple[int, Run]](series.LABEL.capitalize(), lambda row: head(clean(str(row[1]["label"])))),
        Column[tuple[int, Run]]("Model", lambda row: words(name_of(row[1].get("model")))),
        Column[tuple[int, Run]]("Weights", lambda row: code(str(row[1].get("weights_sha256") or "none")[:12])),
        Column[tuple[int, Run]]("Cohort", lambda row: words(name_of(mapping(row[1].get("cohort")).get("name")))),
        Column[tuple[int, Run]]("Cohort digest", lambda row: code(_digest(row[1]))),
        Column[tuple[int, Run]]("Speakers", lambda row: whole(count(row[1], "n_speakers")), numeric=True),
        Column[tuple[int, Run]]("Clips", lambda row: whole(count(row[1], "n_clips")), numeric=True),
        Column[tuple[int, Run]]("Run", lambda row: code(str(row[1].get("digest"))[:12])),
    )
    return TableView.of(
        "runs", f"The {series.LABEL}s in order", columns, enumerate(series.runs, start=1), sortable=False
    )


def _digest(run: Run) -> str:
    return str(mapping(run.get("cohort")).get("digest"))[:12]


def _numbers(series: Series, name: str, points: Sequence[Point]) -> TableView:
    """The numbers of a check's charts: a row for each group, a column for each run."""
    found = {(point.group, point.run): point for point in points}

    def cell(group: str, label: str) -> Cell:
        point = found.get((group, label))
        return missing("\N{EN DASH}") if point is None else _cell(point.figure, speakers=True)

    columns = [Column[str]("Group", lambda group: head(group_name(group)))]
    columns += [
        Column(clean(label), lambda group, label=label: cell(group, label), numeric=True)  # type: ignore[misc]  # bound now
        for label in series.labels
    ]
    groups = order_groups(point.group for point in points)
    return TableView.of(f"{name}-numbers", points[0].told, columns, groups, sortable=False)


def _marks_of(series: Series, point: Point) -> str:
    """The changes of a group that are beyond noise, in words."""
    key = point.check, point.grouping, point.group
    marked = [step for step in series.marked if (step.change.figure, step.change.grouping, step.change.group) == key]
    said = [f"{step.marked} from {clean(step.since)} to {clean(step.change.candidate)}" for step in marked]
    return f"Beyond noise: {'; '.join(said)}." if said else "No change is beyond noise."


def _title(verdict: Verdict) -> str:
    by = "" if verdict.grouping == GROUP.name else f", by {clean(verdict.grouping).replace('_', ' ')}"
    return f"{verdict.check} {clean(verdict.title)}{by}"


def _verdict_cell(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return missing("\N{EN DASH}")
    outcome, figure = str(BADGES[verdict.outcome]), verdict.figure
    if figure is None or figure.value is None:
        return Cell(outcome)
    return Cell(outcome, (f"{group_name(verdict.group)}: {figure.text}",))


def _group(step: Step) -> str:
    return group_name(step.change.group)


def _cell(figure: Figure, speakers: bool = False) -> Cell:
    return estimate(value_of(figure), figure.unit, figure.signed, speakers=speakers)
