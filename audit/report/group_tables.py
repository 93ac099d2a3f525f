"""The table of all groups at once: whether they differ, by how much, and which stands apart."""

from __future__ import annotations

from audit.audit import Audit
from audit.report.records import Record, count, number, records, text
from audit.report.tabular import Cell, Column, TableView, head, whole, words
from audit.report.wording import Unit, group_name, metric_name, metric_unit, write_interval, write_value

SHOWN = ("read_own_group", "gender_right", "age_error", "no_face")


def groups(audit: Audit) -> TableView | None:
    """The metrics that say something is right or wrong, at every stage; all others are in tables/groups.csv."""
    rows = [row for row in records(audit, "groups") if text(row, "metric") in SHOWN or _over_impostor(row)]
    if not rows:
        return None
    columns = (
        Column("Figure"),
        Column("Stage"),
        Column("Groups", numeric=True),
        Column("p", numeric=True, band="No group differs"),
        Column("q", numeric=True, band="No group differs"),
        Column("Spread between groups", numeric=True),
        Column("Group", band="The worst, if any"),
        Column("Its figure", numeric=True, band="The worst, if any"),
        Column("Minus all others", numeric=True, band="The worst, if any"),
        Column("Over the geometric mean", numeric=True, band="The worst, if any"),
    )
    view = TableView("groups", "All groups at once", columns)
    for row in rows:
        unit = metric_unit(text(row, "metric"))
        worst = text(row, "worst_group")
        view.rows.append(
            [
                head(metric_name(text(row, "metric")).capitalize()),
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
    view.remark = "All other figures are in tables/groups.csv."
    return view


def _over_impostor(row: Record) -> bool:
    return text(row, "metric").startswith("similarity_over_impostor")


def _p(row: Record, key: str, view: TableView) -> Cell:
    value = number(row, key)
    if value is None:
        return Cell("not estimable", kind="missing", note=view.note_for(text(row, "method")))
    shown = f"{value:.3f}" if value >= 0.001 else "< 0.001"
    return Cell(shown, sort=repr(value), kind="number")


def _figure(row: Record, key: str, unit: Unit, *, signed: bool = False) -> Cell:
    value = number(row, key)
    if value is None:
        return Cell("\N{EN DASH}", kind="missing")
    ends = write_interval(number(row, f"{key}_low"), number(row, f"{key}_high"), unit, signed)
    return Cell(write_value(value, unit, signed), (ends,), sort=repr(value), kind="estimate")


def _ratio(row: Record) -> Cell:
    value, low, high = (number(row, key) for key in ("ratio", "ratio_low", "ratio_high"))
    if value is None:
        return Cell("\N{EN DASH}", kind="missing")
    ends = "no interval" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"
    return Cell(f"{value:.2f}", (ends,), sort=repr(value), kind="estimate")
