"""Tables over all groups: whether they differ, how much, which is worst; and every intersection."""

from __future__ import annotations

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
    text,
    where,
)
from audit.reports.html.tabular import Cell, Column, TableView, dash, head, p_value, whole, words
from audit.reports.html.wording import (
    group_name,
    language_name,
    order_groups,
    order_languages,
)

SHOWN = ("read_own_group", "gender_right", "age_error", "no_face")


def groups(audit: Audit) -> TableView | None:
    """The differences between all groups at once, for the main metrics at every stage."""
    shown = (*SHOWN, *further_metrics(audit))
    rows = [row for row in records(audit, "groups") if text(row, "metric") in shown or _over_impostor(row)]
    if not rows:
        return None
    columns = (
        Column("Figure"),
        Column("Stage"),
        Column("Groups", numeric=True),
        Column("p", numeric=True, band="No group differs"),
        Column("q", numeric=True, band="No group differs"),
        Column("Between-group standard deviation", numeric=True),
        Column("Group", band="Worst group, if any"),
        Column("Its figure", numeric=True, band="Worst group, if any"),
        Column("Minus all others", numeric=True, band="Worst group, if any"),
        Column("Over the geometric mean", numeric=True, band="Worst group, if any"),
    )
    view, metrics = TableView("groups", "All groups at once", columns), MetricDefinitions.of(audit)
    for row in rows:
        unit = metrics.unit(text(row, "metric"))
        worst = text(row, "worst_group")
        view.rows.append(
            [
                head(metrics.title(text(row, "metric"))),
                words(text(row, "stage")),
                whole(count(row, "n_groups")),
                _p(row, "p_value", view),
                _p(row, "q_value", view),
                _figure(row, "spread", unit),
                words(group_name(worst) if worst else "\N{EN DASH}"),
                _figure(row, "worst", unit),
                _figure(row, "apart", unit, signed=True),
                _ratio(row),
            ]
        )
    view.note = "All other metrics are in tables/groups.csv."
    return view


def further_metrics(audit: Audit) -> list[str]:
    """The metrics of attributes beyond those of every run."""
    names = mapping(audit.run.get("instrument")).get("attributes_read", ALWAYS)
    known, _ = known_attributes(map(str, names) if isinstance(names, list) else ALWAYS)
    return [metric.name for attribute in known if attribute.name not in ALWAYS for metric in attribute.metrics]


INTERSECTED: Final = ("read_own_group", "read_white", "gender_right", "age_error", "no_face")
MOST_CELLS: Final = 200


def intersections(audit: Audit) -> TableView | None:
    """Rendered faces in every intersection of group, language and the plan's further columns."""
    rows = where(records(audit, "disparities"), stage="rendered")
    further, defined = further_keys(audit), MetricDefinitions.of(audit)
    keys = ("group", "language", *further)
    metrics = [metric for metric in (*INTERSECTED, *further_metrics(audit)) if where(rows, metric=metric)]
    cells: dict[tuple[str, ...], dict[str, Record]] = {}
    for row in rows:
        place = tuple(text(row, key, "all") for key in keys)
        if text(row, "metric") in metrics and place[0] != "all" and sum(name != "all" for name in place) > 1:
            cells.setdefault(place, {})[text(row, "metric")] = row
    if not cells:
        return None
    columns = [
        Column("Group"),
        Column("Language"),
        *(Column(key.replace("_", " ").capitalize()) for key in further),
    ]
    columns += [Column(defined.title(metric), numeric=True, band="Rendered faces") for metric in metrics]
    view = TableView("intersections", "Rendered faces in every intersection", columns)
    groups = order_groups(place[0] for place in cells)
    languages = order_languages(place[1] for place in cells)
    order = sorted(cells, key=lambda place: (groups.index(place[0]), languages.index(place[1]), place[2:]))
    for place in order[:MOST_CELLS]:
        named = [head(group_name(place[0])), words(language_name(place[1])), *(words(name) for name in place[2:])]
        figures = [view.estimate(cells[place].get(metric), defined.unit(metric), bare=False) for metric in metrics]
        view.rows.append([*named, *figures])
    if len(order) > MOST_CELLS:
        view.note = f"The first {MOST_CELLS} of {f'{len(order):,}'} are shown; all are in tables/disparities.csv."
    return view


def _over_impostor(row: Record) -> bool:
    return text(row, "metric").startswith("similarity_over_impostor")


def _p(row: Record, key: str, view: TableView) -> Cell:
    value = number(row, key)
    if value is None:
        return Cell("not estimable", kind="missing", note=view.note_for(text(row, "method")))
    return p_value(value)


def _figure(row: Record, key: str, unit: str, *, signed: bool = False) -> Cell:
    value = number(row, key)
    if value is None:
        return dash()
    ends = write_interval(number(row, f"{key}_low"), number(row, f"{key}_high"), unit, signed)
    return Cell(write_value(value, unit, signed), (ends,), sort=repr(value), kind="estimate")


def _ratio(row: Record) -> Cell:
    value, low, high = (number(row, key) for key in ("ratio", "ratio_low", "ratio_high"))
    if value is None:
        return dash()
    ends = "no interval" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"
    return Cell(f"{value:.2f}", (ends,), sort=repr(value), kind="estimate")
