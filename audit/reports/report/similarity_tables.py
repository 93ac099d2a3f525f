"""The tables about similarity: retrieval of the own portrait, and craniofacial measures."""

from __future__ import annotations

from audit.audits.audit import Audit
from audit.core.units import write_interval, write_number, write_value
from audit.reports.html.records import count, number, records, text, values, where
from audit.reports.html.tabular import Cell, Column, TableView, dash, head, whole, words
from audit.reports.html.wording import group_name, order_groups
from audit.reports.report.evidence import one

_LATER = ("ceiling", "rendered")


def retrieval(audit: Audit) -> TableView | None:
    """Recall@k of the own portrait in a gallery, by group."""
    rows = where(records(audit, "retrieval"), language="all")
    if not rows:
        return None
    firsts = sorted({count(row, "first") or 0 for row in rows})
    columns = [Column("Group"), Column("Gallery", numeric=True)]
    columns += [
        Column(stage.capitalize(), numeric=True, band=f"Own portrait among the first {first}")
        for first in firsts
        for stage in _LATER
    ]
    view = TableView("retrieval", "Retrieval of the own portrait (recall@k)", columns)
    for group in values(rows, "group", order_groups):
        here = where(rows, group=group)
        gallery = next((count(row, "gallery") for row in here if row.get("gallery") is not None), None)
        cells = [
            view.estimate(one(here, stage=stage, first=str(first)), "share", bare=False)
            for first in firsts
            for stage in _LATER
        ]
        view.rows.append([head(group_name(group)), whole(gallery), *cells])
    chances = {count(row, "first"): number(row, "chance") for row in rows}
    by_chance = [
        f"{write_value(chance, 'share', signed=False)} among the first {first}"
        for first, chance in sorted(chances.items(), key=lambda item: item[0] or 0)
        if chance is not None
    ]
    view.note = f"By chance alone: {', '.join(by_chance)}." if by_chance else ""
    return view


def craniofacial(audit: Audit) -> TableView | None:
    """The correlation of craniofacial measures with those of the own portrait, over all groups."""
    rows = where(records(audit, "craniofacial"), group="all")
    if not rows:
        return None
    columns = [Column("Measure")]
    columns += [
        Column(label, numeric=True, band=stage.capitalize())
        for stage in _LATER
        for label in ("Pearson's r", "With others of the same group and gender")
    ]
    view = TableView("craniofacial", "Craniofacial measures: correlation with the own portrait's, all groups", columns)
    for measure in dict.fromkeys(text(row, "measure") for row in rows):
        cells = []
        for stage in _LATER:
            row = one(rows, measure=measure, stage=stage)
            value, others = (None, None) if row is None else (number(row, "value"), number(row, "others"))
            if row is None or value is None:
                reason = "Not measured in this audit." if row is None else text(row, "method")
                cells.append(Cell("not estimable", kind="missing", note=view.note_for(reason)))
            else:
                ends = write_interval(number(row, "low"), number(row, "high"), "cosine", signed=True)
                size = f"n\N{NO-BREAK SPACE}{count(row, 'n_speakers') or 0:,}"
                cells.append(
                    Cell(write_number(value, "cosine", signed=True), (ends, size), sort=repr(value), kind="estimate")
                )
            cells.append(
                dash()
                if others is None
                else Cell(write_number(others, "cosine", signed=True), sort=repr(others), kind="number")
            )
        view.rows.append([words(measure.replace("_", " ")), *cells])
    return view
