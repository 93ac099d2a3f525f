"""Tables over all groups: whether they differ, how much, which is worst; and every intersection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from audit.audits.audit import Audit
from audit.core.attributes import ALWAYS, known_attributes
from audit.core.units import write_interval, write_value
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    further_keys,
    mapping,
    number,
    records,
    split,
    text,
    where,
)
from audit.reports.html.tabular import (
    DASH,
    GROUP,
    LANGUAGE,
    Cell,
    Column,
    TableView,
    figure,
    head,
    missing,
    p_value,
    whole,
    words,
    written,
)
from audit.reports.html.wording import group_name
from audit.reports.report.similarity_tables import identification_metrics, similarity_metrics

SHOWN: Final = ("read_own_group", "gender_right", "age_error", "no_face")
INTERSECTED: Final = ("read_own_group", "read_white", "gender_right", "age_error", "no_face")
MOST_CELLS: Final = 200


def groups(audit: Audit) -> TableView:
    """The differences between all groups at once, for the main metrics at every stage."""
    of_similarity = [*(metric for _, metric in similarity_metrics(audit)), *identification_metrics(audit)]
    shown = {*SHOWN, *further_metrics(audit), *of_similarity}
    rows = [row for row in records(audit, "groups") if text(row, "metric") in shown]
    metrics = MetricDefinitions.of(audit)

    def worst(row: Record) -> Cell:
        group = text(row, "worst_group")
        return words(group_name(group) if group else "\N{EN DASH}")

    def value(name: str, signed: bool = False) -> Callable[[Record], Cell]:
        return lambda row: _figure(row, name, metrics.unit(text(row, "metric")), signed)

    differs, of_worst = "No group differs", "Worst group, if any"
    columns = (
        Column[Record]("Figure", lambda row: head(metrics.title(text(row, "metric")))),
        Column[Record]("Stage", lambda row: words(text(row, "stage"))),
        Column[Record]("Groups", lambda row: whole(count(row, "n_groups")), numeric=True),
        Column[Record]("p", lambda row: _p(row, "p_value"), True, differs),
        Column[Record]("q", lambda row: _p(row, "q_value"), True, differs),
        Column("Between-group standard deviation", value("spread"), numeric=True),
        Column("Group", worst, band=of_worst),
        Column("Its figure", value("worst"), True, of_worst),
        Column("Minus all others", value("apart", signed=True), True, of_worst),
        Column("Over the geometric mean", _ratio, True, of_worst),
    )
    note = "All other metrics are in tables/groups.csv."
    return TableView.of("groups", "All groups at once", columns, rows, note)


def further_metrics(audit: Audit) -> list[str]:
    """The metrics of attributes beyond those of every run, and custom metrics."""
    names = mapping(audit.run.get("instrument")).get("attributes_read", ALWAYS)
    known, _ = known_attributes(map(str, names) if isinstance(names, list) else ALWAYS)
    of_attributes = [metric.name for attribute in known if attribute.name not in ALWAYS for metric in attribute.metrics]
    return [*of_attributes, *map(str, mapping(audit.settings.get("metrics")).values())]


def intersections(audit: Audit) -> TableView:
    """Rendered faces in every intersection of group, language and the plan's further columns."""
    rows = where(records(audit, "disparities"), stage="rendered")
    further, defined = further_keys(audit), MetricDefinitions.of(audit)
    metrics = [metric for metric in (*INTERSECTED, *further_metrics(audit)) if where(rows, metric=metric)]
    rows = [
        row
        for row in rows
        if text(row, "metric") in metrics
        and text(row, "group", "all") != "all"
        and any(text(row, key, "all") != "all" for key in ("language", *further))
    ]
    columns = [GROUP, LANGUAGE, *map(_further, further)]
    for metric in metrics:
        columns.append(figure(defined.title(metric), defined.unit(metric), band="Rendered faces", metric=metric))
    cells = [
        cell
        for of in split(rows, "group", "language")
        for cell in sorted(split(of, *further), key=lambda cell: [text(cell[0], key, "all") for key in further])
    ]
    note = f"The first {MOST_CELLS} of {len(cells):,} are shown; all are in tables/disparities.csv."
    view = TableView.of("intersections", "Rendered faces in every intersection", columns, cells[:MOST_CELLS])
    view.note = note if len(cells) > MOST_CELLS else ""
    return view


def _further(key: str) -> Column[Sequence[Record]]:
    return Column(key.replace("_", " ").capitalize(), lambda of: words(text(of[0], key, "all")))


def _p(row: Record, key: str) -> Cell:
    value = number(row, key)
    return missing(reason=text(row, "method")) if value is None else p_value(value)


def _figure(row: Record, name: str, unit: str, signed: bool) -> Cell:
    value = number(row, name)
    if value is None:
        return DASH
    ends = write_interval(number(row, f"{name}_low"), number(row, f"{name}_high"), unit, signed)
    return written(value, write_value(value, unit, signed), ends)


def _ratio(row: Record) -> Cell:
    value, low, high = (number(row, key) for key in ("ratio", "ratio_low", "ratio_high"))
    if value is None:
        return DASH
    return written(value, f"{value:.2f}", "no interval" if low is None or high is None else f"[{low:.2f}, {high:.2f}]")
